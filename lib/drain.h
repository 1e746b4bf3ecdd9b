/* SPDX-License-Identifier: Apache-2.0 */
/* Taking the entries out of a hash map that no program writes to any more. */
#ifndef NB_DRAIN_H
#define NB_DRAIN_H

#include <stddef.h>

/* Called for each entry; both live for the call only. Not 0 ends it. */
typedef int (*nb_drain_fn)(void *ctx, const void *key, const void *value);

/*
 * Call @fn for each entry of the hash map @map, whose entries have these sizes
 * in bytes, and remove them all, those after the last call too. Entries that
 * programs add meanwhile may stay. 0, what @fn returned, or -errno.
 */
int nb_drain(int map, size_t key_size, size_t value_size, nb_drain_fn fn,
	     void *ctx);

/*
 * Wait until every program that was running when this was called has ended
 * (a grace period of RCU, 10 to 30 ms): what it took from a map before is
 * then in use no more.
 */
void nb_drain_wait(void);

#endif
