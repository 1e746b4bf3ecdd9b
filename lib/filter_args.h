/* SPDX-License-Identifier: Apache-2.0 */
/* The options that choose processes and sockets (filter.h). */
#ifndef NB_FILTER_ARGS_H
#define NB_FILTER_ARGS_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/filter.h"
#include "log.h"
#include "opt.h"
#include "prog.h"

/* Zero-initialise: everything is wanted. */
struct nb_filter_args {
	uint32_t pid; /* 0: any */
	bool ip4;     /* both, or none: either */
	bool ip6;
	const char *user;      /* number or login name; NULL: any */
	const char *netns;     /* as nb_task_netns(); NULL: any */
	const char *cgroupmap; /* pinned at this path; NULL: any */
	const char *mntnsmap;
};

/* Its maps, for nb_prog_spec.maps. */
#define NB_FILTER_MAPS(a)                                      \
	{ "cgroupset", (a)->cgroupmap, 0, sizeof(uint64_t) },  \
	{                                                      \
		"mntnsset", (a)->mntnsmap, 0, sizeof(uint64_t) \
	}

/*
 * The options as an eBPF text knows them, users and namespaces looked up. 0 or
 * -errno, with the reason in @why.
 */
int nb_filter_make(const struct nb_filter_args *args, struct nb_filter *ret,
		   struct nb_error *why);

/*
 * Set *@ret_fd to a descriptor that becomes readable when the process of @args
 * ends, which the caller closes; to -1 where there is none to wait for (pid 0;
 * Linux before 5.3). 0 or -errno, with the reason in @why, when there is no
 * such process.
 */
int nb_filter_watch(const struct nb_filter_args *args, int *ret_fd,
		    struct nb_error *why);

/* Put @ports into the set @map (u16 to u8) of @prog. As nb_prog_set(). */
int nb_filter_ports(const struct nb_prog *prog, const char *map,
		    const struct nb_ports *ports);

#endif
