/* SPDX-License-Identifier: Apache-2.0 */
/* A terminal that is drawn anew in place, as by top(1). */
#ifndef NB_SCREEN_H
#define NB_SCREEN_H

#include <stddef.h>
#include <stdio.h>

struct nb_screen_size {
	unsigned rows;
	unsigned columns;
};

/*
 * The size of the terminal @fd. 0, or -ENOTTY when it is none (or does not
 * know).
 */
int nb_screen_size(int fd, struct nb_screen_size *ret);

/*
 * Draw the @len bytes of lines at @text on a terminal of that size, from its
 * first line on, and clear the rest of it. What is too long or too much is cut
 * off; the last line stays empty, unless it is the only one. 0 or -errno of the
 * write.
 */
int nb_screen_draw(FILE *out, const struct nb_screen_size *size,
		   const char *text, size_t len);

#endif
