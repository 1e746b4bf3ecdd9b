// SPDX-License-Identifier: Apache-2.0
#include "types.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VMLINUX_BTF "/sys/kernel/btf/vmlinux"
#define PRAGMA "#pragma netbcc "

struct dump {
	struct btf *btf;
	struct btf_dump *dump;
	FILE *out;
	char *missing;
	size_t missing_size;
};

bool nb_types_have_btf(void)
{
	return access(VMLINUX_BTF, R_OK) == 0;
}

static void print(void *ctx, const char *fmt, va_list args)
{
	vfprintf(ctx, fmt, args);
}

static int fail(struct dump *d, int err, const char *what)
{
	snprintf(d->missing, d->missing_size, "%s", what);
	return err;
}

static int find(const struct btf *btf, const char *name)
{
	int id = btf__find_by_name_kind(btf, name, BTF_KIND_STRUCT);

	return id > 0 ? id : btf__find_by_name_kind(btf, name, BTF_KIND_UNION);
}

static int write_types(struct dump *d, char *names)
{
	char *name, *save = NULL;

	for (name = strtok_r(names, " \t", &save); name;
	     name = strtok_r(NULL, " \t", &save)) {
		int id = find(d->btf, name);
		int err;

		if (id < 0)
			return fail(d, -ENOENT, name);
		err = btf_dump__dump_type(d->dump, (__u32)id);
		if (err)
			return err;
	}
	return 0;
}

/* Skip typedefs and qualifiers; arrays and structs keep their own size. */
static long size_of(const struct btf *btf, __u32 id)
{
	return (long)btf__resolve_size(btf, id);
}

/* The field's place in bits, searched through unnamed members too. */
static bool find_field(const struct btf *btf, __u32 id, const char *name,
		       __u32 base, __u32 *ret_bit, long *ret_size)
{
	const struct btf_type *t = btf__type_by_id(btf, id);
	const struct btf_member *m;

	if (!t || !btf_is_composite(t))
		return false;
	m = btf_members(t);
	for (__u16 i = 0; i < btf_vlen(t); i++) {
		const char *n = btf__name_by_offset(btf, m[i].name_off);
		__u32 bit = base + btf_member_bit_offset(t, i);
		__u32 bits = btf_member_bitfield_size(t, i);

		if (!*n) {
			if (find_field(btf, m[i].type, name, bit, ret_bit,
				       ret_size))
				return true;
		} else if (!strcmp(n, name)) {
			*ret_bit = bit;
			*ret_size =
				bits ? (long)bits / 8 : size_of(btf, m[i].type);
			return true;
		}
	}
	return false;
}

static int write_field(struct dump *d, const char *type, const char *field)
{
	__u32 bit;
	long size;
	int id = find(d->btf, type);

	if (id < 0)
		return fail(d, -ENOENT, type);
	if (find_field(d->btf, (__u32)id, field, 0, &bit, &size))
		fprintf(d->out,
			"#define NB_OFFSET_%s_%s %u\n#define NB_SIZE_%s_%s %ld\n",
			type, field, bit / 8, type, field, size);
	return 0;
}

static int obey(struct dump *d, char *pragma)
{
	char *save = NULL, *verb = strtok_r(pragma, " \t", &save);

	if (verb && !strcmp(verb, "types"))
		return write_types(d, save);
	if (verb && !strcmp(verb, "field")) {
		char *type = strtok_r(NULL, " \t", &save);
		char *field = strtok_r(NULL, " \t", &save);

		if (field)
			return write_field(d, type, field);
	}
	return fail(d, -EINVAL, verb ? verb : "");
}

static int each_pragma(struct dump *d, const char *text)
{
	const size_t len = strlen(PRAGMA);
	int err = 0;

	while (text && !err) {
		const char *end = strchrnul(text, '\n');

		if (!strncmp(text, PRAGMA, len)) {
			char *line =
				strndup(text + len, (size_t)(end - text) - len);

			err = line ? obey(d, line) : -ENOMEM;
			free(line);
		}
		text = *end ? end + 1 : NULL;
	}
	return err;
}

int nb_types_write(const char *text, FILE *out, char *missing, size_t size)
{
	struct dump d = { .out = out,
			  .missing = missing,
			  .missing_size = size };
	int err;

	if (size)
		missing[0] = '\0';
	d.btf = btf__parse_raw(VMLINUX_BTF);
	if (!d.btf)
		return -errno;
	d.dump = btf_dump__new(d.btf, print, out, NULL);
	err = d.dump ? each_pragma(&d, text) : -errno;
	btf_dump__free(d.dump);
	btf__free(d.btf);
	return err;
}
