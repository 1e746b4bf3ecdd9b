/* SPDX-License-Identifier: Apache-2.0 */
/* The names of the kernel's functions, by address. */
#ifndef NB_KSYMS_H
#define NB_KSYMS_H

#include <stddef.h>
#include <stdint.h>

/* Fits the longest name (KSYM_NAME_LEN, linux/kallsyms.h) and an offset. */
#define NB_KSYM_STRLEN 544

struct nb_ksyms;

/*
 * Open /proc/kallsyms: with privileges, as the addresses are zero without (they
 * may be dropped afterwards). 0; -EPERM when they are zero (kptr_restrict);
 * or another -errno. The caller frees *ret with nb_ksyms_free().
 */
int nb_ksyms_new(struct nb_ksyms **ret);
void nb_ksyms_free(struct nb_ksyms *ksyms);

/*
 * Write the names of the @n addresses at @addr, innermost first as in a stack,
 * to @buf of @size bytes: "tcp_drop+0x2c;tcp_rcv_established+0x1f;..."; an
 * address that has none as a number. What does not fit is left out. Names are
 * looked up once: what is new takes two walks through the kernel's list (some
 * 50 ms each). Returns the length.
 */
size_t nb_ksyms_format(struct nb_ksyms *ksyms, const uint64_t *addr, size_t n,
		       char *buf, size_t size);

#endif
