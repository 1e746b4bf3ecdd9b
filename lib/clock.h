/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's timestamps (bpf_ktime_get_ns) as the time of day. */
#ifndef NB_CLOCK_H
#define NB_CLOCK_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* Fits "2026-11-21T07:31:05.123456Z" and its NUL. */
#define NB_CLOCK_STRLEN 32

/* Zero-initialise. Keeps the last second formatted, as rows share it. */
struct nb_clock {
	int64_t offset_ns; /* CLOCK_REALTIME - CLOCK_MONOTONIC */
	time_t local_second;
	time_t utc_second;
	char local[16];
	char utc[24];
};

/* CLOCK_MONOTONIC in nanoseconds, which is what bpf_ktime_get_ns() says. */
uint64_t nb_clock_now(void);

/*
 * Measure the offset between the two clocks. Call it now and then: the time
 * of day is set and slewed.
 */
void nb_clock_sync(struct nb_clock *clock);

/* CLOCK_MONOTONIC nanoseconds -> nanoseconds since the Epoch (0 at least). */
uint64_t nb_clock_real(const struct nb_clock *clock, uint64_t mono_ns);

/*
 * Write @real_ns as local "HH:MM:SS", with @micro as "HH:MM:SS.uuuuuu", to
 * @buf (NB_CLOCK_STRLEN bytes). Returns the length.
 */
size_t nb_clock_local(struct nb_clock *clock, uint64_t real_ns, int micro,
		      char *buf);

/* The same as RFC 3339 in UTC with microseconds. */
size_t nb_clock_rfc3339(struct nb_clock *clock, uint64_t real_ns, char *buf);

#endif
