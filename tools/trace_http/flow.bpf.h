/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages behind others, of pipelined requests and their answers: where each
 * one begins in what goes over a socket in one direction, by the lengths of
 * those before it. What is known of a direction, and of a piece while it is
 * looked through.
 */
#ifndef NB_BPF_FLOW_H
#define NB_BPF_FLOW_H

#include "kernel.bpf.h"
#include "loop.bpf.h"
#include "piece.bpf.h"
#include "procs.bpf.h"
#include "trace_http.h"

/*
 * Rounds of a run, each of eight bytes of a head, a line, or a body; runs for a
 * piece; and messages of one. Each run and each message is a tail call, as are
 * three more; the kernel allows 33 in a row (32 before Linux 5.16).
 */
#ifdef NB_MAY_LOOP
#define FLOW_STEPS 4096
#define FLOW_RUNS 1
#define FLOW_MESSAGES 28
#else
#define FLOW_STEPS 96
#define FLOW_RUNS 9
#define FLOW_MESSAGES 20
#endif
#define FLOW_STARTS 32 /* a power of two */
#define FLOW_ELEMENTS 64

#define FLOW_READ 1024 /* bytes at once, */
#define FLOW_AHEAD 512 /* when there are fewer than so many */
#define FLOW_WINDOW 2048
/* So many bytes of a line tell what it is: "Content-Length: ", and digits. */
#define FLOW_LINE 30
#define FLOW_TAIL 32

/* Bytes for which the smallest of send buffers has room when it is empty. */
#define FLOW_SURE 2048

/* Requests that a socket may have waiting. */
#define QUEUE_MAX 64

enum flow_state {
	FLOW_START, /* a message may begin */
	FLOW_HEAD,
	FLOW_BODY, /* for "left" bytes */
	FLOW_OPEN, /* a chunk's length comes, or what ends who knows where */
	FLOW_LAST, /* behind the last chunk: up to an empty line */
};

/* One direction. */
struct flow {
	u64 left;
	u64 done; /* of the body, which ends here if "left" is 0 */
	u64 tail_ns;
	u32 seq;       /* where in the sequence what was sent should end, */
	u32 tail;      /* bytes of text[]: a line that has no end yet */
	u8 state;      /* enum flow_state */
	u8 inside;     /* a line that was looked at */
	u8 no_body;    /* whatever the length says */
	u8 has_length; /* which is "left" */
	u8 chunked;    /* of so many bytes each */
	u8 skip;       /* the next message is known */
	u8 has_seq;    /* if that is known, as of what is sent */
	u8 pad[1];
	u8 text[FLOW_TAIL];
};

/* A socket with several requests at once, or one that is not over. */
struct pipe {
	struct flow asked;
	struct flow answered;
	u64 heads;  /* HEAD requests: a bit for the last digits of a call */
	u32 answer; /* the call whose answer is looked at */
	u32 pad;
};

/* The command makes it as large as "socks", of which it has some. */
BPF_F_TABLE("hash", u64, struct pipe, pipes, 65536, BPF_F_NO_PREALLOC);

BPF_PERCPU_ARRAY(unseen, u64, HTTP_UNSEEN);

static inline void count_more(int which, u32 more)
{
	u64 *n = unseen.lookup(&which);

	if (n)
		*n += more;
}

static inline void count_unseen(int which)
{
	count_more(which, 1);
}

struct queue_key {
	u64 sk;
	u32 no;
	u32 pad;
};

/* A request that waits for those before it to be answered. */
struct queued {
	u64 start_ns;
	u64 pid_tgid;
	u32 pad;
	u16 prefix_len;
	u16 pad2;
	u8 prefix[2 * HTTP_PREFIX];
};

BPF_F_TABLE("hash", struct queue_key, struct queued, queue, 16384,
	    BPF_F_NO_PREALLOC);

/* Where an answer begins. */
struct flow_start {
	u64 word[2];
	u64 ns;
	u32 off; /* in the piece */
	u32 pad;
};

/* While a piece is looked through. */
struct flow_work {
	u64 id; /* whose it is; 0: nobody's */
	u64 sk;
	u64 now;
	u64 heads; /* as of struct pipe, */
	u32 answer;
	u32 off; /* of win[0] in the piece */
	u64 ptr; /* what of it is not in win[] yet, of this element, */
	u32 len;
	u32 left;     /* and in all */
	u32 elements; /* of a vector that were begun */
	u32 pos;      /* what is looked at of "have" bytes of win[] */
	u32 have;
	u32 steps;   /* that may yet be made */
	u32 n;	     /* messages that begin in it */
	u32 last;    /* the last request, as of struct http_sock, */
	u32 first;   /* and the last one before the piece */
	u32 at;	     /* of starts[], which are told */
	u32 counted; /* bytes of the piece that calls before have */
	u32 part;    /* of a request's line that came before the piece */
	u8 mode;     /* there was a struct pipe before */
	u8 stage;    /* runs of the program for it */
	u8 next;     /* enum flow_next */
	u8 end;	     /* of all calls: the connection goes on with others */
	u64 line_ns; /* when the line came */
	u8 way;
	u8 asks;    /* it is the way of requests */
	u8 known;   /* its first message is known */
	u8 alone;   /* of all calls only one had begun, */
	u8 more;    /* and others do, the first one behind "counted" */
	u8 is_tail; /* win[0] is of an earlier piece */
	u8 bad;	    /* not all could be looked at, */
	u8 lost;    /* or was */
	u8 stack;   /* is taken, of the current thread */
	u32 runs;   /* of flow_run() that may yet be made */
	/* On eBPF's stack these would be one more difference of states. */
	struct iovec element;
	struct queue_key key;
	u32 begins; /* enum sniffed */
	u32 unseen; /* requests */
	struct piece p;
	struct flow f;
	struct queued queued;
	struct flow_start starts[FLOW_STARTS];
	u8 win[FLOW_WINDOW + FLOW_AHEAD];
};

/*
 * What the next round is about. What takes long is in a round of its own, of
 * which the verifier need not know how it came to that.
 */
enum flow_next {
	FLOW_ANY,
	FLOW_FIELD,
	FLOW_CHUNK,
	FLOW_MESSAGE,
};

#endif
