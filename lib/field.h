/* SPDX-License-Identifier: Apache-2.0 */
/* Struct members in BTF. */
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

#endif
