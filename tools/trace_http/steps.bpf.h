/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How a piece is looked through (flow.bpf.h): a line, or what of a body there
 * is, in each round of a loop. All that a round works with is in a map, so that
 * the verifier finds it in the same state as the one before.
 */
#ifndef NB_BPF_STEPS_H
#define NB_BPF_STEPS_H

#include "flow.bpf.h"
#include "kernel.bpf.h"
#include "loop.bpf.h"
#include "piece.bpf.h"
#include "sniff.bpf.h"
#include "trace_http.h"
#include "words.bpf.h"

static inline u64 flow_word(const struct flow_work *w, u32 at)
{
	u64 off = at;

	OPAQUE(off);
	off &= FLOW_WINDOW - 1;
	return *(const u64 *)(w->win + off);
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
		w->f.state = w->f.chunked ? FLOW_OPEN : FLOW_START;
		return 1;
	}
	if (ahead) {
		if (n > ahead)
			n = ahead;
		w->pos += n;
		w->f.left -= n;
		w->f.done += n;
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
	w->f.done += n;
	return 1;
}

/* To the next line. */
static inline int flow_skip(struct flow_work *w, u32 ahead)
{
	u64 end = word_newline(flow_word(w, w->pos));
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
	u64 end = word_newline(flow_word(w, w->pos));
	u64 more = word_newline(flow_word(w, w->pos + 8));
	u64 then = word_newline(flow_word(w, w->pos + 16));
	u64 last = word_newline(flow_word(w, w->pos + 24));

	then += (then >> 3) * last;
	more += (more >> 3) * then;
	end += (end >> 3) * more;
	return end < ahead;
}

/* The number at @at, of up to 14 digits. */
static inline u64 flow_length(const struct flow_work *w, u32 at)
{
	u64 word = flow_word(w, at), n = word_number(word & BYTES(7));
	u64 scale = 1, more = is_digit(word >> 48 & 0xff);

	word = flow_word(w, at + 7);
	for (int i = 0; i < 7; i++) {
		more &= is_digit(word >> 8 * i & 0xff);
		OPAQUE(more);
		scale *= 1 + 9 * more;
	}
	return n * scale + (scale > 1 ? word_number(word & BYTES(7)) : 0);
}

/* The line that says how long the next chunk is. */
static inline int flow_chunk(struct flow_work *w)
{
	u64 n = word_hex(flow_word(w, w->pos));

	w->f.left = n + 2; /* with the end of a line behind it */
	w->f.state = n ? FLOW_BODY : FLOW_LAST;
	return 1;
}

/* A line of a head, which begins with "Content-" or "Transfer". */
static inline int flow_field(struct flow_work *w)
{
	u64 next = flow_word(w, w->pos + 8) | EIGHT(0x20);
	u32 at = w->pos + 15;

	if (next == WORD('-', 'e', 'n', 'c', 'o', 'd', 'i', 'n')) {
		w->f.chunked = 1;
		return 1;
	}
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

	if (f->state == FLOW_HEAD && f->chunked && !f->no_body)
		f->state = FLOW_OPEN;
	else if (f->state == FLOW_HEAD && f->has_length && !f->no_body)
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
	if (!w->more)
		w->counted = w->off + w->pos;
	w->more = 1;
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
	f->chunked = 0;
	f->no_body = 0;
	if (!w->asks)
		flow_answer(w);
	else if (!f->skip)
		flow_request(w, s);
	f->skip = 0;
	w->n++;
	return 1;
}

/* A line begins, and is none of a body whose length is known. */
static inline int flow_line(struct flow_work *w, u32 ahead)
{
	u64 word = flow_word(w, w->pos);
	struct flow *f = &w->f;
	u32 is_first = w->off + w->pos == 0;

	f->done = 0;
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
	if ((u8)word == '\n' && f->state == FLOW_HEAD) {
		flow_blank(w);
		w->pos++;
		return 1;
	}
	f->inside = 1;
	if (f->state == FLOW_HEAD) {
		word |= EIGHT(0x20);
		if (word == WORD('c', 'o', 'n', 't', 'e', 'n', 't', '-') ||
		    word == WORD('t', 'r', 'a', 'n', 's', 'f', 'e', 'r'))
			w->next = FLOW_FIELD;
		return 1;
	}
	w->begins = sniff(word, STATUS_END);
	if ((f->state == FLOW_START || is_first) &&
	    w->begins == (w->asks ? SNIFF_REQUEST : SNIFF_RESPONSE))
		w->next = FLOW_MESSAGE;
	else if (f->chunked && f->state == FLOW_OPEN)
		w->next = FLOW_CHUNK;
	else if ((word & BYTES(3)) == WORD('0', '\r', '\n', 0, 0, 0, 0, 0))
		f->state = FLOW_LAST;
	else if (!f->chunked || f->state != FLOW_LAST)
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
	if (next == FLOW_CHUNK)
		return flow_chunk(w);
	if (next == FLOW_MESSAGE)
		return flow_message(w, s);
	if (w->f.state == FLOW_BODY && !w->f.inside)
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

/*
 * What is sent next is at @seq of the sequence, as TCP did not take all of what
 * was to be sent before. 0: in the middle of who knows what.
 */
static inline int flow_rewind(struct flow *f, u32 seq)
{
	u32 again = f->seq - seq;

	if (!f->has_seq || !again)
		return 1;
	if (again > f->done)
		return 0;
	f->left += again;
	f->done -= again;
	f->state = FLOW_BODY;
	return 1;
}

/* Nothing of the piece can be told. */
static inline void flow_fail(struct flow_work *w)
{
	w->left = 0;
	w->have = 0;
	w->bad = 1;
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
	w->more = 0;
	w->bad = 0;
	w->end = 0;
	w->next = FLOW_ANY;
	w->runs = FLOW_RUNS;
	bpf_probe_read_kernel(w->win, FLOW_TAIL, w->f.text);
}

#endif
