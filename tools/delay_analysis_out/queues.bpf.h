/* SPDX-License-Identifier: GPL-2.0 */
/* Packets in the queues of devices. */
#ifndef NB_BPF_QUEUES_H
#define NB_BPF_QUEUES_H

#define BUCKETS 4096
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
	u8 again; /* TCP has sent it before */
	u8 gap;	  /* no packet, but a segment that was dropped too early */
	u8 pad[6];
};

struct bucket {
	struct packet packet[WAYS];
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

static inline struct bucket *bucket_of(const struct nb_delay_config *c, u64 key)
{
	u32 at = ((u32)(key >> 6) * 0x9e3779b1U) >> 8 & (c->slots / WAYS - 1);

	return buckets.lookup(&at);
}

static inline struct packet *packet_of(const struct nb_delay_config *c, u64 key)
{
	struct bucket *b = bucket_of(c, key);
	u32 i;

	if (!b)
		return 0;
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

/* A place for @key: its own, an empty one, or that of the oldest. */
static inline struct packet *place_for(const struct nb_delay_config *c, u64 key,
				       u64 now)
{
	struct packet *p = packet_of(c, key);
	struct bucket *b = bucket_of(c, key);
	u64 oldest;
	u32 i = 0;

	if (p || !b)
		return p;
	oldest = b->packet[0].key ? b->packet[0].queued : 0;
#pragma unroll
	for (int k = 1; k < WAYS; k++) {
		u64 since = b->packet[k].key ? b->packet[k].queued : 0;

		if (since < oldest) {
			oldest = since;
			i = k;
		}
	}
	/* Those that have stood there for so long have left unseen. */
	if (oldest && now - oldest < FORGET_NS)
		count_ends(OUT_NO_ROOM, 1);
	return &b->packet[i & (WAYS - 1)];
}

#endif
