/* SPDX-License-Identifier: Apache-2.0 */
/* What trace_http and its eBPF text share. */
#ifndef NB_TRACE_HTTP_H
#define NB_TRACE_HTTP_H

#include <linux/types.h>

#include "stack.h"

/* Bytes of a request, and of an answer, that are kept. */
#define HTTP_PREFIX 256
#define HTTP_ANSWER 16

/* So many times a second it is looked where servers compute. */
#define HTTP_SAMPLE_HZ 99
#define HTTP_SAMPLE_NS (1000000000ULL / HTTP_SAMPLE_HZ)
/* Between two there is no more than that, one being missing now and then. */
#define HTTP_QUICK_NS (5 * HTTP_SAMPLE_NS)

/*
 * Of a call that is so young that it may yet be answered in time these samples
 * stay in the kernel; and how long it is young at most.
 */
#define HTTP_YOUNG 4
#define HTTP_YOUNG_NS ((HTTP_YOUNG - 1) * HTTP_SAMPLE_NS)
#define HTTP_YOUNG_CPU 32 /* there is room for, of a CPU's calls */

/* Bytes of a process's name that count. */
#define HTTP_NAME 128

enum http_flags {
	HTTP_LIVE = 1 << 0,  /* set last: before it nothing is traced */
	HTTP_NAMED = 1 << 1, /* only processes in the map "procs" */
	HTTP_NAMES = 1 << 2, /* new processes are looked up in "names" */
	HTTP_ONLY_CLIENT = 1 << 3,
	HTTP_ONLY_SERVER = 1 << 4,
	HTTP_ONLY_IP4 = 1 << 5,
	HTTP_ONLY_IP6 = 1 << 6,
	HTTP_SEES_TLS = 1 << 7,	 /* sockets of threads in libssl are noted */
	HTTP_QUICK = 1 << 8,	 /* to answer between two samples is to be in
				  * time: there are some, and min_ns is longer */
	HTTP_TCP_CLOCK = 1 << 9, /* TCP looks at the clock as it receives */
};

/*
 * What is received on the port of http_config.clock_port counts in the map
 * "clock_tries", by whether TCP's clock said then when it was received, or some
 * earlier time.
 */
enum http_clock_try {
	HTTP_CLOCK_GOOD,
	HTTP_CLOCK_OLD,
	HTTP_CLOCK_TRIES,
};

/* Received so long after TCP had last anything to do with that connection, */
#define HTTP_CLOCK_REST_NS 2000000
/* it is told by such a difference. */
#define HTTP_CLOCK_OLD_NS 1000000

/* The one entry of the map "config". */
struct http_config {
	__u32 flags;
	__u32 clock_port; /* where TCP's clock is tried; 0: nowhere */
	__u64 min_ns;	  /* to the first byte, at least */
	__u64 wait_ns;	  /* of a server's thread, at least */
	__u64 young_ns;	  /* since the request; at most HTTP_YOUNG_NS */
};
_Static_assert(sizeof(struct http_config) == 32, "shared with eBPF");

/* A key of the tries "names" and "interps". */
struct http_name {
	__u32 bits; /* that count */
	__u8 name[HTTP_NAME];
};
_Static_assert(sizeof(struct http_name) == 132, "shared with eBPF");

enum http_proc_flags {
	HTTP_PROC_TRACED = 1 << 0,
	HTTP_PROC_PINNED = 1 << 1, /* by number: whatever it executes */
	HTTP_PROC_KNOWN = 1 << 2,  /* user space has been told */
};

/*
 * An entry of the map "procs", which has a byte for each thread group that can
 * be (PID_MAX_LIMIT, linux/threads.h): an array, as to look at it is no call.
 */
#define HTTP_PROCS_EACH 8
struct http_procs {
	__u8 flags[HTTP_PROCS_EACH];
};
#define HTTP_PIDS (1 << 22)

enum http_role {
	HTTP_NO_ROLE, /* no request has been seen on this socket */
	HTTP_CLIENT,
	HTTP_SERVER,
	HTTP_NOT, /* it speaks something else, or does from now on */
};

enum http_phase {
	HTTP_IDLE,     /* no call */
	HTTP_REQUEST,  /* a request, of which no answer has been seen */
	HTTP_RESPONSE, /* its answer has begun */
};

/* Bits of http_sock.flags, and of http_call.flags. */
enum http_call_flags {
	HTTP_PIPELINED = 1 << 0, /* others were under way at once */
	HTTP_SLOW = 1 << 1,	/* user space has the call, and wants its end */
	HTTP_NO_TX = 1 << 2,	/* what is sent does not begin as HTTP does */
	HTTP_NO_RX = 1 << 3,	/* nor does what is received */
	HTTP_ANSWERED = 1 << 4, /* there was an answer before */
	HTTP_STACK = 1 << 6,	/* of a record: a stack follows */
	HTTP_UNREAD = 1 << 5,	/* this answer was too fast to be looked at */
	HTTP_TLS = 1 << 7,	/* of a record: seen in libssl */
};

/* What a socket has to do with TLS. */
enum http_tls_kind {
	HTTP_TLS_NOT,
	HTTP_TLS_COUNTED, /* it speaks TLS, as HTTP_UNSEEN_TLS says */
	HTTP_TLS_MAYBE,	  /* it may, or its calls are seen */
	HTTP_TLS_CONN,	  /* it is no socket but a connection of libssl's */
};

/*
 * A socket, in the map "socks" by its address; or a connection of libssl's, by
 * its own address and process.
 */
struct http_sock {
	__u64 start_ns; /* of the call; 0: its beginning went unseen */
	__u64 first_ns; /* first byte of the answer */
	__u64 last_ns;	/* last one so far */
	__u64 rx_bytes; /* since its beginning */
	__u64 pid_tgid; /* who sent or received the request */
	__u64 part_ns;
	__u64 peer;	/* the connection of a socket that speaks TLS, and its
			 * socket; 0: not known */
	__u32 tx_start; /* in the socket's sequence of bytes */
	__u32 tx_end;	/* kept for slow calls only */
	__u32 no;	/* of the call on this socket, from 1 */
	__u32 last;	/* of those whose request has been seen */
	__u32 owner;	/* the process that was last found to be traced */
	__u32 again;	/* of libssl: the next write begins with as many bytes
			 * that the last one had, and that were looked at */
	__u8 role;
	__u8 phase;
	__u8 flags;
	__u8 part_way; /* direction of part[], */
	__u8 part_len; /* bytes: a beginning too short to tell what it is */
	__u8 nyoung;
	__u8 piped;	  /* it is in the map "pipes" */
	__u8 tls;	  /* enum http_tls_kind */
	__u16 prefix_len; /* bytes of the request that are kept */
	__u8 inside;	  /* of libssl: it uses the socket itself */
	__u8 pad;
	__u32 rx_seen; /* of what is being received all before that has been
			* seen, in the socket's sequence; 0: nothing */
	__u32 young[HTTP_YOUNG]; /* in the map "young": samples, nyoung */
	/* Of both half is used: to the largest offset eBPF's verifier adds the
	 * largest size. */
	__u8 part[2 * HTTP_ANSWER];
	__u8 prefix[2 * HTTP_PREFIX];
};
_Static_assert(sizeof(struct http_sock) == 656, "shared with eBPF");

enum http_kind {
	HTTP_REC_CALL,	 /* struct http_call */
	HTTP_REC_END,	 /* struct http_end */
	HTTP_REC_PROC,	 /* struct http_proc_rec */
	HTTP_REC_WAIT,	 /* struct http_wait */
	HTTP_REC_SAMPLE, /* the same */
};

/* How a call has come to its end. */
enum http_why {
	HTTP_NEXT,   /* the next request, or answer */
	HTTP_CLOSED, /* of the connection */
	HTTP_SWITCH, /* the connection goes on with another protocol */
};

/* The end of a call whose answer's first byte was late. */
struct http_end {
	__u8 kind;
	__u8 why;
	__u8 pad[2];
	__u32 no;
	__u64 sk;
	__u64 last_ns;
	__u64 rx_bytes;
	__u32 tx_bytes;
	__u32 pad2;
};
_Static_assert(sizeof(struct http_end) == 40, "shared with eBPF");

/* A process that is traced. */
struct http_proc_rec {
	__u8 kind;
	__u8 is_new; /* it executes a program; else: its first request */
	__u8 pad[2];
	__u32 pid;
};
_Static_assert(sizeof(struct http_proc_rec) == 8, "shared with eBPF");

/* A call, when the first byte of its answer is there. */
struct http_call {
	__u8 kind;
	__u8 role;
	__u8 ip; /* 4 or 6 */
	__u8 flags;
	__u32 no;
	__u64 sk;
	__u64 start_ns;
	__u64 first_ns;
	__u32 pid;
	__u32 tid;
	__u32 uid;
	__u32 netns;
	__u8 saddr[16]; /* local, IPv4 in the first four bytes */
	__u8 daddr[16]; /* remote */
	__u16 sport;	/* host order */
	__u16 dport;
	__u16 pad;
	__u16 prefix_len;
	char comm[16];
	__u8 answer[HTTP_ANSWER];
	__u8 prefix[HTTP_PREFIX];
};
_Static_assert(sizeof(struct http_call) == 376, "shared with eBPF");

/* With HTTP_STACK it ends where its stack does (http_stack_size()). */
struct http_record {
	struct http_call call;
	struct http_stack stack;
};
_Static_assert(sizeof(struct http_record) == 376 + sizeof(struct http_stack),
	       "shared with eBPF");

/*
 * A server's thread has waited for something between the request and the
 * answer, or was computing as it was looked at, which stands for HTTP_SAMPLE_NS
 * of that. It ends where its stack does.
 */
struct http_wait {
	__u8 kind;
	__u8 pad[3];
	__u32 no;
	__u64 sk;
	__u64 ns;
	__u64 at_ns;	/* when it was over */
	__u64 start_ns; /* of the call */
	__u32 pid;
	__u32 tid;
	struct http_stack stack;
};
_Static_assert(sizeof(struct http_wait) == 48 + sizeof(struct http_stack),
	       "shared with eBPF");

/* Entries of the map "unseen": what could not be followed, and why. */
enum http_unseen {
	HTTP_UNSEEN_TLS,    /* connections with TLS */
	HTTP_UNSEEN_H2,	    /* with HTTP/2 */
	HTTP_UNSEEN_UNREAD, /* beginnings in memory that was not there */
	HTTP_UNSEEN_WAY,    /* reads by ways that show no content */
	HTTP_UNSEEN_PIPE,   /* pipelined calls, too many at once */
	HTTP_UNSEEN_PARK,   /* stacks of requests, for want of room */
	HTTP_UNSEEN_STACK,  /* stacks, as the buffer was full */
	HTTP_UNSEEN_YOUNG,  /* samples, for want of room */
	HTTP_UNSEEN,
};

#endif
