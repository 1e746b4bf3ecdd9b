// SPDX-License-Identifier: Apache-2.0
#include "field.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int nb_field_type(const struct btf *btf, const char *type)
{
	int id = btf__find_by_name_kind(btf, type, BTF_KIND_STRUCT);

	if (id < 0)
		id = btf__find_by_name_kind(btf, type, BTF_KIND_UNION);
	return id > 0 ? id : -ENOENT;
}

int nb_field_find(const struct btf *btf, uint32_t type, const char *name,
		  struct nb_field *ret)
{
	const struct btf_type *t = btf__type_by_id(btf, type);
	const struct btf_member *m;

	if (!t || !btf_is_composite(t))
		return -ENOENT;
	m = btf_members(t);
	for (uint16_t i = 0; i < btf_vlen(t); i++) {
		const char *n = btf__name_by_offset(btf, m[i].name_off);
		uint32_t bits = btf_member_bitfield_size(t, i);

		if (!*n && !nb_field_find(btf, m[i].type, name, ret)) {
			ret->bit += btf_member_bit_offset(t, i);
			return 0;
		}
		if (*n && !strcmp(n, name)) {
			ret->bit = btf_member_bit_offset(t, i);
			if (!bits)
				bits = 8 * (uint32_t)btf__resolve_size(
						   btf, m[i].type);
			ret->bits = bits;
			return 0;
		}
	}
	return -ENOENT;
}

int nb_field_tp_args(const struct btf *btf, const char *name)
{
	const struct btf_type *t;
	char symbol[128];
	int id;

	snprintf(symbol, sizeof(symbol), "btf_trace_%s", name);
	id = btf__find_by_name_kind(btf, symbol, BTF_KIND_TYPEDEF);
	if (id < 0)
		return -ENOENT;
	t = btf__type_by_id(btf, (__u32)id);
	t = btf__type_by_id(btf, t->type); /* pointer */
	t = t && btf_is_ptr(t) ? btf__type_by_id(btf, t->type) : NULL;
	if (!t || !btf_is_func_proto(t) || !btf_vlen(t))
		return -EBADMSG;
	return btf_vlen(t) - 1;
}
