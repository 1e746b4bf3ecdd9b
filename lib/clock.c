// SPDX-License-Identifier: Apache-2.0
#include "clock.h"

#include <string.h>

#define NSEC_PER_SEC 1000000000

static int64_t now(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

uint64_t nb_clock_now(void)
{
	return (uint64_t)now(CLOCK_MONOTONIC);
}

void nb_clock_sync(struct nb_clock *clock)
{
	int64_t best = INT64_MAX;

	/* The shortest of a few tries is the one nobody interrupted. */
	for (int i = 0; i < 3; i++) {
		int64_t before = now(CLOCK_MONOTONIC);
		int64_t real = now(CLOCK_REALTIME);
		int64_t took = now(CLOCK_MONOTONIC) - before;

		if (took < best) {
			best = took;
			clock->offset_ns = real - before - took / 2;
		}
	}
}

uint64_t nb_clock_real(const struct nb_clock *clock, uint64_t mono_ns)
{
	uint64_t back;

	if (clock->offset_ns >= 0)
		return mono_ns + (uint64_t)clock->offset_ns;
	back = -(uint64_t)clock->offset_ns;
	return mono_ns > back ? mono_ns - back : 0;
}

static char *put_micro(char *p, uint64_t real_ns)
{
	unsigned us = (unsigned)(real_ns % NSEC_PER_SEC / 1000);

	*p = '.';
	for (int i = 6; i > 0; i--, us /= 10)
		p[i] = (char)('0' + us % 10);
	return p + 7;
}

size_t nb_clock_local(struct nb_clock *clock, uint64_t real_ns, int micro,
		      char *buf)
{
	time_t second = (time_t)(real_ns / NSEC_PER_SEC);
	struct tm tm;
	char *p;

	if (!clock->local[0] || clock->local_second != second) {
		localtime_r(&second, &tm);
		strftime(clock->local, sizeof(clock->local), "%H:%M:%S", &tm);
		clock->local_second = second;
	}
	p = stpcpy(buf, clock->local);
	if (micro)
		p = put_micro(p, real_ns);
	*p = '\0';
	return (size_t)(p - buf);
}

size_t nb_clock_rfc3339(struct nb_clock *clock, uint64_t real_ns, char *buf)
{
	time_t second = (time_t)(real_ns / NSEC_PER_SEC);
	struct tm tm;
	char *p;

	if (!clock->utc[0] || clock->utc_second != second) {
		gmtime_r(&second, &tm);
		strftime(clock->utc, sizeof(clock->utc), "%Y-%m-%dT%H:%M:%S",
			 &tm);
		clock->utc_second = second;
	}
	p = put_micro(stpcpy(buf, clock->utc), real_ns);
	*p++ = 'Z';
	*p = '\0';
	return (size_t)(p - buf);
}
