// SPDX-License-Identifier: Apache-2.0
#include "losses.h"

#include <inttypes.h>

#include "log.h"
#include "prog.h"

void nb_losses_report(struct nb_losses *said, const struct nb_prog *prog,
		      const char *what, const char *remedy)
{
	uint64_t n;

	if (!nb_prog_count(prog, NB_COUNT_MISSED, &n)) {
		n += nb_prog_missed(prog);
		if (n != said->missed) {
			nb_error("lost %" PRIu64 " events: no program saw them",
				 n - said->missed);
			said->missed = n;
		}
	}
	if (!nb_prog_count(prog, NB_COUNT_LOST, &n) && n != said->lost) {
		nb_error(
			"lost %" PRIu64
			" records: the buffer was full (try a larger --buffer)",
			n - said->lost);
		said->lost = n;
	}
	if (!nb_prog_count(prog, NB_COUNT_FULL, &n) && n != said->full) {
		nb_error(
			"%" PRIu64
			" %s not remembered: the map was full (try a larger %s)",
			n - said->full, what, remedy);
		said->full = n;
	}
}

bool nb_losses_any(const struct nb_losses *said, const struct nb_prog *prog)
{
	uint64_t missed = 0, lost = 0, full = 0;

	if (!nb_prog_count(prog, NB_COUNT_MISSED, &missed))
		missed += nb_prog_missed(prog);
	nb_prog_count(prog, NB_COUNT_LOST, &lost);
	nb_prog_count(prog, NB_COUNT_FULL, &full);
	return missed != said->missed || lost != said->lost ||
	       full != said->full;
}
