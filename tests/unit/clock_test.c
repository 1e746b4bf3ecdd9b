// SPDX-License-Identifier: Apache-2.0
#include "clock.h"

#include "test.h"

#define SEC 1000000000ULL

static uint64_t read_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * SEC + (uint64_t)ts.tv_nsec;
}

static void check_local(struct nb_clock *clock, uint64_t ns, int micro,
			const char *want)
{
	char buf[NB_CLOCK_STRLEN], name[128];
	size_t len = nb_clock_local(clock, ns, micro, buf);

	snprintf(name, sizeof(name), "local time of %llu ns is %s",
		 (unsigned long long)ns, want);
	if (test_str(buf, want, name) && len != strlen(want))
		test_ok(false, "its length");
}

static void check_utc(struct nb_clock *clock, uint64_t ns, const char *want)
{
	char buf[NB_CLOCK_STRLEN], name[128];
	size_t len = nb_clock_rfc3339(clock, ns, buf);

	snprintf(name, sizeof(name), "RFC 3339 of %llu ns is %s",
		 (unsigned long long)ns, want);
	if (test_str(buf, want, name) && len != strlen(want))
		test_ok(false, "its length");
}

static void formats(void)
{
	/* 2026-11-21 07:31:05 UTC */
	const uint64_t then = 1795246265 * SEC;
	struct nb_clock clock = { 0 };

	/* Zero-initialised, second 0 has not been formatted yet. */
	check_local(&clock, 0, 0, "00:00:00");
	check_utc(&clock, 0, "1970-01-01T00:00:00.000000Z");
	check_utc(&clock, then + 123456789, "2026-11-21T07:31:05.123456Z");
	check_utc(&clock, then + 999999999, "2026-11-21T07:31:05.999999Z");
	check_utc(&clock, then + SEC, "2026-11-21T07:31:06.000000Z");
	check_utc(&clock, then, "2026-11-21T07:31:05.000000Z");
	check_utc(&clock, UINT64_MAX, "2554-07-21T23:34:33.709551Z");
	check_local(&clock, then, 0, "07:31:05");
	check_local(&clock, then + 1000, 1, "07:31:05.000001");
	check_local(&clock, then + SEC - 1, 1, "07:31:05.999999");
	check_local(&clock, then + SEC, 0, "07:31:06");
	check_local(&clock, 86400 * SEC - 1, 0, "23:59:59");
}

/* Europe/Berlin's rule, written out: no zone files are needed. */
static void zones(void)
{
	struct nb_clock clock = { 0 };
	const uint64_t winter_ends =
		1774746000 * SEC; /* 2026-03-29 01:00 UTC */

	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	check_local(&clock, winter_ends - 1, 0, "01:59:59");
	check_local(&clock, winter_ends, 0, "03:00:00");
	check_utc(&clock, winter_ends, "2026-03-29T01:00:00.000000Z");
	setenv("TZ", "UTC0", 1);
	tzset();
}

static void offsets(void)
{
	struct nb_clock clock = { .offset_ns = 5 };

	test_int((long long)nb_clock_real(&clock, 37), 42, "offset added");
	clock.offset_ns = -30;
	test_int((long long)nb_clock_real(&clock, 72), 42,
		 "negative offset: the day was set back before 1970");
	test_int((long long)nb_clock_real(&clock, 30), 0, "exactly the Epoch");
	test_int((long long)nb_clock_real(&clock, 29), 0,
		 "nothing is before the Epoch");
	clock.offset_ns = INT64_MIN;
	test_int((long long)nb_clock_real(&clock, 1), 0, "the lowest offset");
}

static void sync_clocks(void)
{
	struct nb_clock clock = { .offset_ns = 1 };
	uint64_t before, between, after;

	nb_clock_sync(&clock);
	/* In this order, so that the test holds however slow the machine is. */
	before = read_clock(CLOCK_REALTIME);
	between = nb_clock_real(&clock, read_clock(CLOCK_MONOTONIC));
	after = read_clock(CLOCK_REALTIME);
	if (!test_ok(between + SEC / 100 >= before &&
			     between <= after + SEC / 100,
		     "monotonic time is the time of day, within 10 ms"))
		printf("# %llu <= %llu <= %llu\n", (unsigned long long)before,
		       (unsigned long long)between, (unsigned long long)after);
}

int main(void)
{
	setenv("TZ", "UTC0", 1);
	tzset();
	formats();
	zones();
	offsets();
	sync_clocks();
	return test_done();
}
