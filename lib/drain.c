// SPDX-License-Identifier: Apache-2.0
#include "drain.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/membarrier.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Entries at a time; a bucket of the map's must fit. */
#define BATCH 4096

/* What is done to a map. */
struct drain {
	int map;
	size_t key_size;
	size_t value_size;
	bool clear;
	nb_drain_fn fn;
	void *ctx;
};

/* One by one, before Linux 5.6. */
static int drain_singly(const struct drain *d, char *key, void *value)
{
	char *next = malloc(d->key_size);
	bool first = true;
	int ret = next ? 0 : -ENOMEM;

	while (!ret &&
	       !bpf_map_get_next_key(d->map, first ? NULL : key, next)) {
		memcpy(key, next, d->key_size);
		first = d->clear; /* what is left begins with the next */
		ret = bpf_map_lookup_elem(d->map, key, value);
		ret = ret == -ENOENT ? 0
		      : ret	     ? ret
				     : d->fn(d->ctx, key, value);
		if (d->clear && !ret)
			ret = bpf_map_delete_elem(d->map, key);
		if (ret == -ENOENT)
			ret = 0;
	}
	free(next);
	return ret;
}

static int drain_batches(const struct drain *d, char *keys, char *values)
{
	__u64 at[2]; /* where it goes on; at least 4 bytes and a key's */
	void *from = NULL;
	int ret = 0, err;

	do {
		__u32 n = BATCH;

		err = d->clear ? bpf_map_lookup_and_delete_batch(
					 d->map, from, at, keys, values, &n,
					 NULL)
			       : bpf_map_lookup_batch(d->map, from, at, keys,
						      values, &n, NULL);
		if (err && err != -ENOENT)
			return err;
		for (__u32 i = 0; i < n && !ret; i++)
			ret = d->fn(d->ctx, keys + i * d->key_size,
				    values + i * d->value_size);
		from = at;
	} while (!err && !ret);
	return ret;
}

static int drain(const struct drain *d)
{
	char *keys = malloc(BATCH * d->key_size);
	char *values = malloc(BATCH * d->value_size);
	int err = -ENOMEM;

	if (keys && values) {
		err = drain_batches(d, keys, values);
		if (err == -EINVAL || err == -ENOTSUP || err == -524)
			err = drain_singly(d, keys, values);
	}
	free(keys);
	free(values);
	return err;
}

int nb_drain_read(int map, size_t key_size, size_t value_size, nb_drain_fn fn,
		  void *ctx)
{
	const struct drain d = { map, key_size, value_size, false, fn, ctx };

	return drain(&d);
}

int nb_drain_clear(int map, size_t key_size, size_t value_size, nb_drain_fn fn,
		   void *ctx)
{
	const struct drain d = { map, key_size, value_size, true, fn, ctx };

	return drain(&d);
}

/*
 * The kernel waits for a grace period when user space changes a map of maps, so
 * that nobody uses the one that was there (maybe_wait_bpf_programs() in
 * kernel/bpf/syscall.c).
 */
static int wait_by_map(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts);
	const __u32 zero = 0;
	int inner, outer, err = -1;

	inner = bpf_map_create(BPF_MAP_TYPE_ARRAY, "netbcc_in", 4, 4, 1, NULL);
	opts.inner_map_fd = (__u32)inner;
	outer = inner < 0 ? -1
			  : bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS,
					   "netbcc_out", 4, 4, 1, &opts);
	if (outer >= 0)
		err = bpf_map_update_elem(outer, &zero, &inner, BPF_ANY);
	if (outer >= 0)
		close(outer);
	if (inner >= 0)
		close(inner);
	return err;
}

void nb_drain_wait(void)
{
	const struct timespec pause = { .tv_nsec = 50 * 1000 * 1000 };

	/* With one processor it does nothing; with nohz_full it refuses. */
	if (sysconf(_SC_NPROCESSORS_ONLN) > 1 &&
	    !syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		return;
	if (wait_by_map())
		nanosleep(&pause, NULL);
}
