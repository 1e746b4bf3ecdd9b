/* SPDX-License-Identifier: GPL-2.0 */
/* What threads have to do with TLS. */
#ifndef NB_BPF_THREAD_H
#define NB_BPF_THREAD_H

#include "kernel.bpf.h"

struct tls_thread {
	u64 sk;	   /* the socket that speaks TLS and was used last */
	u64 conn;  /* in a function of libssl's, of this connection; 0: not */
	u64 buf;   /* what is read goes there, */
	u64 count; /* and its number of bytes; 0: it is returned. Or that of
		    * those written, if the function is SSL_write_ex() */
	u64 word[2];
	u32 park; /* these as of struct event, until the function returns */
	u8 tell;
	u8 over;
	u8 used; /* a socket was used in it */
	u8 pad;
	u32 len; /* bytes to be written, */
	u32 had; /* and as many were counted */
};

/* By number. */
BPF_TABLE("lru_hash", u32, struct tls_thread, tls_threads, 16384);

/* The current thread uses a socket that speaks TLS. */
static inline void tls_use(struct sock *sk, u32 tid)
{
	struct tls_thread *t = tls_threads.lookup(&tid), made = {};

	if (t) {
		t->sk = (u64)sk;
		t->used = 1;
		return;
	}
	made.sk = (u64)sk;
	tls_threads.update(&tid, &made);
}

#endif
