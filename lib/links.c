// SPDX-License-Identifier: Apache-2.0
#include "links.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Threads that close at once. */
#define STRIDE 32

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

/* What one of several threads closes: each STRIDE-th from @first on. */
struct share {
	const struct nb_links *links;
	size_t first;
	pthread_t thread;
	bool started;
};

static void *close_share(void *arg)
{
	const struct share *share = arg;

	for (size_t i = share->first; i < share->links->n; i += STRIDE)
		close(share->links->fd[i]);
	return NULL;
}

void nb_links_close_at_once(struct nb_links *links)
{
	struct share shares[STRIDE];

	for (size_t i = 0; i < STRIDE && i < links->n; i++) {
		struct share *s = &shares[i];

		*s = (struct share){ .links = links, .first = i };
		s->started = !pthread_create(&s->thread, NULL, close_share, s);
		if (!s->started)
			close_share(s);
	}
	for (size_t i = 0; i < STRIDE && i < links->n; i++)
		if (shares[i].started)
			pthread_join(shares[i].thread, NULL);
	free(links->fd);
	memset(links, 0, sizeof(*links));
}
