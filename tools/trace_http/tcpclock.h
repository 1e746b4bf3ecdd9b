/* SPDX-License-Identifier: Apache-2.0 */
/* Does TCP know when a process got what it has received? */
#ifndef NB_HTTP_TCPCLOCK_H
#define NB_HTTP_TCPCLOCK_H

#include <stdbool.h>

#include "prog.h"

struct http_tcpclock;

/*
 * A connection over loopback, in *@ret, where it is to be tried. 0 or -errno:
 * it can't be. The caller frees it with http_tcpclock_close(), which NULL is
 * for, too.
 */
int http_tcpclock_open(struct http_tcpclock **ret);
void http_tcpclock_close(struct http_tcpclock *c);

/* What http_config.clock_port has to be for http_tcpclock_try(). */
unsigned http_tcpclock_port(const struct http_tcpclock *c);

/*
 * Receive what has been there for a while, some times, which takes
 * milliseconds. Has @prog, which is attached, seen TCP's clock to be right each
 * time? Linux 6.16 to 6.18 in plan "raw"; what is not known is false.
 */
bool http_tcpclock_try(struct http_tcpclock *c, const struct nb_prog *prog);

#endif
