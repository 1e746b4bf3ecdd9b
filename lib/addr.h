/* SPDX-License-Identifier: Apache-2.0 */
/* IP addresses as the eBPF texts hand them over. */
#ifndef NB_ADDR_H
#define NB_ADDR_H

#include <stddef.h>
#include <stdint.h>

/* Fits the longest address, with its NUL. */
#define NB_ADDR_STRLEN 46

/* An address in network order; IPv4 has the first four bytes. */
struct nb_addr {
	uint8_t ip; /* 4 or 6 */
	uint8_t bytes[16];
};

/*
 * Write @addr as text (inet_ntop(3)'s form; an IPv4-mapped IPv6 address as
 * IPv4) to @buf, which has NB_ADDR_STRLEN bytes. Returns the length. An address
 * that is neither 4 nor 6 is written as "-".
 */
size_t nb_addr_format(const struct nb_addr *addr, char *buf);

/* Fits the longest address with a port, "[...]:65535", and its NUL. */
#define NB_ENDPOINT_STRLEN (NB_ADDR_STRLEN + 8)

/*
 * Write @addr and @port (host order) as "127.0.0.1:80" or "[::1]:80" to @buf,
 * which has NB_ENDPOINT_STRLEN bytes, in at most @max characters (0: any
 * number): of a longer address the middle is left out, for a '~', but never a
 * digit of the port. Returns the length. Otherwise as nb_addr_format().
 */
size_t nb_addr_format_port(const struct nb_addr *addr, uint16_t port,
			   size_t max, char *buf);

#endif
