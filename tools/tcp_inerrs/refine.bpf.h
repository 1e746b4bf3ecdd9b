/* SPDX-License-Identifier: GPL-2.0 */
/* Why it was, where the kernel's reason says more than one thing. */
#ifndef NB_TCP_INERRS_REFINE_H
#define NB_TCP_INERRS_REFINE_H

#include "packet.bpf.h"

/* enum in net/tcp_states.h: user-visible, so constant. */
#define SOCK_STREAM_TYPE 1 /* enum sock_type, linux/net.h */
#define RCV_SHUTDOWN 1	   /* net/sock.h */
#define STATE_SYN_RECV 3
#define STATE_FIN_WAIT1 4
#define STATE_FIN_WAIT2 5
#define STATE_TIME_WAIT 6
#define STATE_CLOSE_WAIT 8
#define STATE_LAST_ACK 9
#define STATE_LISTEN 10
#define STATE_CLOSING 11
#define STATE_NEW_SYN_RECV 12

#define FLAG_FIN 1
#define FLAG_SYN 2
#define FLAG_RST 4
#define FLAG_ACK 16
#define FLAGS 23 /* FIN, SYN, RST, ACK */

/* Is a drop for that reason one that comes before the socket's lock? */
static inline int is_early(u32 reason)
{
	/* Of what is newer than this, nobody knows. */
	return (reason >= ERR_OTHER && reason <= ERR_SOCKET_BACKLOG) ||
	       reason == ERR_TCP_LISTEN_OVERFLOW;
}

/* Has the listener more connections to be accepted than it may? */
static inline int is_full(struct sock *sk)
{
	return NB_GET(sk, sk_ack_backlog) > NB_GET(sk, sk_max_ack_backlog);
}

/* Why tcp_check_req() has nothing to do with a packet for a handshake. */
static inline u32 refine_handshake(const struct err_event *e, struct sock *sk)
{
	struct inet_connection_sock *icsk = (struct inet_connection_sock *)sk;

	if (e->flags & FLAG_RST)
		return ERR_RESET_RECEIVED;
	if ((e->flags & (FLAG_SYN | FLAG_ACK)) == FLAG_SYN)
		return ERR_TCP_OLD_SEQUENCE; /* it has been answered already */
	if (!e->length && (e->flags & FLAGS) == FLAG_ACK &&
	    NB_GET(icsk, icsk_accept_queue.rskq_defer_accept))
		return ERR_DEFER_ACCEPT;
	/* Said since Linux 6.15. */
	return is_full(sk) ? ERR_TCP_LISTEN_OVERFLOW : ERR_NOT_SPECIFIED;
}

/* As sequence numbers are compared, which wrap. */
static inline int is_before(u32 a, u32 b)
{
	return (s32)(a - b) < 0;
}

/* The peer has sent its FIN: there is no data to come. */
static inline int is_closing(u8 state)
{
	return state == STATE_CLOSE_WAIT || state == STATE_LAST_ACK ||
	       state == STATE_CLOSING;
}

/* Which of the kernel's reasons that say more than one thing it is. */
static inline u32 refine(u32 reason, const struct err_event *e,
			 const struct where *w, struct sock *sk)
{
	u32 end;

	if (reason == ERR_PKT_TOO_SMALL || reason == ERR_NOT_SPECIFIED) {
		if (!e->has_header)
			return ERR_PKT_TOO_SMALL;
		if (w->doff < sizeof(struct tcphdr) || w->doff > w->left)
			return ERR_BAD_DOFF;
		if (e->state == STATE_TIME_WAIT)
			return ERR_TIME_WAIT;
		if (e->state == STATE_LISTEN)
			return refine_handshake(e, sk);
		/* The kernel has read it, and lets it go like a bad one. */
		if (is_closing(e->state) && !e->length &&
		    (e->flags & FLAGS) == FLAG_ACK)
			return ERR_CLOSING_ACK;
		return ERR_NOT_SPECIFIED;
	}
	if (!e->has_header || !sk)
		return reason;
	end = e->seq + e->length + !!(e->flags & FLAG_FIN) +
	      !!(e->flags & FLAG_SYN);
	/* Its SYN-ACK was lost: as without TCP Fast Open. A whole socket. */
	if (reason == ERR_TCP_FASTOPEN &&
	    (e->flags & (FLAG_SYN | FLAG_ACK)) == FLAG_SYN &&
	    !is_before(NB_GET((struct tcp_sock *)sk, rcv_nxt), end))
		return ERR_TCP_OLD_SEQUENCE;
	/* What is late comes when all has been received. */
	if (reason == ERR_TCP_RFC7323_TW_PAWS && !(e->flags & FLAG_SYN) &&
	    !is_before(NB_GET(sk, __sk_common.skc_tw_rcv_nxt), end))
		return ERR_TW_PAWS_DUPLICATE;
	if (e->state == STATE_TIME_WAIT || e->state == STATE_SYN_RECV)
		return reason;
	/* A SYN cookie that is good, and no connection can be made of. */
	if (reason == ERR_NO_SOCKET && e->state == STATE_LISTEN)
		return is_full(sk) ? ERR_TCP_LISTEN_OVERFLOW
				   : ERR_COOKIE_FAILED;
	/* Of a handshake, nothing has been received by the listener. */
	if (e->state == STATE_LISTEN)
		return reason;
	/* Told apart since Linux 6.6: what ends before what was received. */
	if (reason == ERR_TCP_INVALID_SEQUENCE &&
	    is_before(end, NB_GET((struct tcp_sock *)sk, rcv_wup)))
		return ERR_TCP_OLD_SEQUENCE;
	/* Sent twice, or overtaken: it has nothing new. */
	if (reason == ERR_TCP_RFC7323_PAWS && !(e->flags & FLAG_SYN) &&
	    !is_before(NB_GET((struct tcp_sock *)sk, rcv_nxt), end))
		return ERR_PAWS_DUPLICATE;
	return reason;
}

#endif
