// SPDX-License-Identifier: Apache-2.0
#include "tcpclock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "trace_http.h"

/* Each way: an end that has answered acknowledges in another manner. */
#define ROUNDS 3

/* Loopback may be down, or forbidden. */
#define WAIT_MS 100

struct http_tcpclock {
	int listener;
	int asks;
	int answers;
	unsigned port;
};

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void http_tcpclock_close(struct http_tcpclock *c)
{
	if (!c)
		return;
	close_fd(c->answers);
	close_fd(c->asks);
	close_fd(c->listener);
	free(c);
}

static int new_socket(void)
{
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

static bool is_ready(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, WAIT_MS) == 1 && p.revents & POLLIN;
}

/* 0 or -errno. */
static int connect_both(struct http_tcpclock *c)
{
	/* No end of them is to stay in TIME_WAIT. */
	const struct linger at_once = { .l_onoff = 1 };
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	c->listener = new_socket();
	c->asks = new_socket();
	if (c->listener < 0 || c->asks < 0 ||
	    bind(c->listener, (struct sockaddr *)&addr, len) ||
	    listen(c->listener, 1) ||
	    getsockname(c->listener, (struct sockaddr *)&addr, &len) ||
	    setsockopt(c->asks, SOL_SOCKET, SO_LINGER, &at_once,
		       sizeof(at_once)))
		return -errno;
	if (connect(c->asks, (struct sockaddr *)&addr, len) &&
	    errno != EINPROGRESS)
		return -errno;
	if (!is_ready(c->listener))
		return -ETIMEDOUT;
	c->answers = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC);
	if (c->answers < 0)
		return -errno;
	c->port = ntohs(addr.sin_port);
	return 0;
}

int http_tcpclock_open(struct http_tcpclock **ret)
{
	struct http_tcpclock *c = malloc(sizeof(*c));
	int err;

	*ret = NULL;
	if (!c)
		return -ENOMEM;
	*c = (struct http_tcpclock){ .listener = -1,
				     .asks = -1,
				     .answers = -1 };
	err = connect_both(c);
	if (err) {
		http_tcpclock_close(c);
		return err;
	}
	*ret = c;
	return 0;
}

unsigned http_tcpclock_port(const struct http_tcpclock *c)
{
	return c->port;
}

/* One byte from the one to the other, which reads it after @ns. */
static bool move(int from, int to, long ns)
{
	const struct timespec rest = { .tv_nsec = ns };
	char c = '.';

	if (send(from, &c, 1, MSG_NOSIGNAL) != 1 || !is_ready(to))
		return false;
	nanosleep(&rest, NULL);
	return recv(to, &c, 1, MSG_DONTWAIT) == 1;
}

bool http_tcpclock_try(struct http_tcpclock *c, const struct nb_prog *prog)
{
	uint64_t tries[HTTP_CLOCK_TRIES];

	for (int i = 0; i < ROUNDS; i++)
		if (!move(c->asks, c->answers, HTTP_CLOCK_REST_NS) ||
		    !move(c->answers, c->asks, 0))
			return false;
	nb_prog_sums(prog, "clock_tries", HTTP_CLOCK_TRIES, tries);
	return tries[HTTP_CLOCK_GOOD] >= ROUNDS && !tries[HTTP_CLOCK_OLD];
}
