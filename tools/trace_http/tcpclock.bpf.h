/* SPDX-License-Identifier: GPL-2.0 */
/*
 * When a process got what it has received. Linux 6.18 looks at the clock as it
 * has copied it: tcp_rcv_space_adjust(), net/ipv4/tcp_input.c. 6.19 does not
 * any more, and leaves there when TCP had last anything to do with the
 * connection, which may be long before: so it is tried.
 */
#ifndef NB_BPF_TCPCLOCK_H
#define NB_BPF_TCPCLOCK_H

#include "socks.bpf.h"
#include "tp.bpf.h"
#include "trace_http.h"

#if defined(NB_PLAN_raw) && defined(NB_CAST_FUNC) && \
	defined(NB_OFFSET_tcp_sock_tcp_clock_cache)

/* linux/socket.h: user-visible, so constant. */
#define MSG_OOB 1
#define MSG_WAITALL 0x100
/* What may return later, or reads what has no place in the stream. */
#define RECV_OTHER (MSG_OOB | MSG_WAITALL)

BPF_PERCPU_ARRAY(clock_tries, u64, HTTP_CLOCK_TRIES);

/* Before anything is traced: what TCP's clock says. */
static inline void try_clock(struct sock *sk)
{
	struct http_config *c = get_config();
	int which = HTTP_CLOCK_GOOD;
	u64 *n, now;

	if (!c || !NB_RARE(c->clock_port) ||
	    FIELD(sk, __sk_common.skc_num) != c->clock_port)
		return;
	now = bpf_ktime_get_ns();
	if (now - NB_CAST(tcp_sock, sk)->tcp_clock_cache > HTTP_CLOCK_OLD_NS)
		which = HTTP_CLOCK_OLD;
	n = clock_tries.lookup(&which);
	if (n)
		*n += 1;
}

/* Not where something is laid over TCP, as kTLS or a sockmap, which receive for
 * the process at some earlier time. */
static inline u64 received_ns(const struct event *e, u32 flags)
{
	struct tcp_sock *tp = NB_CAST(tcp_sock, e->sk);

	if (e->c->flags & HTTP_TCP_CLOCK && !NB_RARE(flags & RECV_OTHER) &&
	    !NB_RARE(tp->inet_conn.icsk_ulp_ops) &&
	    !NB_RARE(FIELD(e->sk, sk_user_data)))
		return tp->tcp_clock_cache;
	return bpf_ktime_get_ns();
}
#else
static inline void try_clock(struct sock *sk)
{
}

static inline u64 received_ns(const struct event *e, u32 flags)
{
	return bpf_ktime_get_ns();
}
#endif

#endif
