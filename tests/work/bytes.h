/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connload bytes: --threads connections, on each --bytes-up bytes to the server
 * and then --bytes-down back, by the ways --send and --recv. Connected before
 * the workload is ready, with the server waiting in its receive call, or with
 * --late when it goes; --before bytes have gone both ways by then. --shared:
 * one connection, for all threads of both ends. --inherit: a child of each end
 * does it. The truth: what went through each end.
 */
#ifndef BYTES_H
#define BYTES_H

#include "truth.h"
#include "ways.h"

static struct {
	int listener;
	unsigned port;
	int fds[MAX_THREADS]; /* of this process */
	const struct way *send;
	const struct way *recv;
	atomic_uint *connected; /* in both processes */
} bytes;

static unsigned conns(void)
{
	return opts.shared ? 1 : opts.threads;
}

/* Thread @i's part of @n bytes. */
static size_t part_of(size_t n, unsigned i)
{
	size_t each = n / opts.threads;

	if (!opts.shared)
		return n;
	return i ? each : n - each * (opts.threads - 1);
}

static void send_bytes(struct lane *l, struct side *s, size_t n)
{
	while (n) {
		ssize_t k = bytes.send->fn(l, n < CHUNK ? n : CHUNK);

		if (k <= 0)
			die("cannot send: %s", strerror(errno));
		n -= (size_t)k;
		__atomic_fetch_add(&s->tx, (size_t)k, __ATOMIC_RELAXED);
	}
	reap_zerocopies(l);
}

/* Up to @n bytes: those that come. */
static void recv_bytes(struct lane *l, struct side *s, size_t n)
{
	while (n) {
		ssize_t k = bytes.recv->fn(l, n < CHUNK ? n : CHUNK);

		if (k < 0)
			die("cannot receive: %s", strerror(errno));
		if (!k)
			return;
		n -= (size_t)k;
		__atomic_fetch_add(&s->rx, (size_t)k, __ATOMIC_RELAXED);
	}
}

/* Twice: the end comes again and again. */
static void recv_end(struct lane *l, struct side *s)
{
	recv_bytes(l, s, SIZE_MAX);
	recv_bytes(l, s, SIZE_MAX);
}

static void note_conn(struct side *s, int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	side_local(s, fd);
	if (getpeername(fd, (struct sockaddr *)&ss, &len))
		die("who is the peer? %s", strerror(errno));
	to_record(&ss, &s->remote);
	if (opts.tls)
		use_tls(fd);
	atomic_fetch_add(bytes.connected, 1);
}

/* What has gone before anything counts. */
static void before(int fd, bool first)
{
	struct side none = { 0 };
	struct lane l;

	open_lane(&l, fd);
	if (first)
		send_bytes(&l, &none, opts.before);
	recv_bytes(&l, &none, opts.before);
	if (!first)
		send_bytes(&l, &none, opts.before);
}

static void connect_all(void)
{
	struct sockaddr_storage to;
	socklen_t len = make_addr(opts.addr, bytes.port, &to);

	for (unsigned i = 0; i < conns(); i++) {
		int fd = new_socket(0);

		if (connect(fd, (struct sockaddr *)&to, len))
			die("cannot connect: %s", strerror(errno));
		note_conn(&shared->connect[i], fd);
		bytes.fds[i] = fd;
		before(fd, true);
	}
}

static void accept_all(void)
{
	for (unsigned i = 0; i < conns(); i++) {
		int fd = accept4(bytes.listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			die("cannot accept: %s", strerror(errno));
		note_conn(&shared->accept[i], fd);
		bytes.fds[i] = fd;
		before(fd, false);
	}
}

static pthread_barrier_t bytes_barrier;

static void *bytes_client_thread(void *arg)
{
	unsigned i = (unsigned)(uintptr_t)arg, conn = opts.shared ? 0 : i;
	struct side *s = &shared->connect[conn];
	struct lane l;

	name_thread("cl", (long)i);
	open_lane(&l, bytes.fds[conn]);
	send_bytes(&l, s, part_of(opts.bytes_up, i));
	if (opts.shared)
		pthread_barrier_wait(&bytes_barrier);
	shutdown(l.fd, SHUT_WR);
	recv_end(&l, s);
	s->mapped += l.mapped;
	return NULL;
}

static void *bytes_server_thread(void *arg)
{
	unsigned i = (unsigned)(uintptr_t)arg, conn = opts.shared ? 0 : i;
	struct side *s = &shared->accept[conn];
	struct lane l;

	name_thread("sv", (long)i);
	open_lane(&l, bytes.fds[conn]);
	shared->acceptors[i] = gettid();
	recv_end(&l, s);
	send_bytes(&l, s, part_of(opts.bytes_down, i));
	if (opts.shared)
		pthread_barrier_wait(&bytes_barrier);
	shutdown(l.fd, SHUT_WR);
	s->mapped += l.mapped;
	return NULL;
}

/* The threads of one end, in this process or in a child of its own. */
static void run_end(void *(*thread)(void *), struct side *sides,
		    const char *name)
{
	pid_t child = opts.inherit ? fork() : 0;

	if (child < 0)
		die("cannot fork: %s", strerror(errno));
	if (child) {
		reap(child, name);
		return;
	}
	prctl(PR_SET_NAME, name);
	for (unsigned i = 0; i < conns(); i++)
		side_task(&sides[i]);
	run_threads(thread, opts.threads);
	for (unsigned i = 0; i < conns(); i++)
		close(bytes.fds[i]);
	if (opts.inherit)
		_exit(0);
}

static void bytes_client(int go)
{
	if (!opts.late)
		connect_all();
	wait_for_go(go);
	if (opts.late)
		connect_all();
	run_end(bytes_client_thread, shared->connect, "bytes client");
}

static void bytes_server(int go)
{
	(void)go;
	accept_all();
	run_end(bytes_server_thread, shared->accept, "bytes server");
}

static void print_bytes(const struct side *s)
{
	printf("{\"pid\":%d,\"comm\":", s->pid);
	print_string(s->comm);
	printf(",\"uid\":%u,\"netns\":%lu,\"ip\":%d", s->uid, s->netns,
	       opts.ip);
	print_addr("s", &s->local);
	print_addr("d", &s->remote);
	printf(",\"rx_bytes\":%llu,\"tx_bytes\":%llu,\"_mapped\":%zu}\n",
	       (unsigned long long)s->rx, (unsigned long long)s->tx, s->mapped);
}

/* Is the server set up, as far as that goes before the start? */
static void wait_set_up(void)
{
	int64_t end = now() + BLOCKED_MS * 1000000LL;

	if (opts.late)
		return;
	for (unsigned i = 0; i < opts.threads; i++)
		while (!*(volatile pid_t *)&shared->acceptors[i] ||
		       *bytes.connected < 2 * conns()) {
			if (now() > end)
				die("the ends are not connected");
			sleep_ms(1);
		}
	/* To the receive call it is a few instructions. */
	sleep_ms(20 * slow);
}

static int bytes_main(void)
{
	pid_t client, server;
	int go[2];

	bytes.send = find_way(send_ways, sizeof(send_ways) / sizeof(*send_ways),
			      opts.send);
	bytes.recv = find_way(recv_ways, sizeof(recv_ways) / sizeof(*recv_ways),
			      opts.recv);
	opts.count = opts.threads;
	shared_init();
	bytes.connected = share(sizeof(*bytes.connected));
	bytes.listener = listen_on(SOMAXCONN, &bytes.port);
	pthread_barrier_init(&bytes_barrier, NULL, opts.threads);
	server = spawn(bytes_server, NULL);
	if (pipe(go))
		die("cannot make a pipe: %s", strerror(errno));
	client = spawn(bytes_client, go);
	close(bytes.listener);
	wait_set_up();
	ready(client, server, bytes.port);
	close(go[1]);
	reap(client, "client");
	reap(server, "server");
	for (unsigned i = 0; i < conns(); i++) {
		print_bytes(&shared->connect[i]);
		print_bytes(&shared->accept[i]);
	}
	return 0;
}

#endif
