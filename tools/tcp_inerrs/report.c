// SPDX-License-Identifier: Apache-2.0
#include "report.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "reasons.h"

void err_report_read(const struct nb_prog *prog, const char *map,
		     uint64_t ret[ERR_REASONS])
{
	int fd = nb_prog_map(prog, map), cpus = libbpf_num_possible_cpus();
	uint64_t *values =
		cpus > 0 ? calloc((size_t)cpus, sizeof(*values)) : NULL;

	memset(ret, 0, ERR_REASONS * sizeof(*ret));
	for (uint32_t r = 0; r < ERR_REASONS && values; r++) {
		if (bpf_map_lookup_elem(fd, &r, values))
			continue;
		for (int i = 0; i < cpus; i++)
			ret[r] += values[i];
	}
	free(values);
}

static void report_more(struct err_report *said, const struct nb_prog *prog)
{
	uint64_t now[ERR_REASONS], all = 0;
	char words[1024];
	size_t len = 0;

	err_report_read(prog, "more", now);
	for (unsigned r = 1; r < ERR_REASONS; r++) {
		uint64_t n = now[r] - said->more[r];

		if (n && len < sizeof(words))
			len += (size_t)snprintf(
				words + len, sizeof(words) - len,
				"%s%s %" PRIu64, all ? ", " : "",
				err_reason_name(r), n);
		all += n;
		said->more[r] = now[r];
	}
	if (all)
		nb_error("%" PRIu64 " more, too fast to be shown (try -s): %s",
			 all, words);
}

void err_report_losses(struct err_report *said, const struct nb_prog *prog,
		       const struct nb_owners *owners)
{
	uint64_t untold = owners->untold - said->untold;

	nb_losses_report(&said->losses, prog, "packets", "--max-peers");
	if (said->unsummed)
		nb_error(
			"%" PRIu64
			" packets not remembered: there was no room (try a larger --max-peers)",
			said->unsummed);
	said->unsummed = 0;
	if (untold)
		nb_error("%" PRIu64
			 " packets whose process there was no time to look for",
			 untold);
	said->untold = owners->untold;
	report_more(said, prog);
}
