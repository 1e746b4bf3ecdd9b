/* SPDX-License-Identifier: Apache-2.0 */
/* From an image into the kernel: maps and programs. */
#ifndef NB_LOAD_H
#define NB_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "image.h"
#include "log.h"

/* Does the kernel have ring buffers (Linux 5.8)? One is made to see. */
bool nb_load_has_ringbuf(void);

/*
 * Create @map with @max_entries instead of its own (0: its own; a ring
 * buffer's are bytes, rounded up to a power of two of pages). A descriptor,
 * which the caller closes, or -errno with the reason in @why.
 */
int nb_load_map(const struct nb_image_map *map, uint32_t max_entries,
		struct nb_error *why);

/*
 * Open the map pinned at @path, which must be a hash map with keys of @key_size
 * bytes. As nb_load_map().
 */
int nb_load_pinned(uint32_t key_size, const char *path, struct nb_error *why);

/* What a program is loaded for. */
struct nb_load {
	enum bpf_prog_type type;
	enum bpf_attach_type attach; /* fentry and fexit, files */
	uint32_t btf_id;	     /* their function's, in the kernel's BTF */
};

/*
 * Attach an empty fentry program to the function with this BTF id, and detach
 * it: 0 when the kernel lets one, or -errno (524 is ENOTSUPP).
 */
int nb_load_try_fentry(uint32_t btf_id);

/*
 * Load the program @name of @img, with the descriptors @maps (as many as the
 * image has maps) in place of their indices. A descriptor, which the caller
 * closes, or -errno with the reason in @why; the verifier's log is shown when
 * the log is verbose.
 */
int nb_load_prog(const struct nb_image *img, const char *name,
		 const struct nb_load *load, const int *maps,
		 struct nb_error *why);

#endif
