/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the server of connload pairs accepts with --uring, and receives and sends
 * where there is no descriptor to do it with.
 */
#ifndef URING_SERVER_H
#define URING_SERVER_H

#include "uring.h"

/* So many accepts of a multishot one; then another thread's has a go. */
#define TURN 4

enum { URING_ACCEPT = 1, URING_OTHER };

/* One thread's way to accept. Times are as in struct side. */
struct acceptor {
	const struct uring_mode *mode; /* or NULL: accept() */
	struct ring ring;
	int listener;
	struct sockaddr_in6 local; /* of the listener */
	struct sockaddr_storage from;
	socklen_t from_len;
	bool armed;
	int64_t start;
	unsigned calls;
	/* Accepts that completed while something else was awaited. */
	unsigned stored, used;
	struct {
		int fd;
		int64_t done;
	} * store;
	unsigned received; /* receives */
};

static inline void uring_open(struct acceptor *a, const char *mode,
			      int listener)
{
	struct side s = { 0 };

	*a = (struct acceptor){ .listener = listener };
	side_local(&s, listener);
	a->local = s.local;
	if (!mode)
		return;
	a->mode = uring_mode_find(mode);
	/* With one client it has one connection at a time. */
	if (a->mode->multishot && a->mode->direct && opts.threads > 1)
		die("--uring '%s' wants --threads 1", mode);
	/* It may as well be this thread that does it: on 6.1, when it had to
	 * wait for the connection. */
	if (a->mode->sqe_flags & IOSQE_ASYNC)
		prctl(PR_SET_NAME, leader_comm);
	ring_must_open(&a->ring, a->mode->setup);
	if (a->mode->direct)
		uring_slots(&a->ring, a->mode->alloc);
	a->store = calloc(opts.count + 1, sizeof(*a->store));
	if (!a->store)
		die("cannot get memory: %s", strerror(errno));
}

/* Queue the accept. */
static inline void uring_arm(struct acceptor *a)
{
	struct io_uring_sqe sqe;

	uring_accept_sqe(a->mode, a->listener, &sqe);
	sqe.user_data = URING_ACCEPT;
	if (a->mode->direct && !a->mode->alloc)
		sqe.file_index = a->calls % SLOTS + 1;
	/* A multishot one may write them while they are read. */
	if (!a->mode->multishot || a->mode->direct) {
		a->from_len = sizeof(a->from);
		sqe.addr = (uintptr_t)&a->from;
		sqe.addr2 = (uintptr_t)&a->from_len;
	}
	a->start = now();
	ring_queue(&a->ring, &sqe);
	a->armed = true;
}

/* Wait for the CQE of @kind; keep the accepts that come before it. */
static inline int uring_wait(struct acceptor *a, uint64_t kind)
{
	struct io_uring_cqe cqe;

	for (;;) {
		ring_next(&a->ring, &cqe);
		if (cqe.user_data == URING_ACCEPT)
			a->armed = cqe.flags & IORING_CQE_F_MORE;
		if (cqe.user_data == kind)
			return cqe.res;
		if (cqe.res < 0)
			continue;
		if (a->stored == opts.count)
			die("accepted too many");
		a->store[a->stored].fd = cqe.res;
		a->store[a->stored++].done = now();
	}
}

/* End a multishot accept: who waits longest is who gets all connections. */
static inline void uring_disarm(struct acceptor *a)
{
	struct io_uring_sqe sqe = {
		.opcode = IORING_OP_ASYNC_CANCEL,
		.fd = -1,
		.addr = URING_ACCEPT,
		.user_data = URING_OTHER,
	};
	int err;

	ring_queue(&a->ring, &sqe);
	err = uring_wait(a, URING_OTHER);
	if (err && err != -ENOENT && err != -EALREADY)
		die("cannot cancel: %s", strerror(-err));
}

/*
 * The descriptor (or slot) of the next connection; -1 when the listener has
 * been shut down. The accept is under way before the connection comes, but for
 * one of four, when it finds one in the queue unless another thread is quicker.
 */
static inline int uring_take(struct acceptor *a, struct side *s)
{
	struct pollfd p = { a->listener, POLLIN, 0 };
	int fd;

	if (a->armed && a->calls && a->calls % TURN == 0)
		uring_disarm(a);
	if (a->used < a->stored) {
		s->start = a->start;
		s->done = a->store[a->used].done;
		a->calls++;
		return a->store[a->used++].fd;
	}
	if (!a->armed) {
		if (a->calls % 4 == 3 || opts.accept_delay_ms)
			poll(&p, 1, -1);
		if (opts.accept_delay_ms)
			sleep_ms(opts.accept_delay_ms);
	}
	do {
		if (!a->armed)
			uring_arm(a);
		fd = uring_wait(a, URING_ACCEPT);
	} while (fd == -ECANCELED);
	s->start = a->start;
	s->done = now();
	if (fd < 0 && fd != -EINVAL)
		die("cannot accept: %s", strerror(-fd));
	if (fd < 0)
		return -1;
	if (a->mode->direct && !a->mode->alloc) {
		if (fd)
			die("a slot is %d", fd);
		fd = (int)(a->calls % SLOTS);
	}
	a->calls++;
	return fd;
}

/* As uring_take(), by accept4(). */
static inline int plain_take(struct acceptor *a, struct side *s)
{
	struct pollfd p = { a->listener, POLLIN, 0 };
	int fd;

	do {
		if (opts.nonblock || opts.accept_delay_ms)
			poll(&p, 1, -1);
		if (opts.accept_delay_ms)
			sleep_ms(opts.accept_delay_ms);
		s->start = now();
		a->from_len = sizeof(a->from);
		fd = accept4(a->listener, (struct sockaddr *)&a->from,
			     &a->from_len, SOCK_CLOEXEC);
		s->done = now();
	} while (fd < 0 && errno == EAGAIN);
	if (fd < 0 && errno != EINVAL)
		die("cannot accept: %s", strerror(errno));
	return fd;
}

/* Take a connection and fill @s, but for its bytes and its end; as above. */
static inline int acceptor_take(struct acceptor *a, struct side *s)
{
	int fd = a->mode ? uring_take(a, s) : plain_take(a, s);
	bool direct = a->mode && a->mode->direct;

	if (fd < 0)
		return fd;
	if (a->mode && a->mode->multishot && !direct) {
		a->from_len = sizeof(a->from);
		if (getpeername(fd, (struct sockaddr *)&a->from, &a->from_len))
			die("whom was it accepted from? %s", strerror(errno));
	}
	to_record(&a->from, &s->remote);
	/* Of a slot nobody can ask it. */
	s->local = a->local;
	s->local_known = true;
	if (!direct)
		side_local(s, fd);
	return fd;
}

/* One request for @fd, which may be a slot; returns its result. */
static inline int uring_do(struct acceptor *a, int fd, struct io_uring_sqe *sqe)
{
	sqe->fd = fd;
	sqe->user_data = URING_OTHER;
	if (a->mode->direct)
		sqe->flags = IOSQE_FIXED_FILE;
	ring_queue(&a->ring, sqe);
	return uring_wait(a, URING_OTHER);
}

/* Send @left bytes of @data, which has @size. */
static inline void uring_send_all(struct acceptor *a, int fd, const char *data,
				  size_t size, size_t left)
{
	while (left) {
		struct io_uring_sqe sqe = {
			.opcode = IORING_OP_SEND,
			.addr = (uintptr_t)data,
			.len = (unsigned)(left < size ? left : size),
			.msg_flags = MSG_NOSIGNAL,
		};
		int n = uring_do(a, fd, &sqe);

		if (n < 0)
			die("cannot send: %s", strerror(-n));
		left -= (size_t)n;
	}
}

/*
 * With --uring-recv a receive's result, its length, is the number of one or the
 * other descriptor that is open, so that it looks like an accept's. (At the
 * connection's end it is 0: see pairs_uring_thread().)
 */
static inline size_t uring_length(struct acceptor *a, int fd, size_t left)
{
	size_t want[] = { (size_t)fd, (size_t)a->listener,
			  a->received % 40 + 1 };
	size_t n = want[a->received++ % 3];

	return n && n < left ? n : left;
}

/* Read @want bytes, fewer at the connection's end; returns how many. */
static inline size_t uring_read_all(struct acceptor *a, int fd, size_t want)
{
	char buf[1 << 16];
	size_t got = 0;

	while (got < want) {
		size_t left = want - got;
		struct io_uring_sqe sqe = {
			.opcode = IORING_OP_RECV,
			.addr = (uintptr_t)buf,
			.msg_flags = MSG_WAITALL,
		};
		int n;

		if (left > sizeof(buf))
			left = sizeof(buf);
		if (opts.uring_recv && !a->mode->direct)
			left = uring_length(a, fd, left);
		sqe.len = (unsigned)left;
		n = uring_do(a, fd, &sqe);
		if (n < 0 && n != -ECONNRESET)
			die("cannot receive: %s", strerror(-n));
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	return got;
}

/* 6.1 may let go of the socket much later; its end is now. */
static inline void uring_close_slot(struct acceptor *a, int slot)
{
	struct io_uring_sqe end = {
		.opcode = IORING_OP_SHUTDOWN,
		.len = SHUT_WR,
	};
	struct io_uring_sqe sqe = {
		.opcode = IORING_OP_CLOSE,
		.file_index = (unsigned)slot + 1,
		.user_data = URING_OTHER,
	};
	int err;

	err = uring_do(a, slot, &end);
	if (err && err != -ENOTCONN)
		die("cannot shut down: %s", strerror(-err));
	ring_queue(&a->ring, &sqe);
	err = uring_wait(a, URING_OTHER);
	if (err)
		die("cannot close: %s", strerror(-err));
}

#endif
