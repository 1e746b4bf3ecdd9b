/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors that keep programs attached. */
#ifndef NB_LINKS_H
#define NB_LINKS_H

#include <stddef.h>

/* Zero-initialise; nb_links_close() at the end. */
struct nb_links {
	int *fd;
	size_t n;
	size_t room;
};

/* Keep @fd, which is closed if there is no memory: 0 or -ENOMEM. */
int nb_links_add(struct nb_links *links, int fd);

/* Close those behind the first @n, the last one first. */
void nb_links_cut(struct nb_links *links, size_t n);

/* Close all. */
void nb_links_close(struct nb_links *links);

/*
 * The same, of such as the kernel waits at for whoever is in the program: at
 * many of them together, not at one after the other.
 */
void nb_links_close_at_once(struct nb_links *links);

#endif
