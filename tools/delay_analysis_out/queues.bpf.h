/* SPDX-License-Identifier: GPL-2.0 */
/* Packets in the queues of devices. */
#ifndef NB_BPF_QUEUES_H
#define NB_BPF_QUEUES_H

#define BUCKETS 8192
#define WAYS 4
#define SEGMENTS 48 /* that are dropped one after the other */
#define FORGET_NS (60 * 1000000000ULL)

/* A packet in a queue. */
struct packet {
	u64 key; /* 0: none */
	u64 sk;
	u64 called;
	u64 begun;
	u64 ip;
	u64 queued;
	u32 seq; /* what is to come out next */
	u32 end;
	u32 stamp; /* of sk_buff.tstamp, which TCP has set */
	u32 netns;
	u8 again;    /* TCP has sent it before */
	u8 gap;	     /* no packet, but a segment that was dropped too early */
	u16 packets; /* on the wire; 0: it may be split */
	u8 pad[4];
};

struct bucket {
	struct packet packet[WAYS];
	u64 spilled; /* there was no room for one, which may be in its other */
};

BPF_ARRAY(buckets, struct bucket, BUCKETS);

/* Most packets are known by the address of their sk_buff, which is even. */
static inline u64 key_of(struct sk_buff *skb)
{
	return address_of(skb);
}

/*
 * A packet that may be split, for which each segment has a new sk_buff, is
 * known by what is to come out next of it.
 */
static inline u64 key_of_next(u64 sk, u32 seq)
{
	return ((sk ^ (u64)seq << 32 ^ seq) * 0x9e3779b97f4a7c15ULL) | 1;
}

/* One of the two that @key may be in. */
static inline struct bucket *bucket_of(const struct nb_delay_config *c, u64 key,
				       int other)
{
	u64 hash = key * 0x9e3779b97f4a7c15ULL;
	u32 at = (u32)(hash >> (other ? 16 : 40)) & (c->slots * 2 / WAYS - 1);

	return buckets.lookup(&at);
}

static inline struct packet *packet_in(struct bucket *b, u64 key)
{
	u32 i;

	if (b->packet[0].key == key)
		i = 0;
	else if (b->packet[1].key == key)
		i = 1;
	else if (b->packet[2].key == key)
		i = 2;
	else if (b->packet[3].key == key)
		i = 3;
	else
		return 0;
	return &b->packet[i];
}

static inline struct packet *packet_of(const struct nb_delay_config *c, u64 key)
{
	struct bucket *b = bucket_of(c, key, 0);
	struct packet *p;

	if (!b)
		return 0;
	p = packet_in(b, key);
	if (p || !b->spilled)
		return p;
	b = bucket_of(c, key, 1);
	return b ? packet_in(b, key) : 0;
}

/* The older, the less it is worth; a place that is empty is worth nothing. */
static inline u64 worth_of(const struct packet *p)
{
	if (!p->key)
		return 0;
	return p->gap ? 1 : p->queued;
}

/* The place in a bucket that is worth least. */
static inline struct packet *least_in(struct bucket *b)
{
	u64 least = worth_of(&b->packet[0]);
	u32 i = 0;

#pragma unroll
	for (int k = 1; k < WAYS; k++) {
		u64 worth = worth_of(&b->packet[k]);

		if (worth < least) {
			least = worth;
			i = k;
		}
	}
	return &b->packet[i & (WAYS - 1)];
}

/* Let one of @b, which is full, go to the other bucket that it may be in. */
static inline struct packet *make_room(const struct nb_delay_config *c,
				       struct bucket *b)
{
	for (int i = 0; i < WAYS; i++) {
		struct packet *p = &b->packet[i & (WAYS - 1)], *to;
		struct bucket *other = bucket_of(c, p->key, 0);

		if (other == b)
			other = bucket_of(c, p->key, 1);
		if (!other)
			return 0;
		to = least_in(other);
		if (to->key)
			continue;
		*to = *p;
		/* Where it is looked for first. */
		other = bucket_of(c, p->key, 0);
		if (other)
			other->spilled = 1;
		return p;
	}
	return 0;
}

/* A place for @key: its own, an empty one, or that of one of the oldest. */
static inline struct packet *place_for(const struct nb_delay_config *c, u64 key,
				       u64 now)
{
	struct packet *p = packet_of(c, key), *room;
	struct bucket *b = bucket_of(c, key, 0);

	if (p || !b)
		return p;
	p = least_in(b);
	if (!p->key)
		return p;
	b->spilled = 1;
	b = bucket_of(c, key, 1);
	if (!b)
		return 0;
	p = least_in(b);
	if (!p->key)
		return p;
	room = make_room(c, b);
	if (room)
		return room;
	/* Those that have stood there for so long have left unseen. */
	if (!p->gap && now - p->queued < FORGET_NS)
		count_ends(OUT_NO_ROOM, 1);
	return p;
}

#endif
