/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The truth, printed as JSON lines. It has the keys of tcpconnection's JSON. A
 * value that can't be known exactly is a range [lowest, highest]; a key that
 * isn't known is left out.
 */
#ifndef TRUTH_H
#define TRUTH_H

#include "work.h"

static inline void print_string(const char *s)
{
	putchar('"');
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == '"' || *s == '\\' ||
		    *s == 0x7f)
			printf("\\u%04x", (unsigned char)*s);
		else
			putchar(*s);
	putchar('"');
}

static inline void print_addr(const char *which, const struct sockaddr_in6 *a)
{
	char text[INET6_ADDRSTRLEN];
	bool v4 = IN6_IS_ADDR_V4MAPPED(&a->sin6_addr);

	if (v4)
		inet_ntop(AF_INET, a->sin6_addr.s6_addr + 12, text,
			  sizeof(text));
	else
		inet_ntop(AF_INET6, &a->sin6_addr, text, sizeof(text));
	printf(",\"%caddr\":\"%s\",\"%cport\":%u", *which, text, *which,
	       ntohs(a->sin6_port));
}

static inline void print_range(const char *key, int64_t lo, int64_t hi)
{
	printf(",\"%s\":[%lld,%lld]", key, (long long)(lo < 0 ? 0 : lo),
	       (long long)hi);
}

/* The handshake took most of a call from @start to @done. */
static inline void print_latency(int64_t start, int64_t done)
{
	int64_t us = (done - start) / 1000;

	print_range("latency_us", us - SLACK_MS * 1000LL, us + 1);
}

/*
 * The start of a row, up to the error; the caller adds what it knows of times
 * and ends the object.
 */
static inline void print_row(const struct side *s, const char *direction,
			     const char *state)
{
	printf("{\"pid\":%d", s->pid);
	if (s->tid)
		printf(",\"tid\":%d", s->tid);
	printf(",\"comm\":");
	print_string(s->comm);
	printf(",\"uid\":%u,\"netns\":%lu,\"ip\":%d", s->uid, s->netns,
	       opts.ip);
	print_addr("d", &s->remote);
	if (s->local_known)
		print_addr("s", &s->local);
	printf(",\"direction\":\"%s\",\"state\":\"%s\"", direction, state);
	if (s->error[0])
		printf(",\"error\":\"%s\"", s->error);
	else
		printf(",\"error\":null");
	if (opts.tag)
		printf(",\"_tag\":\"%s\"", opts.tag);
}

static inline void print_time(int64_t lo, int64_t hi)
{
	print_range("time", real_us(lo), real_us(hi) + 1);
}

/*
 * The row of a connection's end, which came between @closing and @quiet; it had
 * begun between @from_min and @from_max.
 */
static inline void print_end(const struct side *s, const char *direction,
			     int64_t closing, int64_t from_min,
			     int64_t from_max, int64_t quiet)
{
	print_row(s, direction, "CLOSE");
	print_time(closing, quiet);
	print_range("duration_us", (closing - from_max) / 1000,
		    (quiet - from_min) / 1000 + 1);
	printf(",\"rx_bytes\":%llu,\"tx_bytes\":%llu}\n",
	       (unsigned long long)s->rx, (unsigned long long)s->tx);
}

#endif
