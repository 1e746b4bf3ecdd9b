// SPDX-License-Identifier: Apache-2.0
#include "report.h"

#include <inttypes.h>
#include <stdio.h>

#include "log.h"
#include "reasons.h"

static void report_more(struct err_report *said, const struct nb_prog *prog)
{
	uint64_t now[ERR_REASONS], all = 0;
	char words[1024];
	size_t len = 0;

	nb_prog_sums(prog, "more", ERR_REASONS, now);
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
