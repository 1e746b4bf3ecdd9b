/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Declarations of kernel types, written from the running kernel's BTF. A text
 * asks for what it uses by lines of its own:
 *
 *	#pragma netbcc types sock tcp_sock
 *	#pragma netbcc field sock sk_protocol
 *
 * "types" declares those structs and unions, and all they hold; "field"
 * defines NB_OFFSET_sock_sk_protocol and NB_SIZE_sock_sk_protocol (bytes) when
 * the kernel has that field, also where it is a bit field.
 */
#ifndef NB_CC_TYPES_H
#define NB_CC_TYPES_H

#include <stdbool.h>
#include <stdio.h>

/* Does the running kernel offer BTF? */
bool nb_types_have_btf(void);

/*
 * Write to @out the declarations that the pragmas of @text ask for. 0;
 * -ENOENT when the kernel has no such type, its name then being in
 * @missing; -EINVAL for a pragma that can't be understood, likewise; or
 * another -errno from libbpf.
 */
int nb_types_write(const char *text, FILE *out, char *missing, size_t size);

#endif
