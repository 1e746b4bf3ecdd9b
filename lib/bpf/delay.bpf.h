/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which packets are followed. The text has a map "ends", per processor, of
 * counts of what has become of them.
 */
#ifndef NB_BPF_DELAY_H
#define NB_BPF_DELAY_H

#include "delay.h"
#include "filter.bpf.h"
#include "sock.bpf.h"
#include "tp.bpf.h"

BPF_ARRAY(config, struct nb_delay_config, 1);
BPF_HASH(lports, u16, u8, 1024);
BPF_HASH(rports, u16, u8, 1024);

static inline struct nb_delay_config *get_config(void)
{
	int zero = 0;

	return config.lookup(&zero);
}

static inline int is_live(const struct nb_delay_config *c)
{
	return c->flags & NB_DELAY_LIVE;
}

static inline void count_ends(int which, u64 n)
{
	u64 *all = ends.lookup(&which);

	if (all)
		*all += n;
}

/* As a number: where the verifier knows types, there is no arithmetic with it.
 */
static inline u64 address_of(void *ptr)
{
#if defined(NB_TYPED) || defined(NB_FENTRY)
	return nb_forget((u64)ptr);
#else
	return (u64)ptr;
#endif
}

/* As nb_sk_netns(). */
static inline u32 netns_of(struct sock *sk)
{
	struct net *net = FIELD(sk, __sk_common.skc_net.net);

	return FIELD(net, ns.inum);
}

/* As nb_sk_tuple(), most of which is a load each where types are known. */
static inline void sock_tuple(struct sock *sk, struct nb_tuple *t)
{
	struct inet_sock *inet = (struct inet_sock *)sk;
	u32 addr;

	if (FIELD(sk, __sk_common.skc_family) != NB_AF_INET) {
		nb_sk_tuple(sk, t);
		return;
	}
	t->ip = 4;
	t->sport = bpf_ntohs(NB_GET(inet, inet_sport));
	t->dport = bpf_ntohs(FIELD(sk, __sk_common.skc_dport));
	addr = FIELD(sk, __sk_common.skc_rcv_saddr);
	__builtin_memcpy(t->saddr, &addr, sizeof(addr));
	addr = FIELD(sk, __sk_common.skc_daddr);
	__builtin_memcpy(t->daddr, &addr, sizeof(addr));
}

/* The same for a packet wherever it is seen, and whoever looks. */
static inline int is_sampled(const struct nb_delay_config *c, u32 seq)
{
	return !c->below || seq * 0x9e3779b1U < c->below;
}

static inline int addr_wanted(const struct nb_delay_config *c, const u8 *bytes)
{
	u32 addr[4];

	__builtin_memcpy(addr, bytes, sizeof(addr));
	return !(((addr[0] ^ c->addr[0]) & c->mask[0]) |
		 ((addr[1] ^ c->addr[1]) & c->mask[1]) |
		 ((addr[2] ^ c->addr[2]) & c->mask[2]) |
		 ((addr[3] ^ c->addr[3]) & c->mask[3]));
}

/* Is it the connection that is left out? */
static inline int is_own(const struct nb_delay_config *c,
			 const struct nb_tuple *t)
{
	u32 addr[4];

	if (!(c->flags & NB_DELAY_NOT_OWN))
		return 0;
	if (t->sport != c->own[0] || t->dport != c->own[1])
		return 0;
	__builtin_memcpy(addr, t->daddr, sizeof(addr));
	return addr[0] == c->own_addr[0] && addr[1] == c->own_addr[1] &&
	       addr[2] == c->own_addr[2] && addr[3] == c->own_addr[3];
}

/* Is there no option that a socket could fail? */
static inline int every_sock_wanted(const struct nb_delay_config *c)
{
	return !(c->flags & (NB_DELAY_ONLY_LPORT | NB_DELAY_ONLY_RPORT |
			     NB_DELAY_ONLY_ADDR | NB_DELAY_NOT_OWN)) &&
	       !(c->filter.flags & ~NB_ONLY_PID);
}

/* Are packets between these wanted, whose process ever it is? */
static inline int tuple_matches(const struct nb_delay_config *c,
				const struct nb_tuple *t)
{
	u32 flags = c->flags;
	u16 lport = t->sport, rport = t->dport;

	if (!nb_ip_wanted(&c->filter, t->ip))
		return 0;
	if (flags & NB_DELAY_ONLY_LPORT && !lports.lookup(&lport))
		return 0;
	if (flags & NB_DELAY_ONLY_RPORT && !rports.lookup(&rport))
		return 0;
	return !(flags & NB_DELAY_ONLY_ADDR) ||
	       (t->ip == c->addr_ip &&
		(addr_wanted(c, t->saddr) || addr_wanted(c, t->daddr)));
}

#endif
