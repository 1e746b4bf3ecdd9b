/* SPDX-License-Identifier: Apache-2.0 */
/* What BTF says: members of structs, arguments of tracepoints. */
#ifndef NB_FIELD_H
#define NB_FIELD_H

#include <bpf/btf.h>
#include <stdint.h>

/* Where a member is. */
struct nb_field {
	uint32_t bit;  /* offset from the struct's start, in bits */
	uint32_t bits; /* size, also of a bit field */
};

/* The id of struct or union @type, or -ENOENT. */
int nb_field_type(const struct btf *btf, const char *type);

/*
 * Find the member @name of the struct or union with the id @type, also inside
 * its unnamed members. 0 or -ENOENT.
 */
int nb_field_find(const struct btf *btf, uint32_t type, const char *name,
		  struct nb_field *ret);

/*
 * The number of arguments that a program gets on the raw tracepoint @name (the
 * function prototype behind "btf_trace_NAME", less its first parameter, in
 * include/trace/bpf_probe.h). -ENOENT: there is none; -EBADMSG.
 */
int nb_field_tp_args(const struct btf *btf, const char *name);

#endif
