/* SPDX-License-Identifier: GPL-2.0 */
/* How far sockets have been read. */
#ifndef NB_TCPTOP_SEEN_BPF_H
#define NB_TCPTOP_SEEN_BPF_H

#include "count.bpf.h"
#include "kernel.bpf.h"
#include "rows.bpf.h"

#define EEXIST 17

struct seen {
	u32 copied_seq;
	u32 hash; /* whose this is, should the end of an earlier connection
		   * at this address have gone unseen */
};

BPF_F_TABLE("hash", u64, struct seen, seen, 4 * ROWS, ROW_FLAGS);

#ifdef HAS_ATOMICS
/*
 * An array, which is quicker to look at than a hash table. The first socket
 * that comes to a place has it until its end.
 */
struct place {
	u64 sk;
	u64 taken;
	struct seen seen;
};

#define PLACE_BITS 13
BPF_ARRAY(places, struct place, 1 << PLACE_BITS);

static inline struct place *find_place(struct sock *sk)
{
	int at =
		nb_forget((u64)sk) * 0x9e3779b97f4a7c15ULL >> (64 - PLACE_BITS);

	return places.lookup(&at);
}

static inline struct seen *seen_at_place(struct sock *sk)
{
	struct place *p = find_place(sk);

	return p && p->sk == (u64)sk ? &p->seen : 0;
}

/* Is it there now? Whoever asks holds the socket's lock. */
static inline int see_at_place(struct sock *sk, u32 hash, u32 copied_seq)
{
	struct place *p = find_place(sk);

	if (!p)
		return 0;
	if (p->sk != (u64)sk) {
		if (p->taken || __sync_lock_test_and_set(&p->taken, 1))
			return 0;
		p->sk = (u64)sk;
	}
	p->seen.copied_seq = copied_seq;
	p->seen.hash = hash;
	return 1;
}

static inline void leave_place(struct sock *sk)
{
	struct place *p = find_place(sk);

	if (!p || p->sk != (u64)sk)
		return;
	p->sk = 0;
	__sync_lock_test_and_set(&p->taken, 0);
}
#else
static inline struct seen *seen_at_place(struct sock *sk)
{
	return 0;
}

static inline int see_at_place(struct sock *sk, u32 hash, u32 copied_seq)
{
	return 0;
}

static inline void leave_place(struct sock *sk)
{
}
#endif

/*
 * A key of its own: of a pointer that was on the stack for a helper, verifiers
 * of some kernels forget the type.
 */
static inline struct seen *find_seen(struct sock *sk)
{
	struct seen *s = seen_at_place(sk);
	u64 key = (u64)sk;

	return s ? s : seen.lookup(&key);
}

/* From here on it is known what of @sk has been read. 0 or -errno. */
static inline int see(struct sock *sk, u32 hash, u32 copied_seq)
{
	u64 key = (u64)sk;
	struct seen s = {};
	int err;

	if (see_at_place(sk, hash, copied_seq))
		return 0;
	s.copied_seq = copied_seq;
	s.hash = hash;
	err = seen.update(&key, &s);
	if (err)
		nb_count(NB_COUNT_FULL);
	return err;
}

/* The same without the socket's lock, so only if nobody has seen it yet. */
static inline void see_first(struct sock *sk, u32 hash, u32 copied_seq)
{
	u64 key = (u64)sk;
	struct seen s = {};
	int err;

	if (seen_at_place(sk))
		return;
	s.copied_seq = copied_seq;
	s.hash = hash;
	err = seen.insert(&key, &s);
	if (err && err != -EEXIST)
		nb_count(NB_COUNT_FULL);
}

/* @sk is no more. */
static inline void forget_seen(struct sock *sk)
{
	u64 key = (u64)sk;

	leave_place(sk);
	seen.delete(&key);
}

#endif
