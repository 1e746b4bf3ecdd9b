/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a hash map, and emptying it when no program writes to it any more. */
#ifndef NB_DRAIN_H
#define NB_DRAIN_H

#include <stddef.h>

/* Called for each entry; both live for the call only. Not 0 ends it. */
typedef int (*nb_drain_fn)(void *ctx, const void *key, const void *value);

/*
 * Call @fn for each entry of the hash map @map, whose entries have these sizes
 * in bytes. 0, what @fn returned, or -errno.
 */
int nb_drain_read(int map, size_t key_size, size_t value_size, nb_drain_fn fn,
		  void *ctx);

/* As nb_drain_read(), and remove them from the map. */
int nb_drain_clear(int map, size_t key_size, size_t value_size, nb_drain_fn fn,
		   void *ctx);

/*
 * Wait until every program that was running when this was called has ended (a
 * grace period of RCU): what it took from a map before is then in use no more.
 * Where the kernel offers no way to wait, 50 ms.
 */
void nb_drain_wait(void);

#endif
