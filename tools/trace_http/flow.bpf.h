/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages behind others, of pipelined requests and their answers: where each
 * one begins in what goes over a socket in one direction, by the lengths of
 * those before it. All that a round of the loop works with is in a map, so that
 * the verifier finds it in the same state as the one before.
 */
#ifndef NB_BPF_FLOW_H
#define NB_BPF_FLOW_H

#include "kernel.bpf.h"
#include "loop.bpf.h"
#include "piece.bpf.h"
#include "procs.bpf.h"
#include "sniff.bpf.h"
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

/* Requests that a socket may have waiting. */
#define QUEUE_MAX 64

enum flow_state {
	FLOW_START, /* a message may begin */
	FLOW_HEAD,
	FLOW_BODY, /* for "left" bytes */
	FLOW_OPEN, /* of an unknown length, which ends with the last chunk: */
	FLOW_LAST, /* "0" was its last line */
};

/* One direction. */
struct flow {
	u64 left;
	u64 tail_ns;
	u32 tail;      /* bytes of text[]: a line that has no end yet */
	u8 state;      /* enum flow_state */
	u8 inside;     /* a line that was looked at */
	u8 no_body;    /* whatever the length says */
	u8 has_length; /* which is "left" */
	u8 text[FLOW_TAIL];
};

/* A socket on which there were several requests at once. */
struct pipe {
	struct flow asked;
	struct flow answered;
	u64 heads;  /* HEAD requests: a bit for the last digits of a call */
	u32 answer; /* the call whose answer is looked at */
	u32 pad;
};

BPF_F_TABLE("hash", u64, struct pipe, pipes, 4096, BPF_F_NO_PREALLOC);

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
	u32 counted; /* bytes of the piece that calls have */
	u32 part;    /* of a request's line that came before the piece */
	u8 mode;     /* there was a struct pipe before */
	u8 stage;    /* runs of the program for it */
	u8 next;     /* enum flow_next */
	u8 end;	     /* of all calls: the connection goes on with others */
	u64 line_ns; /* when the line came */
	u8 way;
	u8 asks;    /* it is the way of requests */
	u8 skip;    /* the first one is known */
	u8 known;   /* the same, from beginning to end */
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
	FLOW_MESSAGE,
};

#define EIGHT(c) (0x0101010101010101 * (u64)(c))

static inline u64 flow_word(const struct flow_work *w, u32 at)
{
	u64 off = at;

	OPAQUE(off);
	off &= FLOW_WINDOW - 1;
	return *(const u64 *)(w->win + off);
}

/* The first of eight bytes that is the end of a line; 8: none is. */
static inline u64 flow_newline(u64 word)
{
	u64 x = word ^ EIGHT('\n');
	u64 first = (x - EIGHT(1)) & ~x & EIGHT(0x80);

	first &= -first;
	return ((first >> 7) - 1 & EIGHT(1)) * EIGHT(1) >> 56;
}

/* The next element of the piece. */
static inline int flow_element(struct flow_work *w)
{
	struct iovec *v = &w->element;

	if (w->p.at == AT_NONE || w->elements >= w->p.n ||
	    w->elements >= FLOW_ELEMENTS ||
	    read_element(&w->p, w->elements, v)) {
		w->left = 0;
		w->bad = 1;
		return 1;
	}
	w->elements++;
	w->ptr = (u64)v->iov_base;
	w->len = v->iov_len < w->left ? v->iov_len : w->left;
	return 1;
}

/* More of the piece to win[]. */
static inline int flow_read(struct flow_work *w)
{
	u64 at = w->pos, ahead = w->have - w->pos, n = w->len;

	if (!n)
		return flow_element(w);
	if (n > FLOW_READ)
		n = FLOW_READ;
	OPAQUE(at);
	OPAQUE(ahead);
	OPAQUE(n);
	at &= FLOW_WINDOW - 1;
	ahead &= FLOW_AHEAD - 1;
	bpf_probe_read_kernel(w->win, FLOW_AHEAD, w->win + at);
	if (n > FLOW_READ ||
	    bpf_probe_read_user(w->win + ahead, n, (void *)w->ptr)) {
		w->left = 0;
		w->bad = 1;
		return 1;
	}
	w->off += w->pos;
	w->pos = 0;
	w->have = ahead + n;
	w->ptr += n;
	w->len -= n;
	w->left -= n;
	return 1;
}

/* The body goes on. */
static inline int flow_body(struct flow_work *w, u32 ahead)
{
	u64 n = w->f.left;

	if (!n) {
		w->f.state = FLOW_START;
		return 1;
	}
	if (ahead) {
		if (n > ahead)
			n = ahead;
		w->pos += n;
		w->f.left -= n;
		return 1;
	}
	if (!w->left)
		return 0;
	if (!w->len && w->p.at != AT_NONE)
		return flow_element(w);
	if (w->len && n > w->len)
		n = w->len;
	if (n > w->left)
		n = w->left;
	w->ptr += n;
	w->len -= w->len ? n : 0; /* without it none of it can be read */
	w->left -= n;
	w->off += n;
	w->f.left -= n;
	return 1;
}

/* To the next line. */
static inline int flow_skip(struct flow_work *w, u32 ahead)
{
	u64 end = flow_newline(flow_word(w, w->pos));
	u64 n = end + (end < 8);

	if (end >= ahead)
		n = ahead;
	else if (end < 8)
		w->f.inside = 0;
	w->pos += n;
	return 1;
}

/* Do the next @ahead bytes, fewer than FLOW_LINE, have the end of a line? */
static inline int flow_has_line(const struct flow_work *w, u32 ahead)
{
	u64 end = flow_newline(flow_word(w, w->pos));
	u64 more = flow_newline(flow_word(w, w->pos + 8));
	u64 then = flow_newline(flow_word(w, w->pos + 16));
	u64 last = flow_newline(flow_word(w, w->pos + 24));

	then += (then >> 3) * last;
	more += (more >> 3) * then;
	end += (end >> 3) * more;
	return end < ahead;
}

/* The number that @word begins with, of up to seven digits. */
static inline u64 flow_number(u64 word)
{
	u64 x = word ^ EIGHT('0');
	u64 first = (x + EIGHT(0x76) | x) & EIGHT(0x80), pow;

	first &= -first;
	pow = first >> 7; /* 256 for each digit */
	x &= pow - 1;
	/* With zeros in front; a shift by 64 would be none. */
	x = pow == 1 ? 0 : x * (~0ULL / pow + 1);
	x = (x * 10 + (x >> 8)) & 0x00ff00ff00ff00ff;
	x = (x * 100 + (x >> 16)) & 0x0000ffff0000ffff;
	return (x * 10000 + (x >> 32)) & 0xffffffff;
}

/* 1 if it is, without a branch, of which there would be many. */
static inline u64 flow_is_digit(u64 c)
{
	u64 is = ((c ^ '0') - 10) >> 63;

	OPAQUE(is);
	return is;
}

/* The number at @at, of up to 14 digits. */
static inline u64 flow_length(const struct flow_work *w, u32 at)
{
	u64 word = flow_word(w, at), n = flow_number(word & BYTES(7));
	u64 scale = 1, more = flow_is_digit(word >> 48 & 0xff);

	word = flow_word(w, at + 7);
	for (int i = 0; i < 7; i++) {
		more &= flow_is_digit(word >> 8 * i & 0xff);
		OPAQUE(more);
		scale *= 1 + 9 * more;
	}
	return n * scale + (scale > 1 ? flow_number(word & BYTES(7)) : 0);
}

/* A line of a head, which begins with "Content-". */
static inline int flow_field(struct flow_work *w)
{
	u64 next = flow_word(w, w->pos + 8) | EIGHT(0x20);
	u32 at = w->pos + 15;

	if ((next & BYTES(7)) != WORD('l', 'e', 'n', 'g', 't', 'h', ':', 0))
		return 1;
	at += (u8)flow_word(w, at) == ' ';
	w->f.left = flow_length(w, at);
	w->f.has_length = 1;
	return 1;
}

/* An empty line. */
static inline void flow_blank(struct flow_work *w)
{
	struct flow *f = &w->f;

	if (f->state == FLOW_HEAD && f->has_length && !f->no_body)
		f->state = FLOW_BODY;
	else if (f->state != FLOW_OPEN)
		f->state = FLOW_START;
}

/* One more request: it waits until those before it have been answered. */
static inline void flow_request(struct flow_work *w, const struct http_sock *s)
{
	struct queued *q = &w->queued;
	struct queue_key *key = &w->key;
	u32 ahead = w->have - w->pos;
	u64 at = w->pos;

	OPAQUE(at);
	at &= FLOW_WINDOW - 1;
	bpf_probe_read_kernel(q->prefix, HTTP_PREFIX, w->win + at);
	q->prefix_len = ahead < HTTP_PREFIX ? ahead : HTTP_PREFIX;
	q->start_ns = w->line_ns;
	q->pid_tgid = w->id;
	key->sk = w->sk;
	key->no = ++w->last; /* whose turn comes all the same */
	key->pad = 0;
	if (key->no - s->no >= QUEUE_MAX || queue.update(key, q)) {
		w->unseen++;
		return;
	}
	if (*(u32 *)q->prefix == (u32)WORD('H', 'E', 'A', 'D', 0, 0, 0, 0))
		w->heads |= 1ULL << (key->no & 63);
	else
		w->heads &= ~(1ULL << (key->no & 63));
}

static inline void flow_answer(struct flow_work *w)
{
	u64 next = flow_word(w, w->pos + 8), status = next >> 8 & 0xffffff;
	struct flow_start *start;
	u32 n = w->n;

	w->f.no_body = (status & 0xff) == '1' ||
		       status == STATUS('2', '0', '4') ||
		       status == STATUS('3', '0', '4');
	if ((status & 0xff) != '1') {
		w->answer++;
		w->f.no_body |= w->heads >> (w->answer & 63) & 1;
	}
	OPAQUE(n);
	start = &w->starts[n & (FLOW_STARTS - 1)];
	start->word[0] = flow_word(w, w->pos);
	start->word[1] = next;
	start->ns = w->line_ns;
	start->off = w->off + w->pos;
}

/* A message begins. 0: it is one too many. */
static inline int flow_message(struct flow_work *w, const struct http_sock *s)
{
	struct flow *f = &w->f;

	if (!w->asks && w->n >= FLOW_MESSAGES) {
		w->bad = 1;
		return 0;
	}
	f->state = FLOW_HEAD;
	f->has_length = 0;
	f->no_body = 0;
	if (!w->asks)
		flow_answer(w);
	else if (!w->skip)
		flow_request(w, s);
	w->skip = 0;
	w->n++;
	return 1;
}

/* A line begins, and is none of a body whose length is known. */
static inline int flow_line(struct flow_work *w, u32 ahead)
{
	u64 word = flow_word(w, w->pos);
	struct flow *f = &w->f;
	u32 is_first = w->off + w->pos == 0;

	if (ahead < FLOW_LINE && !flow_has_line(w, ahead))
		return 0;
	w->line_ns = w->now;
	if (w->is_tail)
		w->line_ns = f->tail_ns;
	w->is_tail = 0;
	if ((u16)word == (u16)WORD('\r', '\n', 0, 0, 0, 0, 0, 0)) {
		flow_blank(w);
		w->pos += 2;
		return 1;
	}
	f->inside = 1;
	if (f->state == FLOW_HEAD) {
		if ((word | EIGHT(0x20)) ==
		    WORD('c', 'o', 'n', 't', 'e', 'n', 't', '-'))
			w->next = FLOW_FIELD;
		return 1;
	}
	w->begins = sniff(word, STATUS_END);
	if ((f->state == FLOW_START || is_first) &&
	    w->begins == (w->asks ? SNIFF_REQUEST : SNIFF_RESPONSE))
		w->next = FLOW_MESSAGE;
	else if ((word & BYTES(3)) == WORD('0', '\r', '\n', 0, 0, 0, 0, 0))
		f->state = FLOW_LAST;
	else
		f->state = FLOW_OPEN;
	return 1;
}

/* 0: that was all of the piece. */
static inline int flow_step(struct flow_work *w, const struct http_sock *s)
{
	u32 ahead = w->have - w->pos, next = w->next;

	w->next = FLOW_ANY;
	if (next == FLOW_FIELD)
		return flow_field(w);
	if (next == FLOW_MESSAGE)
		return flow_message(w, s);
	if (w->f.state == FLOW_BODY)
		return flow_body(w, ahead);
	if (ahead < FLOW_AHEAD && w->left)
		return flow_read(w);
	if (!ahead)
		return 0;
	if (w->f.inside)
		return flow_skip(w, ahead);
	return flow_line(w, ahead);
}

/* What of a line is there, until there is more. */
static inline void flow_keep(struct flow_work *w)
{
	struct flow *f = &w->f;
	u64 at = w->pos;

	OPAQUE(at);
	at &= FLOW_WINDOW - 1;
	bpf_probe_read_kernel(f->text, FLOW_TAIL, w->win + at);
	f->tail = w->have - w->pos;
	if (!w->is_tail)
		f->tail_ns = w->now;
}

#ifdef NB_MAY_LOOP
#define FLOW_MORE(w, i) (nb_may_loop() && (w)->steps)
#else
#define FLOW_MORE(w, i) ((i) < FLOW_STEPS)
#endif

/* Look through it, or some of it. 1: there is more, and a run left. */
static inline int flow_run(struct flow_work *w, const struct http_sock *s)
{
	w->steps = FLOW_STEPS;
	w->lost = 1;
#pragma clang loop unroll(disable)
	for (u32 i = 0; FLOW_MORE(w, i); i++) {
		if (flow_step(w, s) == 0) {
			w->lost = w->bad;
			w->runs = 1;
			break;
		}
		w->steps--;
	}
	if (--w->runs)
		return 1;
	flow_keep(w);
	return 0;
}

/* The piece from its beginning, behind what was kept of those before it. */
static inline void flow_open(struct flow_work *w)
{
	const struct piece *p = &w->p;

	w->ptr = p->ptr;
	w->len = p->ptr ? p->len : 0;
	w->left = p->all;
	w->elements = 1;
	w->unseen = 0;
	w->have = w->f.tail;
	w->is_tail = w->f.tail != 0;
	w->off = -w->f.tail;
	w->pos = 0;
	w->n = 0;
	w->at = 0;
	w->counted = 0;
	w->bad = 0;
	w->end = 0;
	w->next = FLOW_ANY;
	w->runs = FLOW_RUNS;
	bpf_probe_read_kernel(w->win, FLOW_TAIL, w->f.text);
}

#endif
