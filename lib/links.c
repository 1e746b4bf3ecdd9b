// SPDX-License-Identifier: Apache-2.0
#include "links.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int nb_links_add(struct nb_links *links, int fd)
{
	size_t room = links->room ? 2 * links->room : 16;
	int *grown;

	if (links->n == links->room) {
		grown = realloc(links->fd, room * sizeof(*grown));
		if (!grown) {
			close(fd);
			return -ENOMEM;
		}
		links->fd = grown;
		links->room = room;
	}
	links->fd[links->n++] = fd;
	return 0;
}

void nb_links_cut(struct nb_links *links, size_t n)
{
	while (links->n > n)
		close(links->fd[--links->n]);
}

void nb_links_close(struct nb_links *links)
{
	nb_links_cut(links, 0);
	free(links->fd);
	memset(links, 0, sizeof(*links));
}
