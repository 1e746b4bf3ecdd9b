/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connload fail: connects that come to nothing, for a reason that is known
 * (--expect). With --close they are given up before any answer; with
 * --same-tuple each is preceded by a connection that takes its addresses.
 */
#ifndef FAIL_H
#define FAIL_H

#include "truth.h"
#include "uring.h"

static unsigned fail_port;
static int fail_fds[MAX_COUNT];
static struct ring fail_ring;

/* The record of the connect that is about to be made on @fd. */
static struct side *fail_side(int fd, const struct sockaddr_storage *to)
{
	struct side *s;

	s = &shared->connect[atomic_fetch_add(&shared->connects, 1)];
	if (opts.uring_async)
		side_worker(s);
	else
		side_task(s);
	to_record(to, &s->remote);
	if (opts.bind || opts.same_tuple)
		side_local(s, fd);
	s->start = now();
	return s;
}

/* Take @to's 4-tuple away from @fd: connect another socket first. */
static void fail_take_tuple(int fd, const struct sockaddr_storage *to,
			    socklen_t len)
{
	struct sockaddr_storage from;
	socklen_t from_len = sizeof(from);
	int other = new_socket(0);
	struct side *s;

	if (getsockname(fd, (struct sockaddr *)&from, &from_len) ||
	    bind(other, (struct sockaddr *)&from, from_len))
		die("cannot bind twice: %s", strerror(errno));
	s = fail_side(other, to);
	if (connect(other, (const struct sockaddr *)to, len))
		die("cannot connect: %s", strerror(errno));
	s->done = now();
	linger_rst(other);
	/* Closed when the process ends: it must outlive the failure. */
}

static void fail_check(int err)
{
	const char *name = err ? strerrorname_np(err) : "success";

	if (!opts.expect || strcmp(name, opts.expect))
		die("connect() led to %s", name);
}

static void fail_one(unsigned i, const struct sockaddr_storage *to,
		     socklen_t len)
{
	int fd = new_socket(opts.nonblock || opts.close ? SOCK_NONBLOCK : 0);
	struct pollfd p = { fd, POLLOUT, 0 };
	struct sockaddr_storage from;
	socklen_t from_len, err_len = sizeof(int);
	struct side *s;
	int err;

	if (opts.bind || opts.same_tuple) {
		from_len = make_addr(NULL, 0, &from);
		if (bind(fd, (struct sockaddr *)&from, from_len))
			die("cannot bind: %s", strerror(errno));
	}
	if (opts.user_timeout_ms)
		setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT,
			   &opts.user_timeout_ms, sizeof(unsigned));
	if (opts.same_tuple)
		fail_take_tuple(fd, to, len);
	s = fail_side(fd, to);
	if (opts.uring_connect)
		err = -ring_connect(&fail_ring, fd, to, len);
	else
		err = connect(fd, (const struct sockaddr *)to, len) ? errno : 0;
	s->done = now();
	fail_fds[i] = fd;
	if (opts.nonblock && err == EINPROGRESS) {
		side_local(s, fd);
		poll(&p, 1, -1);
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &err_len);
		s->done = now();
	}
	snprintf(s->error, sizeof(s->error), "%s",
		 opts.close ? "CLOSED" : opts.expect);
	if (opts.close) {
		side_local(s, fd);
		if (err != EINPROGRESS)
			fail_check(err);
		return;
	}
	fail_check(err);
	close(fd);
}

static void fail_client(int go)
{
	struct sockaddr_storage to;
	socklen_t len = make_addr(opts.addr, fail_port, &to);

	if (opts.uring_connect)
		ring_must_open(&fail_ring, 0);
	wait_for_go(go);
	name_thread("fail", 0);
	prctl(PR_GET_NAME, leader_comm);
	for (unsigned i = 0; i < opts.count; i++)
		fail_one(i, &to, len);
	/* All were under way at once. */
	for (unsigned i = 0; opts.close && i < opts.count; i++) {
		struct side *s = &shared->connect[i];

		s->closing = now();
		close(fail_fds[i]);
		s->done = now();
	}
}

/* @quiet: the time when all had ended. */
static void fail_print(int64_t quiet)
{
	for (unsigned i = 0; i < shared->connects; i++) {
		const struct side *s = &shared->connect[i];
		int64_t from = opts.close ? s->closing : s->start;

		print_row(s, "connect", s->error[0] ? "CLOSE" : "ESTABLISHED");
		print_range("time", real_us(from), real_us(s->done) + 1);
		print_latency(s->start, s->done);
		printf("}\n");
		if (!s->error[0])
			print_end(s, "connect", s->done, s->start, s->done,
				  quiet);
	}
}

static int fail_main(void)
{
	int go[2], fd = -1;
	pid_t client;

	if (opts.uring_connect)
		uring_probe(NULL);
	shared_init();
	fail_port = opts.port;
	if (!fail_port)
		fd = listen_on(opts.same_tuple ? SOMAXCONN : -1, &fail_port);
	if (pipe(go))
		die("cannot make a pipe: %s", strerror(errno));
	client = spawn(fail_client, go);
	ready(client, 0, fail_port);
	close(go[1]);
	reap(client, "client");
	if (fd >= 0)
		close(fd);
	fail_print(wait_quiet(fail_port));
	return 0;
}

#endif
