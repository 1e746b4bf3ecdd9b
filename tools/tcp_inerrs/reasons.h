/* SPDX-License-Identifier: Apache-2.0 */
/* The words for why a packet was bad, and the running kernel's numbers. */
#ifndef NB_TCP_INERRS_REASONS_H
#define NB_TCP_INERRS_REASONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log.h"
#include "tcp_inerrs.h"

/* The kernel's own names of its reasons, by number; "" where there is none. */
#define ERR_NAME_LEN 48
struct err_names {
	char name[ERR_KERNEL_REASONS][ERR_NAME_LEN];
};

/* "TCP_CSUM"; NULL for ERR_NONE and what is no enum err_reason. */
const char *err_reason_name(unsigned reason);

/* Is it an error, or what happens in healthy connections too? */
bool err_reason_is_normal(unsigned reason);

/*
 * Parse "TCP_CSUM,minttl": in any case, with or without "TCP_" and
 * "RFC7323_", and add their
 * bits to *@mask. 0, or -EINVAL with the offender in @why->text.
 */
int err_reasons_parse(const char *list, uint64_t *mask, struct nb_error *why);

/* All names, for a message: "A, B, ..." in @buf. */
void err_reasons_list(char *buf, size_t size);

/*
 * Parse what the kernel says of its tracepoint kfree_skb (the text of
 * events/skb/kfree_skb/format): { 2, "NOT_SPECIFIED" }, ... How many there are.
 */
size_t err_names_parse(const char *format, struct err_names *ret);

/*
 * The running kernel's: from tracefs or, where that can't be read, from BTF
 * (which takes 20 ms). 0, or -errno with the reason in @why.
 */
int err_names_get(struct err_names *ret, struct nb_error *why);

/* Can the kernel with these names tell that reason, or the command itself? */
bool err_reason_is_told(const struct err_names *names, unsigned reason);

/*
 * What the map "reasons" has for the kernel's reason @name: an enum err_reason
 * and flags; 0: it is none of TCP's.
 */
uint32_t err_names_entry(const char *name);

#endif
