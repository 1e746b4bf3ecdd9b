/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a text wants to know of the running kernel, answered from BTF. It asks
 * by lines of its own:
 *
 *	#pragma netbcc types sock tcp_sock
 *	#pragma netbcc field sock sk_protocol
 *	#pragma netbcc enum iter_type ITER_UBUF
 *	#pragma netbcc func tcp_sendmsg
 *	#pragma netbcc tracepoint kfree_skb
 *	#pragma netbcc cast tcp_sock
 *
 * "types" declares those structs and unions, and all they hold; "field"
 * defines NB_OFFSET_sock_sk_protocol and NB_SIZE_sock_sk_protocol (bytes) when
 * the kernel has that field, also where it is a bit field. "enum" defines
 * NB_VALUE_ITER_UBUF, the value that the enum has by that name. "func" defines
 * NB_ARGS_tcp_sendmsg, how many arguments the function takes, and notes its
 * BTF id for the image; "tracepoint" defines NB_TP_ARGS_kfree_skb, how many a
 * raw tracepoint's program gets. "cast" defines NB_CAST_tcp_sock, the BTF id of
 * the struct, when a pointer may be taken for one to it: NB_CAST_FUNC is then
 * the number of the helper that does it, bpf_rdonly_cast(), plus NB_CC_KFUNC.
 * What the kernel does not have is not defined.
 */
#ifndef NB_CC_TYPES_H
#define NB_CC_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "../image.h"

/*
 * In a text's calls, the BTF id of a function of the kernel's own plus this: a
 * number that no helper has.
 */
#define NB_CC_KFUNC 0x40000000

/* Does the running kernel offer BTF? */
bool nb_types_have_btf(void);

/*
 * Write to @out what the pragmas of @text ask for: all, or without @types only
 * what headers don't tell (func, tracepoint and cast). The functions go to
 * @funcs, which has room for NB_IMAGE_MAX_FUNCS, their number to *ret_nfuncs.
 * 0; -ENOENT when the kernel has no such type, its name then being in
 * @missing; -EINVAL for a pragma that can't be understood, likewise; -E2BIG
 * for too many functions; or another -errno from libbpf.
 */
int nb_types_write(const char *text, bool types, FILE *out,
		   struct nb_image_func *funcs, uint32_t *ret_nfuncs,
		   char *missing, size_t size);

#endif
