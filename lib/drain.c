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

/* One by one, before Linux 5.6. */
static int read_singly(int map, char *key, size_t key_size, void *value,
		       nb_drain_fn fn, void *ctx)
{
	char *next = malloc(key_size);
	bool first = true;
	int ret = next ? 0 : -ENOMEM;

	while (!ret && !bpf_map_get_next_key(map, first ? NULL : key, next)) {
		memcpy(key, next, key_size);
		first = false;
		ret = bpf_map_lookup_elem(map, key, value);
		ret = ret == -ENOENT ? 0 : ret ? ret : fn(ctx, key, value);
	}
	free(next);
	return ret;
}

static int clear_singly(int map, void *key)
{
	int err = 0;

	while (!err && !bpf_map_get_next_key(map, NULL, key))
		err = bpf_map_delete_elem(map, key);
	return err;
}

/* @fn NULL: remove them instead. */
static int batches(int map, char *keys, size_t key_size, char *values,
		   size_t value_size, nb_drain_fn fn, void *ctx)
{
	__u64 at[2]; /* where it goes on; at least 4 bytes and a key's */
	void *from = NULL;
	int ret = 0, err;

	do {
		__u32 n = BATCH;

		err = fn ? bpf_map_lookup_batch(map, from, at, keys, values, &n,
						NULL)
			 : bpf_map_lookup_and_delete_batch(map, from, at, keys,
							   values, &n, NULL);
		if (err && err != -ENOENT)
			return err;
		for (__u32 i = 0; fn && i < n && !ret; i++)
			ret = fn(ctx, keys + i * key_size,
				 values + i * value_size);
		from = at;
	} while (!err && !ret);
	return ret;
}

static int drain(int map, size_t key_size, size_t value_size, nb_drain_fn fn,
		 void *ctx)
{
	char *keys = malloc(BATCH * key_size);
	char *values = malloc(BATCH * value_size);
	int err = -ENOMEM;

	if (keys && values) {
		err = batches(map, keys, key_size, values, value_size, fn, ctx);
		if (err == -EINVAL || err == -ENOTSUP || err == -524)
			err = fn ? read_singly(map, keys, key_size, values, fn,
					       ctx)
				 : clear_singly(map, keys);
	}
	free(keys);
	free(values);
	return err;
}

int nb_drain_read(int map, size_t key_size, size_t value_size, nb_drain_fn fn,
		  void *ctx)
{
	return drain(map, key_size, value_size, fn, ctx);
}

int nb_drain_clear(int map, size_t key_size, size_t value_size)
{
	return drain(map, key_size, value_size, NULL, NULL);
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
