// SPDX-License-Identifier: Apache-2.0
/*
 * relay DEVICE DEVICE LOSS REORDER: hand on each frame from one device to the
 * other and back, but lose LOSS of 1000 and hold back REORDER of 1000 until
 * some more have passed. Says "ready", and until SIGTERM; then how many of
 * each.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "die.h"

#define FRAME 65600
#define BEHIND 3 /* frames that overtake one */

static volatile sig_atomic_t stopped;

static void on_term(int sig)
{
	(void)sig;
	stopped = 1;
}

static int open_device(const char *name)
{
	struct sockaddr_ll ll = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ETH_P_ALL),
				  .sll_ifindex = (int)if_nametoindex(name) };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));
	int room = 32 << 20, one = 1;

	if (fd < 0 || !ll.sll_ifindex ||
	    bind(fd, (struct sockaddr *)&ll, sizeof(ll)))
		die("%s: %s", name, strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	/* Not what it sends itself. */
	setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one));
	return fd;
}

struct held {
	unsigned char frame[FRAME];
	ssize_t len;
	unsigned passed;
};

static unsigned lost, reordered;

static void pass(int to, const void *frame, ssize_t len)
{
	if (send(to, frame, (size_t)len, 0) < 0 && errno != ENOBUFS)
		die("cannot send: %s", strerror(errno));
}

static void forward(int from, int to, struct held *held, unsigned loss,
		    unsigned reorder)
{
	static unsigned char frame[FRAME];
	ssize_t len = recv(from, frame, sizeof(frame), MSG_DONTWAIT);
	unsigned luck = (unsigned)random() % 1000;

	if (len <= 0)
		return;
	if (luck < loss) {
		lost++;
		return;
	}
	if (!held->len && luck < loss + reorder) {
		memcpy(held->frame, frame, (size_t)len);
		held->len = len;
		held->passed = 0;
		reordered++;
		return;
	}
	pass(to, frame, len);
	if (held->len && ++held->passed == BEHIND) {
		pass(to, held->frame, held->len);
		held->len = 0;
	}
}

int main(int argc, char **argv)
{
	static struct held held[2];
	struct pollfd fds[2];
	unsigned loss, reorder;

	if (argc != 5) {
		fputs("usage: relay DEVICE DEVICE LOSS REORDER\n", stderr);
		return 1;
	}
	loss = (unsigned)atoi(argv[3]);
	reorder = (unsigned)atoi(argv[4]);
	for (int i = 0; i < 2; i++)
		fds[i] = (struct pollfd){ .fd = open_device(argv[1 + i]),
					  .events = POLLIN };
	signal(SIGTERM, on_term);
	alarm(600);
	srandom(1);
	puts("ready");
	fflush(stdout);
	while (!stopped) {
		if (poll(fds, 2, 100) <= 0) {
			/* Nothing comes that it could wait for. */
			for (int i = 0; i < 2; i++)
				if (held[i].len) {
					pass(fds[!i].fd, held[i].frame,
					     held[i].len);
					held[i].len = 0;
				}
			continue;
		}
		for (int i = 0; i < 2; i++)
			if (fds[i].revents & POLLIN)
				forward(fds[i].fd, fds[!i].fd, &held[i], loss,
					reorder);
	}
	printf("lost %u, reordered %u\n", lost, reordered);
	return 0;
}
