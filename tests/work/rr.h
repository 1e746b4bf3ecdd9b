/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connload rr: --count requests of one byte on one connection, each answered by
 * one byte before the next. Prints how long that took. The ends run on two
 * processors, if they may: where the scheduler has the choice, one is fifteen
 * times as fast as two, and it takes now this and now that.
 */
#ifndef RR_H
#define RR_H

#include "work.h"

static int rr_listener;
static unsigned rr_port;
static struct side *rr_time;

/* On the first of the processors that this may run on, or on the last. */
static void rr_stay(bool first)
{
	cpu_set_t may, one;
	int n = -1, cpu = 0;

	if (sched_getaffinity(0, sizeof(may), &may))
		die("no affinity: %s", strerror(errno));
	for (; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &may) && (n < 0 || !first))
			n = cpu;
	CPU_ZERO(&one);
	CPU_SET(n, &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		die("cannot stay on a processor: %s", strerror(errno));
}

/* In turn, beginning with @first. */
static void rr_turns(int fd, bool first)
{
	int one = 1;
	char c = 0;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	for (unsigned i = 0; i < opts.count; i++)
		if ((first && send(fd, &c, 1, 0) != 1) ||
		    recv(fd, &c, 1, 0) != 1 ||
		    (!first && send(fd, &c, 1, 0) != 1))
			die("cannot go on: %s", strerror(errno));
}

static void rr_client(int go)
{
	struct sockaddr_storage to;
	socklen_t len = make_addr(opts.addr, rr_port, &to);
	int fd = new_socket(0);

	if (connect(fd, (struct sockaddr *)&to, len))
		die("cannot connect: %s", strerror(errno));
	wait_for_go(go);
	rr_stay(true);
	rr_time->start = now();
	rr_turns(fd, true);
	rr_time->done = now();
}

static void rr_server(int go)
{
	int fd = accept4(rr_listener, NULL, NULL, SOCK_CLOEXEC);

	(void)go;
	if (fd < 0)
		die("cannot accept: %s", strerror(errno));
	rr_stay(false);
	rr_turns(fd, false);
}

static int rr_main(void)
{
	pid_t client, server;
	int go[2];

	rr_time = share(sizeof(*rr_time));
	rr_listener = listen_on(1, &rr_port);
	server = spawn(rr_server, NULL);
	if (pipe(go))
		die("cannot make a pipe: %s", strerror(errno));
	client = spawn(rr_client, go);
	ready(client, server, rr_port);
	close(go[1]);
	reap(client, "client");
	reap(server, "server");
	printf("{\"requests\":%u,\"seconds\":%.6f}\n", opts.count,
	       (double)(rr_time->done - rr_time->start) / 1e9);
	return 0;
}

#endif
