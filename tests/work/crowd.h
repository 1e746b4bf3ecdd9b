/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connload crowd: --count connections at once, in as many processes as it
 * takes. When it goes, one byte goes to the server on each, again and again
 * for --seconds (a round after the other; at least one), and then nothing for
 * --hold milliseconds. With --read the server takes it, all but what has not
 * come when the client ends.
 */
#ifndef CROWD_H
#define CROWD_H

#include "work.h"

#define CROWD_EACH 4000 /* connections of a process */

struct crowd {
	unsigned n;
	int listener;
	unsigned port;
	atomic_uint connected;
	atomic_uint accepted;
};

static struct crowd *crowds, *crowd; /* crowd: this process' */
static atomic_ullong *crowd_bytes, *crowd_read;

static void crowd_connect(int *fds)
{
	struct sockaddr_storage to;
	socklen_t len = make_addr(opts.addr, crowd->port, &to);

	for (unsigned i = 0; i < crowd->n; i++) {
		fds[i] = new_socket(0);
		linger_rst(fds[i]);
		while (crowd->connected - crowd->accepted > 256)
			sched_yield();
		if (connect(fds[i], (struct sockaddr *)&to, len))
			die("cannot connect: %s", strerror(errno));
		crowd->connected++;
	}
}

static void crowd_client(int go)
{
	int fds[CROWD_EACH];
	int64_t end;

	if (opts.client_uid && setuid(opts.client_uid))
		die("cannot be user %u: %s", opts.client_uid, strerror(errno));
	crowd_connect(fds);
	wait_for_go(go);
	end = now() + opts.seconds * 1000000000LL;
	do {
		for (unsigned i = 0; i < crowd->n; i++)
			if (send(fds[i], "x", 1, 0) != 1)
				die("cannot send: %s", strerror(errno));
		atomic_fetch_add(crowd_bytes, crowd->n);
	} while (now() < end);
	sleep_ms(opts.hold_ms);
}

static void crowd_server(int go)
{
	int fds[CROWD_EACH];
	ssize_t got = 1;
	char buf[64];

	(void)go;
	for (unsigned i = 0; i < crowd->n; i++) {
		fds[i] = accept4(crowd->listener, NULL, NULL, SOCK_CLOEXEC);
		if (fds[i] < 0)
			die("cannot accept: %s", strerror(errno));
		crowd->accepted++;
	}
	if (!opts.read)
		pause();
	while (got > 0)
		for (unsigned i = 0; i < crowd->n && got > 0; i++) {
			got = recv(fds[i], buf, sizeof(buf), 0);
			if (got > 0)
				atomic_fetch_add(crowd_read, (unsigned)got);
		}
}

static int crowd_main(void)
{
	unsigned n = (opts.count + CROWD_EACH - 1) / CROWD_EACH;
	pid_t *clients = calloc(n, sizeof(*clients));
	pid_t *servers = calloc(n, sizeof(*servers));
	int go[2];

	crowds = share(n * sizeof(*crowds));
	crowd_bytes = share(sizeof(*crowd_bytes));
	crowd_read = share(sizeof(*crowd_read));
	if (!clients || !servers)
		die("cannot get memory");
	for (unsigned i = 0; i < n; i++) {
		crowd = &crowds[i];
		crowd->n = i < n - 1 ? CROWD_EACH : opts.count - i * CROWD_EACH;
		crowd->listener = listen_on(SOMAXCONN, &crowd->port);
		servers[i] = spawn(crowd_server, NULL);
		close(crowd->listener);
	}
	/* Which the servers are not to keep open. */
	if (pipe(go))
		die("cannot make a pipe: %s", strerror(errno));
	for (unsigned i = 0; i < n; i++) {
		crowd = &crowds[i];
		clients[i] = spawn(crowd_client, go);
	}
	for (unsigned i = 0; i < n; i++)
		while (crowds[i].accepted < crowds[i].n)
			sleep_ms(1);
	ready(clients[0], servers[0], crowds[0].port);
	close(go[1]);
	for (unsigned i = 0; i < n; i++)
		reap(clients[i], "client");
	for (unsigned i = 0; i < n; i++) {
		if (!opts.read)
			kill(servers[i], SIGKILL);
		waitpid(servers[i], NULL, 0);
	}
	printf("{\"connections\":%u,\"bytes\":%llu,\"read\":%llu}\n",
	       opts.count, (unsigned long long)*crowd_bytes,
	       (unsigned long long)*crowd_read);
	return 0;
}

#endif
