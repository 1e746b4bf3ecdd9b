/* SPDX-License-Identifier: GPL-2.0 */
/* A socket's addresses, protocol and namespace. */
#ifndef NB_BPF_SOCK_H
#define NB_BPF_SOCK_H

#include "kernel.bpf.h"

#define NB_AF_INET 2
#define NB_AF_INET6 10
#define NB_IPPROTO_TCP 6
#define NB_IPPROTO_MPTCP 262

/* enum sock_flags, net/sock.h: the peer has sent its FIN. */
#define NB_SOCK_DONE 1

/* Local and remote end; an IPv4 address has the first four bytes. */
struct nb_tuple {
	u8 saddr[16];
	u8 daddr[16];
	u16 sport; /* host order */
	u16 dport;
	u8 ip; /* 4 or 6; 0: neither */
};

/* IPPROTO_*. A bit field of a byte before 5.6, a u16 since. */
static inline u32 nb_sk_protocol(struct sock *sk)
{
#if defined(NB_OFFSET_sock_sk_protocol) && NB_SIZE_sock_sk_protocol == 1
	u8 protocol = 0;

	bpf_probe_read_kernel(&protocol, 1,
			      (char *)sk + NB_OFFSET_sock_sk_protocol);
	return protocol;
#else
	return NB_GET(sk, sk_protocol);
#endif
}

/* Is the TCP socket one of those that make up an MPTCP connection (5.6)? */
static inline int nb_sk_is_mptcp(struct sock *sk)
{
#ifdef NB_OFFSET_tcp_sock_is_mptcp
	u8 is = 0;

	bpf_probe_read_kernel(&is, 1, (char *)sk + NB_OFFSET_tcp_sock_is_mptcp);
	return is;
#elif defined(NB_TYPES_HEADERS) && defined(CONFIG_MPTCP)
	return NB_GET((struct tcp_sock *)sk, is_mptcp);
#else
	return 0;
#endif
}

/* The inode number of the socket's network namespace, as in /proc/PID/ns. */
static inline u32 nb_sk_netns(struct sock *sk)
{
	struct net *net = NB_GET(sk, __sk_common.skc_net.net);

	return NB_GET(net, ns.inum);
}

/*
 * 4 or 6. An IPv6 socket that talks to an IPv4-mapped address is IPv4; the
 * kernel keeps its addresses in the IPv4 fields as well.
 */
static inline u8 nb_sk_ip(struct sock *sk)
{
	u16 family = NB_GET(sk, __sk_common.skc_family);
	struct in6_addr peer;

	if (family == NB_AF_INET)
		return 4;
	if (family != NB_AF_INET6)
		return 0;
	peer = NB_GET(sk, __sk_common.skc_v6_daddr);
	if (!peer.in6_u.u6_addr32[0] && !peer.in6_u.u6_addr32[1] &&
	    peer.in6_u.u6_addr32[2] == bpf_htonl(0xffff))
		return 4;
	return 6;
}

/*
 * Fill *@t from @sk. The local port is inet_sport: skc_num is already zero
 * when a socket that the kernel had bound reports its close.
 */
static inline void nb_sk_tuple(struct sock *sk, struct nb_tuple *t)
{
	struct inet_sock *inet = (struct inet_sock *)sk;

	t->ip = nb_sk_ip(sk);
	t->sport = bpf_ntohs(NB_GET(inet, inet_sport));
	t->dport = bpf_ntohs(NB_GET(sk, __sk_common.skc_dport));
	if (t->ip == 4) {
		bpf_probe_read_kernel(t->saddr, 4,
				      &sk->__sk_common.skc_rcv_saddr);
		bpf_probe_read_kernel(t->daddr, 4, &sk->__sk_common.skc_daddr);
	} else if (t->ip == 6) {
		bpf_probe_read_kernel(t->saddr, 16,
				      &sk->__sk_common.skc_v6_rcv_saddr);
		bpf_probe_read_kernel(t->daddr, 16,
				      &sk->__sk_common.skc_v6_daddr);
	}
}

#endif
