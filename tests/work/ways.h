/* SPDX-License-Identifier: Apache-2.0 */
/* The ways in which bytes get into a socket, and out of it: tables. */
#ifndef WAYS_H
#define WAYS_H

#include "uring.h"
#include "work.h"

#include <linux/errqueue.h>
#include <linux/tls.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

#define CHUNK (64 * 1024) /* bytes of one call at most */
#define PAGE 4096

#ifndef SOL_TLS
#define SOL_TLS 282
#endif

/* What one thread works with. */
struct lane {
	int fd;
	char *buf; /* CHUNK bytes */
	int pipe[2];
	int file; /* CHUNK bytes */
	struct ring ring;
	void *window; /* where zero-copy receives put CHUNK bytes */
	unsigned turn;
	unsigned zerocopies; /* sent, and not yet reaped */
	size_t mapped;	     /* received by zero copy indeed */
};

/* Each moves at most @n bytes (CHUNK at most), and returns how many; receives
 * return 0 at the end, too. */
struct way {
	const char *name;
	ssize_t (*fn)(struct lane *l, size_t n);
};

static ssize_t send_write(struct lane *l, size_t n)
{
	return write(l->fd, l->buf, n);
}

static ssize_t send_message(struct lane *l, size_t n)
{
	struct iovec iov[2] = { { l->buf, n / 2 }, { l->buf, n - n / 2 } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };

	return sendmsg(l->fd, &msg, 0);
}

static ssize_t send_messages(struct lane *l, size_t n)
{
	struct iovec iov[2] = { { l->buf, n / 2 }, { l->buf, n - n / 2 } };
	struct mmsghdr msgs[2] = {
		{ .msg_hdr = { .msg_iov = &iov[0], .msg_iovlen = 1 } },
		{ .msg_hdr = { .msg_iov = &iov[1], .msg_iovlen = 1 } },
	};
	int sent = sendmmsg(l->fd, msgs, 2, 0);

	return sent < 0 ? -1
			: (ssize_t)msgs[0].msg_len +
				  (sent > 1 ? (ssize_t)msgs[1].msg_len : 0);
}

static ssize_t send_file(struct lane *l, size_t n)
{
	off_t at = 0;

	return sendfile(l->fd, l->file, &at, n);
}

static ssize_t send_splice(struct lane *l, size_t n)
{
	ssize_t left = write(l->pipe[1], l->buf, n), all = left;

	while (left > 0) {
		ssize_t k = splice(l->pipe[0], NULL, l->fd, NULL, (size_t)left,
				   SPLICE_F_MORE);

		if (k <= 0)
			return -1;
		left -= k;
	}
	return all;
}

/* Completions: no bytes, though a receive call returns them. */
static void reap_zerocopies(struct lane *l)
{
	char control[256];
	struct msghdr msg = { .msg_control = control };

	while (l->zerocopies) {
		struct cmsghdr *c;
		struct sock_extended_err *e;

		msg.msg_controllen = sizeof(control);
		if (recvmsg(l->fd, &msg, MSG_ERRQUEUE) < 0) {
			if (errno != EAGAIN)
				die("no zero-copy completion: %s",
				    strerror(errno));
			sleep_ms(1);
			continue;
		}
		c = CMSG_FIRSTHDR(&msg);
		e = c ? (struct sock_extended_err *)CMSG_DATA(c) : NULL;
		if (e && e->ee_origin == SO_EE_ORIGIN_ZEROCOPY)
			l->zerocopies -= e->ee_data - e->ee_info + 1;
	}
}

static ssize_t send_zerocopy(struct lane *l, size_t n)
{
	int one = 1;
	ssize_t k;

	if (setsockopt(l->fd, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)))
		return -1;
	k = send(l->fd, l->buf, n, MSG_ZEROCOPY);
	if (k > 0)
		l->zerocopies++;
	return k;
}

static ssize_t on_ring(struct lane *l, int op, void *buf, size_t n)
{
	struct io_uring_sqe sqe = {
		.opcode = (uint8_t)op,
		.fd = l->fd,
		.addr = (uintptr_t)buf,
		.len = (uint32_t)n,
	};
	struct io_uring_cqe cqe;

	if (!l->ring.sqes)
		ring_must_open(&l->ring, 0);
	ring_queue(&l->ring, &sqe);
	ring_next(&l->ring, &cqe);
	errno = cqe.res < 0 ? -cqe.res : 0;
	return cqe.res < 0 ? -1 : cqe.res;
}

static ssize_t send_uring(struct lane *l, size_t n)
{
	return on_ring(l, IORING_OP_SEND, l->buf, n);
}

static const struct way send_ways[] = {
	{ "write", send_write },       { "sendmsg", send_message },
	{ "sendmmsg", send_messages }, { "sendfile", send_file },
	{ "splice", send_splice },     { "zerocopy", send_zerocopy },
	{ "uring", send_uring },
};

static ssize_t recv_read(struct lane *l, size_t n)
{
	return read(l->fd, l->buf, n);
}

static ssize_t recv_message(struct lane *l, size_t n)
{
	struct iovec iov[2] = { { l->buf, n / 2 }, { l->buf, n - n / 2 } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };

	return recvmsg(l->fd, &msg, 0);
}

static ssize_t recv_messages(struct lane *l, size_t n)
{
	struct iovec iov[2] = { { l->buf, n / 2 }, { l->buf, n - n / 2 } };
	struct mmsghdr msgs[2] = {
		{ .msg_hdr = { .msg_iov = &iov[0], .msg_iovlen = 1 } },
		{ .msg_hdr = { .msg_iov = &iov[1], .msg_iovlen = 1 } },
	};
	int got = recvmmsg(l->fd, msgs, 2, MSG_WAITFORONE, NULL);
	ssize_t all = 0;

	for (int i = 0; i < got; i++)
		all += msgs[i].msg_len;
	return got < 0 ? -1 : all;
}

/* Twice, the first time to look. */
static ssize_t recv_peek(struct lane *l, size_t n)
{
	ssize_t k = recv(l->fd, l->buf, n, MSG_PEEK);

	return k > 0 ? recv(l->fd, l->buf, (size_t)k, 0) : k;
}

static ssize_t recv_waitall(struct lane *l, size_t n)
{
	return recv(l->fd, l->buf, n, MSG_WAITALL);
}

/* Thrown away by the kernel. */
static ssize_t recv_truncated(struct lane *l, size_t n)
{
	return recv(l->fd, NULL, n, MSG_TRUNC);
}

static ssize_t recv_splice(struct lane *l, size_t n)
{
	ssize_t all = splice(l->fd, NULL, l->pipe[1], NULL, n, 0), left = all;

	while (left > 0) {
		ssize_t k = read(l->pipe[0], l->buf, (size_t)left);

		if (k <= 0)
			return -1;
		left -= k;
	}
	return all;
}

/* Whole pages are mapped; what is in none is read. */
static ssize_t recv_zerocopy(struct lane *l, size_t n)
{
	struct tcp_zerocopy_receive zc = { .length = CHUNK };
	socklen_t len = sizeof(zc);
	size_t mapped;

	(void)n;
	if (!l->window) {
		l->window = mmap(NULL, CHUNK, PROT_READ, MAP_SHARED, l->fd, 0);
		if (l->window == MAP_FAILED)
			return -1;
	}
	zc.address = (uintptr_t)l->window;
	if (getsockopt(l->fd, IPPROTO_TCP, TCP_ZEROCOPY_RECEIVE, &zc, &len)) {
		/* At the end it fails. */
		return errno == EIO ? read(l->fd, l->buf, PAGE) : -1;
	}
	mapped = zc.length;
	l->mapped += mapped;
	if (mapped)
		return (ssize_t)mapped;
	n = zc.recv_skip_hint ? zc.recv_skip_hint : PAGE;
	return read(l->fd, l->buf, n > CHUNK ? CHUNK : n);
}

static ssize_t recv_uring(struct lane *l, size_t n)
{
	return on_ring(l, IORING_OP_RECV, l->buf, n);
}

static ssize_t recv_mixed(struct lane *l, size_t n);

static const struct way recv_ways[] = {
	{ "read", recv_read },	       { "recvmsg", recv_message },
	{ "recvmmsg", recv_messages }, { "peek", recv_peek },
	{ "waitall", recv_waitall },   { "truncated", recv_truncated },
	{ "splice", recv_splice },     { "zerocopy", recv_zerocopy },
	{ "uring", recv_uring },       { "mixed", recv_mixed },
};

/* One after the other. */
static ssize_t recv_mixed(struct lane *l, size_t n)
{
	static const unsigned turns[] = { 6, 0, 3, 6, 6, 8, 5, 1 };

	l->turn = (l->turn + 1) % (sizeof(turns) / sizeof(*turns));
	return recv_ways[turns[l->turn]].fn(l, n > 7777 ? 7777 : n);
}

static const struct way *find_way(const struct way *ways, size_t n,
				  const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!name || !strcmp(ways[i].name, name))
			return &ways[i];
	die("'%s' is no way to do that", name);
}

/* From now on what the socket carries is encrypted by the kernel. */
static void use_tls(int fd)
{
	struct tls12_crypto_info_aes_gcm_128 info = {
		.info = { .version = TLS_1_2_VERSION,
			  .cipher_type = TLS_CIPHER_AES_GCM_128 },
		.key = "a key for tests",
	};

	if (setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tls", sizeof("tls"))) {
		fprintf(stderr, "connload: no TLS in this kernel: %s\n",
			strerror(errno));
		exit(EXIT_SKIP);
	}
	if (setsockopt(fd, SOL_TLS, TLS_TX, &info, sizeof(info)) ||
	    setsockopt(fd, SOL_TLS, TLS_RX, &info, sizeof(info)))
		die("cannot use TLS: %s", strerror(errno));
}

static void open_lane(struct lane *l, int fd)
{
	memset(l, 0, sizeof(*l));
	l->fd = fd;
	l->buf = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	l->file = memfd_create("bytes", MFD_CLOEXEC);
	if (l->buf == MAP_FAILED || l->file < 0 || ftruncate(l->file, CHUNK) ||
	    pipe2(l->pipe, O_CLOEXEC) ||
	    fcntl(l->pipe[0], F_SETPIPE_SZ, 2 * CHUNK) < 0)
		die("cannot get what it takes: %s", strerror(errno));
}

#endif
