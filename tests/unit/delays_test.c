// SPDX-License-Identifier: Apache-2.0
#include "../../lib/delays.c"

#include <stdlib.h>

#include "test.h"

/* Every bucket begins where the one before ends, and has what belongs there. */
static void buckets(void)
{
	unsigned wrong = 0;

	for (size_t i = 0; i + 1 < NB_DELAY_BUCKETS; i++)
		wrong += begin_of(i) >= begin_of(i + 1);
	test_int(wrong, 0, "buckets follow each other");
	for (uint64_t ns = 0; ns < 100000000; ns += 1 + ns / 50) {
		uint64_t scaled = ns + ns * 24 / 1000;
		size_t i = bucket_of(ns);

		wrong += scaled < begin_of(i) || scaled >= begin_of(i + 1);
	}
	test_int(wrong, 0, "each delay is in its bucket");
	test_int((long long)bucket_of(UINT64_MAX / 2), NB_DELAY_BUCKETS - 1,
		 "the longest in the last one");
	test_int((long long)bucket_of(2000) % SUBS, 0,
		 "two microseconds begin a power");
	test_int((long long)begin_of(bucket_of(2000)), 2048, "of two");
	test_int((long long)begin_of(bucket_of(1999)), 1920, "1.999 do not");
}

static void percentiles(void)
{
	struct nb_delay d = { 0 };

	test_int((long long)nb_delay_percentile(&d, 0.5), 0, "of none");
	for (unsigned i = 1; i <= 1000; i++)
		nb_delay_add(&d, i * 1000);
	test_int((long long)d.n, 1000, "all of them");
	test_int((long long)d.max_ns, 1000000, "the longest, exactly");
	test_ok(nb_delay_percentile(&d, 0.5) > 490000 &&
			nb_delay_percentile(&d, 0.5) < 510000,
		"the median");
	test_ok(nb_delay_percentile(&d, 0.9) > 880000 &&
			nb_delay_percentile(&d, 0.9) < 920000,
		"nine of ten");
	test_int((long long)nb_delay_percentile(&d, 1), 1000000, "all");
	memset(&d, 0, sizeof(d));
	nb_delay_add(&d, 3000000);
	test_ok(nb_delay_percentile(&d, 0.5) <= 3000000, "one: not more");
	test_ok(nb_delay_percentile(&d, 0.5) > 3000000 * 7 / 8,
		"and not much less");
}

static void printing(void)
{
	struct nb_delay d = { 0 };
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	nb_delay_add(&d, 500);
	nb_delay_add(&d, 1999);
	nb_delay_add(&d, 4000);
	for (unsigned i = 0; i < 4; i++)
		nb_delay_add(&d, 7900);
	nb_delay_print(&d, "IP", out);
	fclose(out);
	test_str(
		text,
		"IP\n"
		"     usecs               : count     distribution\n"
		"         0 -> 1          : 2        |****************                        |\n"
		"         2 -> 3          : 0        |                                        |\n"
		"         4 -> 7          : 5        |****************************************|\n",
		"a histogram");
	free(text);
	out = open_memstream(&text, &len);
	nb_delay_print_json(&d, "{\"stage\":\"ip\"", out);
	fclose(out);
	test_str(text,
		 "{\"stage\":\"ip\",\"from_us\":0,\"to_us\":1,\"count\":2}\n"
		 "{\"stage\":\"ip\",\"from_us\":2,\"to_us\":3,\"count\":0}\n"
		 "{\"stage\":\"ip\",\"from_us\":4,\"to_us\":7,\"count\":5}\n",
		 "for programs");
	free(text);
}

int main(void)
{
	buckets();
	percentiles();
	printing();
	return test_done();
}
