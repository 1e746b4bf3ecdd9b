/* SPDX-License-Identifier: GPL-2.0 */
/* Data that waits, in its socket, for the application. */
#ifndef NB_BPF_WAITING_H
#define NB_BPF_WAITING_H

#define WAITING 128 /* of a socket: a power of two */
#define PLACES 3    /* where a piece may be, */
#define PLACES_APART 5003
#define FORGET_NS (60 * 1000000000ULL)

/*
 * Entries are made as they are needed where programs may do that (6.1), else
 * all of them at the start.
 */
#ifdef NB_OFFSET_bpf_mem_alloc_cache
#define SOCKETS 262144
#define SOCKET_FLAGS BPF_F_NO_PREALLOC
#else
#define SOCKETS 16384
#define SOCKET_FLAGS 0
#endif

/* A piece of a socket's data, until it is read. */
struct piece {
	struct in_times times;
	u64 sk;
	u32 number; /* of those of @sk */
	u32 seq;
	u32 end; /* of its data */
	u32 ack;
	u16 packets;
	u8 done;
	u8 pad[5];
};

/* Which of them are a socket's, first in, first out; both go on for ever. */
struct waiting {
	u32 head;
	u32 tail;
	u32 hash; /* whose these are, should the socket's end go unseen */
	u32 left; /* that are not done */
};

BPF_ARRAY(pieces, struct piece, SLOTS);
BPF_F_TABLE("hash", u64, struct waiting, sockets, SOCKETS, SOCKET_FLAGS);

static inline u32 hash_of(struct sock *sk)
{
	return FIELD(sk, __sk_common.skc_hash);
}

/* What waits at @sk; @make: or nothing yet. */
static inline struct waiting *waiting_at(struct sock *sk, int make)
{
	struct waiting none = {}, *w;
	u64 key = (u64)sk;
	u32 hash = hash_of(sk);

	w = sockets.lookup(&key);
	if (!w && make) {
		none.hash = hash;
		if (sockets.insert(&key, &none))
			nb_count(NB_COUNT_FULL);
		w = sockets.lookup(&key);
	}
	if (!w || w->hash == hash)
		return w;
	/* Another connection had the address. */
	count_ends(IN_CLOSED, w->left);
	w->head = 0;
	w->tail = 0;
	w->left = 0;
	w->hash = hash;
	return w;
}

/* Number @n of @sk's pieces, in one of the places where it may be. */
static inline struct piece *piece_at(const struct nb_delay_config *c, u64 sk,
				     u32 n)
{
	u32 at = ((u32)(sk >> 6) * 0x9e3779b1U >> 8) + (n & (WAITING - 1));

#pragma unroll
	for (int i = 0; i < PLACES; i++, at += PLACES_APART) {
		u32 slot = at & (c->slots - 1);
		struct piece *p = pieces.lookup(&slot);

		if (p && p->sk == sk && p->number == n)
			return p;
	}
	return 0;
}

/* A place for it. 0: others' pieces are in all of them. */
static inline struct piece *place_for(const struct nb_delay_config *c, u64 sk,
				      u32 n, u64 now)
{
	u32 at = ((u32)(sk >> 6) * 0x9e3779b1U >> 8) + (n & (WAITING - 1));

#pragma unroll
	for (int i = 0; i < PLACES; i++, at += PLACES_APART) {
		u32 slot = at & (c->slots - 1);
		struct piece *p = pieces.lookup(&slot);

		if (p &&
		    (!p->sk || p->done || now - p->times.socket > FORGET_NS))
			return p;
	}
	return 0;
}

#endif
