/* SPDX-License-Identifier: Apache-2.0 */
/* How many there were, by reason and peer. */
#ifndef NB_TCP_INERRS_SUMS_H
#define NB_TCP_INERRS_SUMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "prog.h"
#include "reasons.h"
#include "tcp_inerrs.h"

/* Zero-initialise; err_sums_clear() at the end. */
struct err_sums {
	void *tree; /* of struct err_sum; as tsearch(3) has it */
	size_t n;
};

/* What @e counts for. */
void err_sums_key(const struct err_event *e, struct err_sum_key *ret);

/* Count one more of @key. 0, -ENOMEM, or -ENOSPC when there are @max. */
int err_sums_add(struct err_sums *sums, const struct err_sum_key *key,
		 size_t max);

/* There have been @n of @key. 0 or -ENOMEM. */
int err_sums_set(struct err_sums *sums, const struct err_sum_key *key,
		 uint64_t n);

/*
 * What the programs have counted since the last time, in @sums, which is empty.
 * Unless they have ended (@last), they count in the other map from now on, as
 * @config says; those that have looked into this one are waited for before it
 * is emptied. So each packet is in one interval's sums, and what does not come
 * again takes no room in the next. 0 or -errno.
 */
int err_sums_take(struct err_sums *sums, const struct nb_prog *prog,
		  struct err_config *config, bool last);

/*
 * Print them on standard output, as err_args has it: by reason, most first, and
 * of each reason the peers, most first. @time_ns is since the Epoch. 0,
 * -ENOMEM, or -errno of the write.
 */
int err_sums_print(const struct err_sums *sums, const struct err_names *names,
		   uint64_t time_ns);

/* Forget them: there is room for as many others. */
void err_sums_clear(struct err_sums *sums);

#endif
