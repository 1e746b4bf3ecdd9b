/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A minimal io_uring, with system calls only: one request after the other,
 * and accepts that complete meanwhile. The ways to accept are a table.
 */
#ifndef URING_H
#define URING_H

#include "work.h"

#include <linux/io_uring.h>

#define RING_ENTRIES 8
#define SQ_IDLE_MS                                                        \
	1	  /* then the kernel's thread sleeps, and has to be woken \
		   */
#define SLOTS 128 /* for sockets that have no descriptor */

struct uring_mode {
	const char *name;
	unsigned setup;	   /* flags of the ring */
	uint8_t sqe_flags; /* of the accept */
	bool multishot;
	bool direct; /* into a slot, not a descriptor */
	bool alloc;  /* a slot that the kernel chooses */
	bool worker; /* a thread of the kernel's may do it */
};

static const struct uring_mode uring_modes[] = {
	{ .name = "accept" },
	{ .name = "async", .sqe_flags = IOSQE_ASYNC, .worker = true },
	{ .name = "multishot", .multishot = true },
	{ .name = "sqpoll", .setup = IORING_SETUP_SQPOLL, .worker = true },
	{ .name = "direct", .direct = true },
	{ .name = "alloc", .direct = true, .alloc = true },
	{ .name = "multidirect",
	  .multishot = true,
	  .direct = true,
	  .alloc = true },
	{ .name = "defer",
	  .setup = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN },
};

struct ring {
	int fd;
	bool sqpoll;
	unsigned queued; /* not yet submitted */
	unsigned sq_mask, *sq_tail, *sq_flags;
	unsigned cq_mask, *cq_head, *cq_tail;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
};

static inline const struct uring_mode *uring_mode_find(const char *name)
{
	for (size_t i = 0; i < sizeof(uring_modes) / sizeof(*uring_modes); i++)
		if (!strcmp(uring_modes[i].name, name))
			return &uring_modes[i];
	die("--uring '%s': no such mode", name);
}

static inline void *ring_map(int fd, size_t size, off_t off)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_POPULATE, fd, off);

	if (p == MAP_FAILED)
		die("cannot map a ring: %s", strerror(errno));
	return p;
}

/* A ring of the calling thread's. 0 or -errno. */
static inline int ring_open(struct ring *ret, unsigned setup)
{
	struct io_uring_params p = { .flags = setup };
	size_t sq_size, cq_size;
	unsigned *array;
	char *rings;
	int fd;

	if (setup & IORING_SETUP_SQPOLL)
		p.sq_thread_idle = SQ_IDLE_MS;
	fd = (int)syscall(SYS_io_uring_setup, RING_ENTRIES, &p);
	if (fd < 0)
		return -errno;
	/* Both since Linux 5.5: one mapping, and no CQE is ever dropped. */
	if (!(p.features & IORING_FEAT_SINGLE_MMAP) ||
	    !(p.features & IORING_FEAT_NODROP)) {
		close(fd);
		return -ENOSYS;
	}
	sq_size = p.sq_off.array + p.sq_entries * sizeof(unsigned);
	cq_size = p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe);
	rings = ring_map(fd, sq_size > cq_size ? sq_size : cq_size,
			 IORING_OFF_SQ_RING);
	array = (unsigned *)(rings + p.sq_off.array);
	for (unsigned i = 0; i < p.sq_entries; i++)
		array[i] = i;
	*ret = (struct ring){
		.fd = fd,
		.sqpoll = setup & IORING_SETUP_SQPOLL,
		.sq_mask = p.sq_entries - 1,
		.sq_tail = (unsigned *)(rings + p.sq_off.tail),
		.sq_flags = (unsigned *)(rings + p.sq_off.flags),
		.cq_mask = p.cq_entries - 1,
		.cq_head = (unsigned *)(rings + p.cq_off.head),
		.cq_tail = (unsigned *)(rings + p.cq_off.tail),
		.cqes = (struct io_uring_cqe *)(rings + p.cq_off.cqes),
		.sqes = ring_map(fd, p.sq_entries * sizeof(struct io_uring_sqe),
				 IORING_OFF_SQES),
	};
	return 0;
}

static inline void ring_must_open(struct ring *ret, unsigned setup)
{
	int err = ring_open(ret, setup);

	if (err)
		die("cannot make a ring: %s", strerror(-err));
}

/* Queue @sqe; it is submitted by the next ring_next(). */
static inline void ring_queue(struct ring *r, const struct io_uring_sqe *sqe)
{
	unsigned tail = *r->sq_tail;

	r->sqes[tail & r->sq_mask] = *sqe;
	__atomic_store_n(r->sq_tail, tail + 1, __ATOMIC_RELEASE);
	r->queued++;
}

/* Submit what is queued and, with @wait, wait for a CQE. */
static inline void ring_enter(struct ring *r, bool wait)
{
	unsigned flags = wait ? IORING_ENTER_GETEVENTS : 0;
	long n;

	/* It looks for new entries once more after it set the flag. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (r->sqpoll && __atomic_load_n(r->sq_flags, __ATOMIC_RELAXED) &
				 IORING_SQ_NEED_WAKEUP)
		flags |= IORING_ENTER_SQ_WAKEUP;
	n = syscall(SYS_io_uring_enter, r->fd, r->queued, wait, flags, NULL, 0);
	if (n < 0 && errno != EINTR)
		die("cannot enter a ring: %s", strerror(errno));
	if (n > 0)
		r->queued -= (unsigned)n;
}

/* Submit what is queued, and wait for the next CQE. */
static inline void ring_next(struct ring *r, struct io_uring_cqe *ret)
{
	for (;;) {
		unsigned head = *r->cq_head;
		bool none =
			head == __atomic_load_n(r->cq_tail, __ATOMIC_ACQUIRE);

		if (!none && !r->queued) {
			memcpy(ret, &r->cqes[head & r->cq_mask], sizeof(*ret));
			__atomic_store_n(r->cq_head, head + 1,
					 __ATOMIC_RELEASE);
			return;
		}
		ring_enter(r, none);
	}
}

/* Connect @fd, on a ring with nothing else under way. 0 or -errno. */
static inline int ring_connect(struct ring *r, int fd,
			       const struct sockaddr_storage *to, socklen_t len)
{
	struct io_uring_sqe sqe = {
		.opcode = IORING_OP_CONNECT,
		.fd = fd,
		.addr = (uintptr_t)to,
		.off = len,
		.flags = opts.uring_async ? IOSQE_ASYNC : 0,
	};
	struct io_uring_cqe cqe;

	ring_queue(r, &sqe);
	ring_next(r, &cqe);
	return cqe.res;
}

static inline void __attribute__((noreturn))
uring_skip(const char *what, int err)
{
	fprintf(stderr, "connload: no io_uring '%s' here: %s\n", what,
		strerror(-err));
	exit(EXIT_SKIP);
}

/* Slots; @taken: the first free one has the number of a descriptor. */
static inline void uring_slots(const struct ring *r, bool taken)
{
	int slots[SLOTS];

	for (int i = 0; i < SLOTS; i++)
		slots[i] = taken && i <= r->fd ? STDERR_FILENO : -1;
	if (syscall(SYS_io_uring_register, r->fd, IORING_REGISTER_FILES, slots,
		    SLOTS))
		uring_skip("files", -errno);
}

static inline void uring_accept_sqe(const struct uring_mode *mode, int fd,
				    struct io_uring_sqe *ret)
{
	*ret = (struct io_uring_sqe){
		.opcode = IORING_OP_ACCEPT,
		.fd = fd,
		.flags = mode->sqe_flags,
		.ioprio = mode->multishot ? IORING_ACCEPT_MULTISHOT : 0,
		.accept_flags = mode->direct ? 0 : SOCK_CLOEXEC,
	};
	if (mode->direct)
		ret->file_index = mode->alloc ? IORING_FILE_INDEX_ALLOC : 1;
}

/* End with EXIT_SKIP when the kernel has not what the options want of it. */
static inline void uring_probe(const struct uring_mode *mode)
{
	struct io_uring_sqe sqe;
	struct io_uring_cqe cqe;
	struct ring r;
	int err;

	err = ring_open(&r, mode ? mode->setup : 0);
	if (err)
		uring_skip(mode ? mode->name : "connect", err);
	if (mode && mode->direct)
		uring_slots(&r, mode->alloc);
	if (mode) {
		/* What it does not know, it refuses before it looks at the
		 * descriptor. */
		uring_accept_sqe(mode, -1, &sqe);
		ring_queue(&r, &sqe);
		ring_next(&r, &cqe);
		if (cqe.res != -EBADF)
			uring_skip(mode->name, cqe.res);
	}
	close(r.fd);
}

#endif
