/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The bytes of an interval: a row for each process and connection, in hash
 * tables. To find an entry of these takes the processor several calls; those
 * of a busy connection are counted in an array besides, which takes none.
 */
#ifndef NB_TCPTOP_ROWS_BPF_H
#define NB_TCPTOP_ROWS_BPF_H

#include "count.bpf.h"
#include "filter.bpf.h"
#include "kernel.bpf.h"
#include "sock.bpf.h"
#include "task.bpf.h"
#include "tcptop.h"

/*
 * Entries are made as they are needed where programs may do that (6.1), else
 * all of them at the start.
 */
#ifdef NB_OFFSET_bpf_mem_alloc_cache
#define HAS_ATOMICS /* that say what was there before: 5.12 */
#define ROWS 65536
#define ROW_FLAGS BPF_F_NO_PREALLOC
#else
#define ROWS 8192
#define ROW_FLAGS 0
#endif

/* Of each epoch's two, a connection's hash decides. */
BPF_F_TABLE("hash", struct top_key, struct top_row, even0, ROWS, ROW_FLAGS);
BPF_F_TABLE("hash", struct top_key, struct top_row, even1, ROWS, ROW_FLAGS);
BPF_F_TABLE("hash", struct top_key, struct top_row, odd0, ROWS, ROW_FLAGS);
BPF_F_TABLE("hash", struct top_key, struct top_row, odd1, ROWS, ROW_FLAGS);
#ifdef HAS_ATOMICS
BPF_F_TABLE("array", int, struct top_hot, hot, 2 * TOP_HOT, BPF_F_MMAPABLE);
#endif
BPF_ARRAY(unshown, u64, TOP_UNSHOWN);

/* The kernel's hashes of a client's ports are not random in their last bit. */
static inline int is_odd(const struct top_key *key)
{
	return key->hash * 0x9e3779b1U >> 31;
}

static inline struct top_row *find_row(u32 epoch, struct top_key *key)
{
	struct top_row *row;

	if (is_odd(key)) {
		if (epoch) {
			row = odd1.lookup(key);
			NB_APART(row, 3);
		} else {
			row = odd0.lookup(key);
			NB_APART(row, 2);
		}
	} else if (epoch) {
		row = even1.lookup(key);
		NB_APART(row, 1);
	} else {
		row = even0.lookup(key);
		NB_APART(row, 0);
	}
	return row;
}

static inline long insert_row(u32 epoch, struct top_key *key,
			      struct top_row *row)
{
	if (is_odd(key))
		return epoch ? odd1.insert(key, row) : odd0.insert(key, row);
	return epoch ? even1.insert(key, row) : even0.insert(key, row);
}

static inline void add_bytes(u64 *rx_bytes, u64 rx, u64 *tx_bytes, u64 tx)
{
	if (rx)
		__sync_fetch_and_add(rx_bytes, rx);
	if (tx)
		__sync_fetch_and_add(tx_bytes, tx);
}

#ifdef HAS_ATOMICS
/* Those of the first process and connection that come to a place are there. */
static inline struct top_hot *find_hot(u32 epoch, const struct top_key *key)
{
	int at = top_hot_index(epoch, key->hash, key->pid);

	return hot.lookup(&at);
}

static inline int is_hot(const struct top_hot *place, const struct top_key *key)
{
	return place->sk == key->sk && place->hash == key->hash &&
	       place->pid == key->pid;
}

/* @sk comes last: until then it is nobody's. */
static inline void take_hot(struct top_hot *place, const struct top_key *key)
{
	if (place->taken || __sync_lock_test_and_set(&place->taken, 1))
		return;
	place->hash = key->hash;
	place->pid = key->pid;
	__sync_lock_test_and_set(&place->sk, key->sk);
}
#endif

/* There was no room for a row: then its bytes are told all the same. */
static inline void add_unshown(u64 rx, u64 tx)
{
	int which = rx ? TOP_UNSHOWN_RX : TOP_UNSHOWN_TX;
	u64 *bytes = unshown.lookup(&which);

	nb_count(NB_COUNT_FULL);
	if (bytes)
		__sync_fetch_and_add(bytes, rx + tx);
}

/* The first bytes of an interval on this connection, if it is wanted. */
static inline void add_row(const struct top_config *c, u32 epoch,
			   struct sock *sk, struct top_key *key, u64 rx, u64 tx)
{
	struct top_row row = {}, *other;
	struct nb_tuple t = {};

	nb_sk_tuple(sk, &t);
	if (!nb_ip_wanted(&c->filter, t.ip) || !nb_netns_wanted(&c->filter, sk))
		return;
	row.rx_bytes = rx;
	row.tx_bytes = tx;
	__builtin_memcpy(row.saddr, t.saddr, sizeof(row.saddr));
	__builtin_memcpy(row.daddr, t.daddr, sizeof(row.daddr));
	row.sport = t.sport;
	row.dport = t.dport;
	row.ip = t.ip;
	row.netns = nb_sk_netns(sk);
	if (key->pid) {
		row.uid = (u32)bpf_get_current_uid_gid();
		nb_task_process_comm(row.comm);
	}
	if (!insert_row(epoch, key, &row))
		return;
	/* Another thread was faster, or there is no room. */
	other = find_row(epoch, key);
	if (other)
		add_bytes(&other->rx_bytes, rx, &other->tx_bytes, tx);
	else
		add_unshown(rx, tx);
}

/* Count it as @key's. */
static inline void count_bytes(const struct top_config *c, struct sock *sk,
			       struct top_key *key, u64 rx, u64 tx)
{
	u32 epoch = *(const volatile u32 *)&c->epoch; /* once */
	struct top_row *row;
#ifdef HAS_ATOMICS
	struct top_hot *place = find_hot(epoch, key);

	if (place && is_hot(place, key)) {
		add_bytes(&place->rx_bytes, rx, &place->tx_bytes, tx);
		return;
	}
#endif
	row = find_row(epoch, key);
	if (!row) {
		add_row(c, epoch, sk, key, rx, tx);
		return;
	}
	add_bytes(&row->rx_bytes, rx, &row->tx_bytes, tx);
#ifdef HAS_ATOMICS
	if (place)
		take_hot(place, key);
#endif
}

#endif
