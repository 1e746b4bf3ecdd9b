/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An eBPF text on its way into the kernel: its image from the cache or from
 * netbcc-cc, maps created, programs loaded, a plan attached.
 */
#ifndef NB_PROG_H
#define NB_PROG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/counters.h"
#include "hook.h"
#include "log.h"

/*
 * A set of hooks; the text is compiled with -DNB_PLAN_<name>, for one with
 * functions with -DNB_FENTRY or -DNB_KPROBE (bpf/func.bpf.h), and for one with
 * typed hooks with -DNB_TYPED (bpf/tp.bpf.h).
 */
struct nb_plan {
	const char *name;
	const struct nb_hook *hooks;
	size_t nhooks;
	enum nb_hook_how how; /* its NB_HOOK_ENTRY and NB_HOOK_RETURN */
	const char *without;  /* a function that this plan would not see: for
			       * kernels whose BTF has none of that name */
	bool preempted; /* its programs run in processes, by fentry: a kernel
			 * that takes the processor from them (nb_preempt())
			 * loses what others of them should see. There this plan
			 * is the last */
};

/* What the command line says about loading. */
struct nb_prog_args {
	bool no_cache;
	bool headers;	    /* types from linux-headers, not from BTF */
	bool perf_buffer;   /* as on kernels before 5.8 */
	unsigned plan;	    /* 1 + index; 0: the first that works */
	uint32_t buffer_kb; /* for "events", all CPUs; rounded up to 2^n */
};

#define NB_PROG_BUFFER_KB 1024

/*
 * Options for the struct nb_prog_args at @a, to be put into a command's table;
 * @plans are the names of its plans, in their order, NULL-terminated. A command
 * whose text has no map "events" takes NB_PROG_LOAD_OPTS only.
 */
/* clang-format off */
#define NB_PROG_LOAD_OPTS(a, plans)                                          \
	{ NB_FLAG, .lng = "no-cache",                                        \
	  .help = "compile anew, and keep nothing", .out = &(a)->no_cache }, \
	{ NB_CHOICE, .lng = "plan", .arg = "NAME", .out = &(a)->plan,        \
	  .choices = plans },                                                \
	{ NB_FLAG, .lng = "headers", .out = &(a)->headers }
#define NB_PROG_OPTS(a, plans)                                               \
	{ NB_U32, .lng = "buffer", .arg = "KB",                              \
	  .help = "size of the buffer for records (default 1024)",           \
	  .out = &(a)->buffer_kb, .min = 4, .max = 1 << 20 },                \
	NB_PROG_LOAD_OPTS(a, plans),                                         \
	{ NB_FLAG, .lng = "perf-buffer", .out = &(a)->perf_buffer }
/* clang-format on */

/* A map that is not as the text has it. */
struct nb_prog_map {
	const char *name;
	const char *pinned;   /* use the map pinned at this path, */
	uint32_t max_entries; /* or make it this large; 0: as in the text */
	uint32_t key_size;    /* of the one that is pinned, bytes */
};

struct nb_prog;

struct nb_prog_spec {
	const char *tool;
	const char *text;
	const struct nb_plan *plans; /* best first */
	size_t nplans;
	unsigned want;	     /* selects hooks */
	const char *variant; /* compile with -DNB_WITH_<variant>; or NULL */
	const struct nb_prog_map *maps;
	size_t nmaps;
	const struct nb_prog_args *args;
	const struct nb_prog *share; /* its maps are those of the same name, as
				      * far as it has them; or NULL */
};

/* A function of a file. */
struct nb_prog_symbol {
	const char *name;
	uint64_t offset; /* in the file, bytes; 0: it has none of that name */
};

/*
 * Load and attach the first plan that works. 0 or -errno, with the reason in
 * @why. On success the caller frees *ret with nb_prog_free().
 */
int nb_prog_open(const struct nb_prog_spec *spec, struct nb_prog **ret,
		 struct nb_error *why);

/*
 * Attach the plan's NB_HOOK_UPROBE and NB_HOOK_URETPROBE to those of the @n
 * symbols that are their targets, in the file at @path, whoever has it mapped
 * by now or later. How many hooks that were, or -errno with the reason in @why
 * and none of them.
 */
int nb_prog_attach_file(struct nb_prog *prog, const char *path,
			const struct nb_prog_symbol *symbols, size_t n,
			struct nb_error *why);

/* Detach everything; maps stay readable. */
void nb_prog_detach(struct nb_prog *prog);
void nb_prog_free(struct nb_prog *prog);

/* The name of the plan that is attached. Lives as long as @prog. */
const char *nb_prog_plan(const struct nb_prog *prog);

/* Was the image found in the cache? */
bool nb_prog_warm(const struct nb_prog *prog);

/* A map's descriptor, which stays @prog's, or -ENOENT. */
int nb_prog_map(const struct nb_prog *prog, const char *name);

/*
 * Put *@value at *@key into the map, whose entries must have these sizes in
 * bytes (-EMSGSIZE). 0, -ENOENT or another -errno.
 */
int nb_prog_set(const struct nb_prog *prog, const char *map, const void *key,
		size_t key_size, const void *value, size_t value_size);

/* Is the map "events" a ring buffer? Otherwise it is a perf event array. */
bool nb_prog_has_ringbuf(const struct nb_prog *prog);

/*
 * How many events the kernel did not run a program for, because it was running
 * already on that CPU (bpf_prog_info.recursion_misses, Linux 5.12; 0 before),
 * or another tracing program was. Hooks that are nested_ok or twice don't
 * count.
 */
uint64_t nb_prog_missed(const struct nb_prog *prog);

/*
 * Add up all processors' values of each of the @n entries of the per-CPU array
 * @map, whose values are u64, into @ret; 0 where it can't be read.
 */
void nb_prog_sums(const struct nb_prog *prog, const char *map, size_t n,
		  uint64_t *ret);

/* A counter of the text. 0 or -errno. */
int nb_prog_count(const struct nb_prog *prog, enum nb_counter which,
		  uint64_t *ret);

#endif
