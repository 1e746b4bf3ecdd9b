/* SPDX-License-Identifier: Apache-2.0 */
/* How many there were, by reason and peer. */
#ifndef NB_TCP_INERRS_SUMS_H
#define NB_TCP_INERRS_SUMS_H

#include <stddef.h>
#include <stdint.h>

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

/* There have been @n of @key, from the beginning on. 0 or -ENOMEM. */
int err_sums_set(struct err_sums *sums, const struct err_sum_key *key,
		 uint64_t n);

/*
 * Print what has come since the last call on standard output, as err_args has
 * it: by reason, most first, and of each reason the peers, most first. @time_ns
 * is since the Epoch. 0, -ENOMEM, or -errno of the write.
 */
int err_sums_print(struct err_sums *sums, const struct err_names *names,
		   uint64_t time_ns);

void err_sums_clear(struct err_sums *sums);

#endif
