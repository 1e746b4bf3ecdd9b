/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connload pairs: exactly --count connections between a client and a server
 * process, each told from both sides.
 */
#ifndef PAIRS_H
#define PAIRS_H

#include "truth.h"
#include "uring_server.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>

static int pairs_listener;
static unsigned pairs_port;
static ino_t pairs_netns; /* of the server */

static const char data[1 << 16];

static void send_all(int fd, size_t left)
{
	struct pollfd p = { fd, POLLOUT, 0 };

	while (left) {
		ssize_t n = send(fd, data,
				 left < sizeof(data) ? left : sizeof(data),
				 MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN) {
			poll(&p, 1, -1);
			continue;
		}
		if (n < 0)
			die("cannot send: %s", strerror(errno));
		left -= (size_t)n;
	}
}

/* Read @want bytes, fewer at the connection's end; returns how many. */
static size_t read_all(int fd, size_t want)
{
	struct pollfd p = { fd, POLLIN, 0 };
	char buf[1 << 16];
	size_t got = 0;

	while (got < want) {
		size_t left = want - got;
		ssize_t n =
			read(fd, buf, left < sizeof(buf) ? left : sizeof(buf));

		if (n < 0 && errno == EAGAIN) {
			poll(&p, 1, -1);
			continue;
		}
		if (n < 0 && errno != ECONNRESET)
			die("cannot read: %s", strerror(errno));
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	return got;
}

/* Wait until the handshake of a non-blocking connect is over. */
static int finish_connect(int fd)
{
	struct pollfd p = { fd, POLLOUT, 0 };
	socklen_t len = sizeof(int);
	int err = 0;

	poll(&p, 1, -1);
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
	return err;
}

static void pairs_bind(int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = make_addr(opts.from, 0, &ss);

	if (bind(fd, (struct sockaddr *)&ss, len))
		die("cannot bind to '%s': %s", opts.from, strerror(errno));
}

/* Returns how many bytes have been sent with that. */
static size_t pairs_connect(struct ring *ring, int fd,
			    const struct sockaddr_storage *to, socklen_t len)
{
	const struct sockaddr *sa = (const struct sockaddr *)to;
	ssize_t n = 0;
	int err;

	if (opts.fastopen) {
		/* With a cookie of the server's these are in the SYN. */
		n = sendto(fd, data, opts.bytes_up < 500 ? opts.bytes_up : 500,
			   MSG_FASTOPEN, sa, len);
		err = n < 0 ? errno : 0;
	} else if (opts.uring_connect) {
		err = -ring_connect(ring, fd, to, len);
	} else {
		err = connect(fd, sa, len) ? errno : 0;
	}
	/* None of these is a connection of its own. */
	if (opts.again && connect(fd, sa, len) && errno != EISCONN &&
	    errno != EALREADY)
		die("connect() again: %s", strerror(errno));
	if (err == EINPROGRESS || opts.fastopen)
		err = finish_connect(fd);
	if (err)
		die("cannot connect: %s", strerror(err));
	return n > 0 ? (size_t)n : 0;
}

static void pairs_end(int fd, struct side *s)
{
	struct sockaddr unspec = { .sa_family = AF_UNSPEC };

	/* A reset throws away what has not been sent yet. */
	for (int left = 1; (opts.rst || opts.unspec) && left; sleep_ms(1))
		if (ioctl(fd, SIOCOUTQ, &left))
			die("cannot ask what is unsent: %s", strerror(errno));
	s->closing = now();
	if (opts.unspec) {
		if (connect(fd, &unspec, sizeof(unspec)))
			die("cannot disconnect: %s", strerror(errno));
		return;
	}
	if (opts.rst) {
		linger_rst(fd);
	} else {
		shutdown(fd, SHUT_WR);
		s->rx += read_all(fd, 1);
	}
	close(fd);
}

static void *pairs_client_thread(void *arg)
{
	int flags = opts.nonblock ? SOCK_NONBLOCK : 0, fd = -1;
	struct sockaddr_storage to;
	socklen_t len = make_addr(opts.addr, pairs_port, &to);
	struct ring ring;
	unsigned n;

	name_thread("cl", (long)arg);
	if (opts.uring_connect)
		ring_must_open(&ring, 0);
	while ((n = atomic_fetch_add(&shared->connects, 1)) < opts.count) {
		struct side *s = &shared->connect[n];
		size_t sent;

		if (opts.uring_async)
			side_worker(s);
		else
			side_task(s);
		to_record(&to, &s->remote);
		if (fd < 0 || !opts.unspec) {
			fd = new_socket(flags);
			if (opts.from)
				pairs_bind(fd);
		}
		s->start = now();
		sent = pairs_connect(&ring, fd, &to, len);
		s->done = now();
		side_local(s, fd);
		send_all(fd, opts.bytes_up - sent);
		s->tx = opts.bytes_up;
		s->rx = read_all(fd, opts.bytes_down);
		if (opts.hold_ms)
			sleep_ms(opts.hold_ms);
		pairs_end(fd, s);
	}
	return NULL;
}

static void pairs_client(int go)
{
	if (opts.client_uid && setuid(opts.client_uid))
		die("cannot become user %u: %s", opts.client_uid,
		    strerror(errno));
	name_leader("cllead");
	wait_for_go(go);
	run_threads(pairs_client_thread, opts.threads);
	for (unsigned i = 0; i < opts.count; i++)
		if (shared->connect[i].rx != opts.bytes_down)
			die("the client got too little");
}

/* accept4(@fd) as a 32-bit program makes it. */
static int pairs_accept32(int fd)
{
#ifdef __x86_64__
	int ret;

	__asm__ volatile("int $0x80"
			 : "=a"(ret)
			 : "a"(ACCEPT4_32), "b"(fd), "c"(0), "d"(0),
			   "S"(SOCK_CLOEXEC)
			 : "memory", "r8", "r9", "r10", "r11");
	errno = ret < 0 ? -ret : 0;
	return ret < 0 ? -1 : ret;
#else
	fprintf(stderr, "connload: no 32-bit system calls here\n");
	exit(EXIT_SKIP);
#endif
}

/* Are there such system calls? Some hypervisors have no way in for them. */
static int abi32_main(void)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		die("cannot fork: %s", strerror(errno));
	if (!pid)
		_exit(pairs_accept32(-1) < 0 && errno == EBADF ? 0 : EXIT_SKIP);
	if (waitpid(pid, &status, 0) != pid)
		die("cannot wait: %s", strerror(errno));
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_SKIP;
}

/* Take connection @n, by accept() and accept4() in turn. */
static int pairs_accept(unsigned n, struct side *s)
{
	struct pollfd p = { pairs_listener, POLLIN, 0 };
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	int fd;

	do {
		if (opts.nonblock || opts.accept_delay_ms)
			poll(&p, 1, -1);
		if (opts.accept_delay_ms)
			sleep_ms(opts.accept_delay_ms);
		s->start = now();
		if (opts.abi32)
			fd = pairs_accept32(pairs_listener);
		else if (n % 2)
			fd = accept4(pairs_listener, (struct sockaddr *)&from,
				     &len, SOCK_CLOEXEC);
		else
			fd = accept(pairs_listener, (struct sockaddr *)&from,
				    &len);
		s->done = now();
	} while (fd < 0 && errno == EAGAIN);
	if (fd < 0)
		die("cannot accept: %s", strerror(errno));
	if (opts.abi32 && getpeername(fd, (struct sockaddr *)&from, &len))
		die("cannot ask for the peer: %s", strerror(errno));
	to_record(&from, &s->remote);
	side_local(s, fd);
	return fd;
}

static void *pairs_server_thread(void *arg)
{
	unsigned n;

	name_thread("sv", (long)arg);
	shared->acceptors[(long)arg] = gettid();
	while ((n = atomic_fetch_add(&shared->tickets, 1)) < opts.count) {
		struct side *s = &shared->accept[n];
		int fd;

		side_task(s);
		s->netns = pairs_netns;
		fd = pairs_accept(n, s);
		s->rx = read_all(fd, opts.bytes_up);
		send_all(fd, opts.bytes_down);
		s->tx = opts.bytes_down;
		s->rx += read_all(fd, 1);
		s->closing = now();
		close(fd);
		atomic_fetch_add(&shared->accepts, 1);
	}
	return NULL;
}

/* Serve the connection @fd, which may be a slot, to its end. */
static void pairs_uring_serve(struct acceptor *a, int fd, struct side *s)
{
	bool direct = a->mode && a->mode->direct;

	if (direct || (a->mode && opts.uring_recv)) {
		s->rx = uring_read_all(a, fd, opts.bytes_up);
		uring_send_all(a, fd, data, sizeof(data), opts.bytes_down);
		s->rx += uring_read_all(a, fd, 1);
	} else {
		s->rx = read_all(fd, opts.bytes_up);
		send_all(fd, opts.bytes_down);
		s->rx += read_all(fd, 1);
	}
	s->tx = opts.bytes_down;
	s->closing = now();
	if (direct)
		uring_close_slot(a, fd);
	else
		close(fd);
}

/*
 * Nobody knows beforehand who accepts how many, with multishot: each takes what
 * it gets until the listener is shut down, after the last one.
 */
static void *pairs_uring_thread(void *arg)
{
	bool plain = opts.uring_mix && (long)arg % 2;
	struct acceptor a;
	struct side got;
	unsigned n;
	int fd;

	name_thread("sv", (long)arg);
	uring_open(&a, plain ? NULL : opts.uring, pairs_listener);
	shared->acceptors[(long)arg] = gettid();
	for (;;) {
		memset(&got, 0, sizeof(got));
		fd = acceptor_take(&a, &got);
		if (fd < 0)
			break;
		if (a.mode && a.mode->worker)
			side_worker(&got);
		else
			side_task(&got);
		got.netns = pairs_netns;
		n = atomic_fetch_add(&shared->tickets, 1);
		if (n >= opts.count)
			die("accepted too many");
		if (n + 1 == opts.count)
			shutdown(pairs_listener, SHUT_RD);
		/* One that comes later is descriptor 0. */
		if (!n && opts.uring_recv)
			close(STDIN_FILENO);
		shared->accept[n] = got;
		pairs_uring_serve(&a, fd, &shared->accept[n]);
		atomic_fetch_add(&shared->accepts, 1);
	}
	free(a.store);
	return NULL;
}

static void pairs_server(int go)
{
	(void)go;
	name_leader("svlead");
	run_threads(opts.uring ? pairs_uring_thread : pairs_server_thread,
		    opts.threads);
	for (unsigned i = 0; i < opts.count; i++)
		if (shared->accept[i].rx != opts.bytes_up)
			die("the server got too little");
}

/* The other end of @a: the connect from that port which began last before. */
static const struct side *pairs_peer(const struct side *a)
{
	const struct side *best = NULL, *c;

	for (c = shared->connect; c < shared->connect + opts.count; c++)
		if (c->local.sin6_port == a->remote.sin6_port &&
		    c->start <= a->done && (!best || c->start > best->start))
			best = c;
	if (!best)
		die("a connection was accepted that nobody made");
	return best;
}

static void pairs_print(int64_t quiet)
{
	for (unsigned i = 0; i < opts.count; i++) {
		const struct side *c = &shared->connect[i];

		print_row(c, "connect", "ESTABLISHED");
		print_time(c->start, c->done);
		print_latency(c->start, c->done);
		printf("}\n");
		print_end(c, "connect", c->closing, c->start, c->done, quiet);
	}
	for (unsigned i = 0; i < opts.count; i++) {
		const struct side *a = &shared->accept[i], *c = pairs_peer(a);
		int64_t closing = a->closing;

		print_row(a, "accept", "ESTABLISHED");
		print_time(a->start, a->done);
		/* The client knows of it before the server: by a moment, or,
		 * when the queue was full, by a long time. */
		if (!opts.mptcp)
			print_range("latency_us",
				    opts.backlog < SOMAXCONN
					    ? 0
					    : (a->start - c->done) / 1000 -
						      EARLY_US,
				    (a->done - c->start) / 1000 + 1);
		printf("}\n");
		if (opts.rst || opts.unspec)
			closing = c->closing;
		print_end(a, "accept", closing, c->start, a->done, quiet);
	}
}

/* The listener, whose namespace those have that it accepts. */
static void pairs_listen(void)
{
	int qlen = 16, home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	if (opts.server_netns)
		enter_netns(opts.server_netns);
	pairs_netns = current_netns();
	pairs_listener = listen_on((int)opts.backlog, &pairs_port);
	if (opts.server_netns && setns(home, CLONE_NEWNET))
		die("cannot come back: %s", strerror(errno));
	close(home);
	if (opts.nonblock || opts.accept_delay_ms)
		fcntl(pairs_listener, F_SETFL, O_NONBLOCK);
	if (opts.fastopen && setsockopt(pairs_listener, IPPROTO_TCP,
					TCP_FASTOPEN, &qlen, sizeof(qlen)))
		die("cannot set TCP_FASTOPEN: %s", strerror(errno));
}

static int64_t pairs_wait_quiet(void)
{
	wait_quiet(pairs_port);
	if (opts.server_netns)
		enter_netns(opts.server_netns);
	return wait_quiet(pairs_port);
}

static int pairs_main(void)
{
	pid_t client, server;
	int go[2];

	if (opts.uring)
		uring_probe(uring_mode_find(opts.uring));
	if (opts.uring_connect)
		uring_probe(NULL);
	shared_init();
	pairs_listen();
	server = spawn(pairs_server, NULL);
	close(pairs_listener);
	if (pipe(go))
		die("cannot make a pipe: %s", strerror(errno));
	client = spawn(pairs_client, go);
	for (unsigned i = 0; i < opts.threads; i++)
		wait_blocked(server, &shared->acceptors[i]);
	ready(client, server, pairs_port);
	close(go[1]);
	reap(client, "client");
	reap(server, "server");
	pairs_print(pairs_wait_quiet());
	return 0;
}

#endif
