/* SPDX-License-Identifier: Apache-2.0 */
/* Between lib/open.c, which finds an image, and lib/prog.c, which runs it. */
#ifndef NB_PROG_IMPL_H
#define NB_PROG_IMPL_H

#include "prog.h"

#define NB_PROG_HOOKS 32

struct nb_prog {
	const char *plan; /* its name */
	bool warm;
	bool ringbuf;
	size_t nmaps;
	struct nb_image_map defs[NB_IMAGE_MAX_MAPS];
	int maps[NB_IMAGE_MAX_MAPS];
	struct nb_links links;
	const struct nb_plan *hooks; /* whose uprobes are for files */
	unsigned want;
	struct nb_links file_links;
	struct nb_kprobes kprobes;
	uint64_t missed; /* of kprobes that are removed */
	size_t nprogs;
	struct {
		const char *name; /* of the hook's program, static */
		int fd;
		bool nested_ok;
	} progs[NB_PROG_HOOKS];
};

/*
 * Create the maps of @img and attach the hooks of @plan that @spec wants. 0 or
 * -errno, with the reason in @why and nothing left.
 */
int nb_prog_attach(struct nb_prog *prog, const struct nb_prog_spec *spec,
		   const struct nb_plan *plan, const struct nb_image *img,
		   struct nb_kernel *kernel, struct nb_error *why);

#endif
