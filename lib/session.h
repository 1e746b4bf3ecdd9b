/* SPDX-License-Identifier: Apache-2.0 */
/* The connection by which the one who runs a command is logged in. */
#ifndef NB_SESSION_H
#define NB_SESSION_H

#include <stdint.h>

#include "addr.h"

struct nb_session {
	struct nb_addr local;
	struct nb_addr remote;
	uint16_t lport; /* host order */
	uint16_t rport;
};

/*
 * Find that of ssh: as SSH_CONNECTION in the environment has it, or, as sudo(8)
 * takes that away, the connection of the nearest ancestor that is an sshd. 0,
 * or -ENOENT when there is none.
 */
int nb_session_find(struct nb_session *ret);

/* Parse SSH_CONNECTION: "client port server port". 0 or -EINVAL. */
int nb_session_parse(const char *text, struct nb_session *ret);

/*
 * Parse a line of /proc/net/tcp or tcp6 (@ip 4 or 6), in which an IPv4-mapped
 * address becomes IPv4. 0 and the socket's *@ret_inode, or -EINVAL for one that
 * is no established connection.
 */
int nb_session_parse_line(const char *line, int ip, struct nb_session *ret,
			  uint64_t *ret_inode);

#endif
