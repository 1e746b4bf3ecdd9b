// SPDX-License-Identifier: Apache-2.0
#include "sums.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "args.h"
#include "log.h"
#include "rows.h"

/* The last stage that is shown, and one. */
static unsigned stages(void)
{
	return in_args.wide || in_args.json ? IN_STAGES : IN_GRO;
}

static void print_hists(const struct in_sums *sums, const char *now)
{
	for (unsigned i = 0; i < stages(); i++) {
		const struct nb_delay *delay = &sums->delay[i];
		char prefix[128];

		if (!delay->n)
			continue;
		if (in_args.json) {
			snprintf(prefix, sizeof(prefix),
				 "{\"time\":\"%s\",\"stage\":\"%s\"", now,
				 in_stage_keys[i]);
			nb_delay_print_json(delay, prefix, stdout);
			continue;
		}
		nb_delay_print(delay, in_stage_heads[i], stdout);
		putchar('\n');
	}
}

static void print_head(const char *now)
{
	if (!in_args.json && !nb_log_is_quiet())
		printf("%-8s  %-8s %10s %12s %12s %12s %12s\n", now, "STAGE",
		       "PACKETS", "P50", "P90", "P99", "MAX");
}

static void print_percentiles(const struct in_sums *sums, const char *now)
{
	static const double parts[] = { 0.5, 0.9, 0.99, 1 };

	print_head(now);
	for (unsigned i = 0; i < stages(); i++) {
		const struct nb_delay *delay = &sums->delay[i];
		double us[4];

		/* All of them also when there are none: they are few. */
		if (!delay->n && i >= IN_GRO)
			continue;
		for (unsigned k = 0; k < 4; k++)
			us[k] = (double)(parts[k] < 1 ? nb_delay_percentile(
								delay, parts[k])
						      : delay->max_ns) /
				1000;
		if (in_args.json)
			printf("{\"time\":\"%s\",\"stage\":\"%s\",\"packets\":%" PRIu64
			       ",\"p50_us\":%.3f,\"p90_us\":%.3f,\"p99_us\":%.3f"
			       ",\"max_us\":%.3f}\n",
			       now, in_stage_keys[i], delay->n, us[0], us[1],
			       us[2], us[3]);
		else
			printf("%-8s  %-8s %10" PRIu64
			       " %12.3f %12.3f %12.3f %12.3f\n",
			       now, in_stage_heads[i], delay->n, us[0], us[1],
			       us[2], us[3]);
	}
	if (!in_args.json)
		putchar('\n');
}

void in_sums_add(struct in_sums *sums, const uint64_t *delays)
{
	for (unsigned i = 0; i < IN_STAGES; i++)
		if (delays[i] != IN_UNKNOWN)
			nb_delay_add(&sums->delay[i], delays[i]);
}

int in_sums_print(struct in_sums *sums, struct nb_clock *clock)
{
	char now[NB_CLOCK_STRLEN];
	uint64_t real_ns;

	nb_clock_sync(clock);
	real_ns = nb_clock_real(clock, nb_clock_now());
	if (in_args.json)
		nb_clock_rfc3339(clock, real_ns, now);
	else
		nb_clock_local(clock, real_ns, 0, now);
	if (in_args.hist)
		print_hists(sums, now);
	else
		print_percentiles(sums, now);
	memset(sums, 0, sizeof(*sums));
	errno = 0;
	if (fflush(stdout) || ferror(stdout))
		return errno ? -errno : -EIO;
	return 0;
}

void in_ends_report(const struct nb_prog *prog)
{
	uint64_t n[IN_ENDS], others;

	nb_prog_sums(prog, "ends", IN_ENDS, n);
	others = n[IN_BEGUN];
	for (unsigned i = IN_BEGUN + 1; i < IN_ENDS; i++)
		if (i != IN_UNSEEN)
			others -= n[i] < others ? n[i] : others;
	nb_note("%" PRIu64 " packets followed: %" PRIu64
		" read by applications, %" PRIu64 " without data, %" PRIu64
		" dropped, %" PRIu64 " not read when closed, %" PRIu64
		" left out, %" PRIu64 " merged, of no connection, or under way",
		n[IN_BEGUN], n[IN_READ], n[IN_NO_DATA], n[IN_DROPPED],
		n[IN_CLOSED], n[IN_UNWANTED], others);
}

void in_room_report(const struct nb_prog *prog, uint64_t *said)
{
	uint64_t n[IN_ENDS];

	nb_prog_sums(prog, "ends", IN_ENDS, n);
	if (n[IN_NO_ROOM] != *said)
		nb_error(
			"%" PRIu64
			" packets not followed to the end: too many waited for applications",
			n[IN_NO_ROOM] - *said);
	*said = n[IN_NO_ROOM];
}
