/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connload other: accept() and connect() calls that are no TCP connections,
 * successful and failing ones. Nothing of it may be reported: no truth.
 */
#ifndef OTHER_H
#define OTHER_H

#include "work.h"

#include <stddef.h>
#include <sys/un.h>

static void other_unix(int type)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	socklen_t len;
	int listener, client, server;

	/* An abstract name: nothing is left in a directory. */
	snprintf(sa.sun_path + 1, sizeof(sa.sun_path) - 1, "connload-%d",
		 getpid());
	len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
			  strlen(sa.sun_path + 1));
	client = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	if (!connect(client, (struct sockaddr *)&sa, len))
		die("connected to nobody");
	listener = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	if (bind(listener, (struct sockaddr *)&sa, len) ||
	    listen(listener, 1) || connect(client, (struct sockaddr *)&sa, len))
		die("cannot connect: %s", strerror(errno));
	server = accept(listener, NULL, NULL);
	if (server < 0)
		die("cannot accept: %s", strerror(errno));
	close(server);
	close(client);
	close(listener);
}

static void other_udp(const char *addr, int want)
{
	struct sockaddr_storage to;
	socklen_t len = make_addr(addr, 9, &to);
	int fd = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int err = connect(fd, (struct sockaddr *)&to, len) ? errno : 0;

	if (err != want)
		die("UDP: %s", strerror(err));
	close(fd);
}

/* Descriptors that can't be accepted from or connected. */
static void other_misused(void)
{
	struct sockaddr_storage to;
	socklen_t len = make_addr(NULL, 9, &to);
	unsigned port;
	int p[2], fd;

	if (pipe(p))
		die("cannot make a pipe: %s", strerror(errno));
	if (accept(p[0], NULL, NULL) >= 0 || accept(-1, NULL, NULL) >= 0 ||
	    !connect(p[0], (struct sockaddr *)&to, len) ||
	    !connect(-1, (struct sockaddr *)&to, len) ||
	    !connect(MAX_COUNT, (struct sockaddr *)&to, len))
		die("connected without a socket");
	close(p[0]);
	close(p[1]);

	/* Nobody is waiting; and a socket that doesn't listen. */
	fd = listen_on(1, &port);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	if (accept(fd, NULL, NULL) >= 0)
		die("accepted nobody");
	close(fd);
	fd = new_socket(0);
	if (accept(fd, NULL, NULL) >= 0)
		die("accepted from a socket that doesn't listen");
	close(fd);
}

static void other_client(int go)
{
	wait_for_go(go);
	for (unsigned i = 0; i < opts.count; i++) {
		other_unix(SOCK_STREAM);
		other_unix(SOCK_SEQPACKET);
		other_udp(NULL, 0);
		/* TEST-NET-1: no route in a namespace with loopback only. */
		other_udp(opts.ip == 4 ? "192.0.2.1" : "2001:db8::1",
			  ENETUNREACH);
		other_misused();
	}
}

static int other_main(void)
{
	pid_t client;
	int go[2];

	if (pipe(go))
		die("cannot make a pipe: %s", strerror(errno));
	client = spawn(other_client, go);
	ready(client, 0, 0);
	close(go[1]);
	reap(client, "client");
	return 0;
}

#endif
