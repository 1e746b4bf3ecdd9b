/* SPDX-License-Identifier: Apache-2.0 */
/* Flame graphs, as drawn by one of the programs that there are for it. */
#ifndef NB_TRACE_HTTP_SVG_H
#define NB_TRACE_HTTP_SVG_H

/*
 * Draw the folded stacks @folded of the directory @dir, which is called
 * @dir_name, as @svg there, by flamegraph.pl or inferno-flamegraph of PATH, or
 * the one that Debian has. 0, also when there is none: then a message says what
 * to install and to run; or -errno after a message.
 */
int http_svg_draw(int dir, const char *dir_name, const char *folded,
		  const char *svg);

#endif
