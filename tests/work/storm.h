/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connload storm: connections as fast as the machine makes them, --count of
 * them or for --seconds. Closed by RST, so that no TIME_WAIT takes the ports.
 * Prints how many were made, and how long that took.
 */
#ifndef STORM_H
#define STORM_H

#include "work.h"

/* So many may wait to be accepted before a client waits: far below SOMAXCONN,
 * beyond which a SYN is dropped and comes again a second later. */
#define STORM_AHEAD 256

struct storm_lane {
	int listener;
	unsigned port;
	atomic_uint made;  /* established by the client */
	atomic_uint taken; /* accepted */
	atomic_uint done;  /* the client makes no more */
};

static struct storm_lane *storm_lanes;
static int64_t storm_end;

static void *storm_client_thread(void *arg)
{
	struct storm_lane *lane = &storm_lanes[(uintptr_t)arg];
	unsigned n = (unsigned)(uintptr_t)arg;
	struct sockaddr_storage to;
	socklen_t len = make_addr(opts.addr, lane->port, &to);

	name_thread("cl", (long)arg);
	for (; n < opts.count; n += opts.threads) {
		int fd = new_socket(0);

		if (storm_end && now() >= storm_end)
			break;
		linger_rst(fd);
		while (lane->made - lane->taken > STORM_AHEAD)
			sched_yield();
		/* Accepted and reset before connect() returned is made, too. */
		if (connect(fd, (struct sockaddr *)&to, len) &&
		    errno != ECONNRESET)
			die("cannot connect: %s", strerror(errno));
		lane->made++;
		close(fd);
	}
	lane->done = 1;
	/* Wake the acceptor, should it wait for more: its listener is closed
	 * for reading, which shutdown() does in every process that has it. */
	while (lane->taken != lane->made)
		sched_yield();
	shutdown(lane->listener, SHUT_RD);
	return NULL;
}

static void storm_client(int go)
{
	wait_for_go(go);
	if (opts.seconds)
		storm_end = now() + opts.seconds * 1000000000LL;
	run_threads(storm_client_thread, opts.threads);
}

static void *storm_server_thread(void *arg)
{
	struct storm_lane *lane = &storm_lanes[(uintptr_t)arg];
	int fd;

	name_thread("sv", (long)arg);
	shared->acceptors[(uintptr_t)arg] = gettid();
	for (;;) {
		fd = accept4(lane->listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			break;
		linger_rst(fd);
		close(fd);
		lane->taken++;
	}
	if (!lane->done || lane->taken != lane->made)
		die("cannot accept: %s", strerror(errno));
	return NULL;
}

static void storm_server(int go)
{
	(void)go;
	run_threads(storm_server_thread, opts.threads);
}

static int storm_main(void)
{
	unsigned total = 0;
	pid_t client, server;
	int64_t start;
	int go[2];

	shared = share(sizeof(*shared));
	storm_lanes = share(sizeof(*storm_lanes) * opts.threads);
	for (unsigned i = 0; i < opts.threads; i++)
		storm_lanes[i].listener =
			listen_on(SOMAXCONN, &storm_lanes[i].port);
	server = spawn(storm_server, NULL);
	if (pipe(go))
		die("cannot make a pipe: %s", strerror(errno));
	client = spawn(storm_client, go);
	for (unsigned i = 0; i < opts.threads; i++)
		wait_blocked(server, &shared->acceptors[i]);
	ready(client, server, storm_lanes[0].port);
	start = now();
	close(go[1]);
	reap(client, "client");
	reap(server, "server");
	for (unsigned i = 0; i < opts.threads; i++)
		total += storm_lanes[i].taken;
	start = now() - start;
	printf("{\"connections\":%u,\"seconds\":%.6f}\n", total,
	       (double)start / 1e9);
	return 0;
}

#endif
