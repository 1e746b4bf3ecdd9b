// SPDX-License-Identifier: Apache-2.0
#include "delay_sums.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "log.h"

/* What is printed, and how. */
struct output {
	const struct nb_stages *stages;
	const struct nb_delay_args *args;
	unsigned shown; /* stages */
	char now[NB_CLOCK_STRLEN];
};

static void print_hists(const struct nb_delay_sums *sums,
			const struct output *o)
{
	for (unsigned i = 0; i < o->shown; i++) {
		const struct nb_delay *delay = &sums->delay[i];
		char prefix[128];

		if (!delay->n)
			continue;
		if (o->args->json) {
			snprintf(prefix, sizeof(prefix),
				 "{\"time\":\"%s\",\"stage\":\"%s\"", o->now,
				 o->stages->keys[i]);
			nb_delay_print_json(delay, prefix, stdout);
			continue;
		}
		nb_delay_print(delay, o->stages->heads[i], stdout);
		putchar('\n');
	}
}

static void print_head(const struct output *o)
{
	if (!o->args->json && !nb_log_is_quiet())
		printf("%-8s  %-8s %10s %12s %12s %12s %12s\n", o->now, "STAGE",
		       "PACKETS", "P50", "P90", "P99", "MAX");
}

/* What it is in microseconds; of none there is no such thing. */
static void format_us(const struct nb_delay *delay, double part, bool json,
		      char *buf, size_t size)
{
	uint64_t ns =
		part < 1 ? nb_delay_percentile(delay, part) : delay->max_ns;

	if (delay->n)
		snprintf(buf, size, "%.3f", (double)ns / 1000);
	else
		snprintf(buf, size, json ? "null" : "-");
}

static void print_percentiles(const struct nb_delay_sums *sums,
			      const struct output *o)
{
	static const double parts[] = { 0.5, 0.9, 0.99, 1 };

	print_head(o);
	for (unsigned i = 0; i < o->shown; i++) {
		const struct nb_delay *delay = &sums->delay[i];
		char us[4][32];

		/* All of them also when there are none: they are few. */
		if (!delay->n && i >= o->stages->narrow)
			continue;
		for (unsigned k = 0; k < 4; k++)
			format_us(delay, parts[k], o->args->json, us[k],
				  sizeof(us[k]));
		if (o->args->json)
			printf("{\"time\":\"%s\",\"stage\":\"%s\",\"packets\":%" PRIu64
			       ",\"p50_us\":%s,\"p90_us\":%s,\"p99_us\":%s"
			       ",\"max_us\":%s}\n",
			       o->now, o->stages->keys[i], delay->n, us[0],
			       us[1], us[2], us[3]);
		else
			printf("%-8s  %-8s %10" PRIu64 " %12s %12s %12s %12s\n",
			       o->now, o->stages->heads[i], delay->n, us[0],
			       us[1], us[2], us[3]);
	}
	if (!o->args->json)
		putchar('\n');
}

void nb_delay_sums_add(struct nb_delay_sums *sums,
		       const struct nb_stages *stages, const uint64_t *delays)
{
	for (unsigned i = 0; i < stages->n; i++)
		if (delays[i] != NB_DELAY_UNKNOWN)
			nb_delay_add(&sums->delay[i], delays[i]);
}

int nb_delay_sums_print(struct nb_delay_sums *sums,
			const struct nb_stages *stages,
			const struct nb_delay_args *args,
			struct nb_clock *clock)
{
	struct output o = {
		.stages = stages,
		.args = args,
		.shown = args->wide || args->json ? stages->n : stages->narrow,
	};
	uint64_t real_ns;

	nb_clock_sync(clock);
	real_ns = nb_clock_real(clock, nb_clock_now());
	if (args->json)
		nb_clock_rfc3339(clock, real_ns, o.now);
	else
		nb_clock_local(clock, real_ns, 0, o.now);
	if (args->hist)
		print_hists(sums, &o);
	else
		print_percentiles(sums, &o);
	memset(sums, 0, sizeof(*sums));
	errno = 0;
	if (fflush(stdout) || ferror(stdout))
		return errno ? -errno : -EIO;
	return 0;
}
