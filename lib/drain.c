// SPDX-License-Identifier: Apache-2.0
#include "drain.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/membarrier.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Entries at a time; a bucket of the map's must fit. */
#define BATCH 4096

/* One by one, before Linux 5.6. */
static int drain_singly(int map, void *key, void *value, nb_drain_fn fn,
			void *ctx)
{
	int ret = 0;

	while (!bpf_map_get_next_key(map, NULL, key)) {
		int err = bpf_map_lookup_elem(map, key, value);

		if (!err && !ret)
			ret = fn(ctx, key, value);
		if (err && err != -ENOENT)
			return err;
		err = bpf_map_delete_elem(map, key);
		if (err && err != -ENOENT)
			return err;
	}
	return ret;
}

static int drain_batches(int map, char *keys, size_t key_size, char *values,
			 size_t value_size, nb_drain_fn fn, void *ctx)
{
	__u64 at[2]; /* where it goes on; at least 4 bytes and a key's */
	void *from = NULL;
	int ret = 0, err;

	do {
		__u32 n = BATCH;

		err = bpf_map_lookup_and_delete_batch(map, from, at, keys,
						      values, &n, NULL);
		if (err && err != -ENOENT)
			return err;
		for (__u32 i = 0; i < n && !ret; i++)
			ret = fn(ctx, keys + i * key_size,
				 values + i * value_size);
		from = at;
	} while (!err);
	return ret;
}

int nb_drain(int map, size_t key_size, size_t value_size, nb_drain_fn fn,
	     void *ctx)
{
	char *keys = malloc(BATCH * key_size);
	char *values = malloc(BATCH * value_size);
	int err = -ENOMEM;

	if (keys && values) {
		err = drain_batches(map, keys, key_size, values, value_size, fn,
				    ctx);
		if (err == -EINVAL || err == -ENOTSUP || err == -524)
			err = drain_singly(map, keys, values, fn, ctx);
	}
	free(keys);
	free(values);
	return err;
}

void nb_drain_wait(void)
{
	const struct timespec pause = { .tv_nsec = 20 * 1000 * 1000 };

	/* With one processor it does nothing, and may be not allowed. */
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2 ||
	    syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		nanosleep(&pause, NULL);
}
