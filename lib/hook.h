/* SPDX-License-Identifier: Apache-2.0 */
/* A hook: the place in the kernel where a program runs. */
#ifndef NB_HOOK_H
#define NB_HOOK_H

#include <stdbool.h>
#include <stddef.h>

#include "image.h"
#include "kernel.h"
#include "kprobe.h"
#include "links.h"
#include "load.h"
#include "log.h"

enum nb_hook_kind {
	NB_HOOK_RAW_TP, /* target: "inet_sock_set_state" */
	NB_HOOK_TP,	/* target: "syscalls/sys_exit_accept" */
	NB_HOOK_ENTRY,	/* target: a function; as it is called, */
	NB_HOOK_RETURN, /* and as it returns */
	NB_HOOK_ITER,	/* target: "task_file"; once over all that there is, as
			 * it is attached (the BPF iterators, Linux 5.8) */
	NB_HOOK_SAMPLE, /* target: "99"; so many times a second of each CPU that
			 * is online as it is attached, in what runs there,
			 * which the idle task is not (with a hash map that is
			 * BPF_F_NO_PREALLOC Linux 6.1) */
	/* target: a symbol of files that nb_prog_attach_file() is told of; */
	NB_HOOK_UPROBE,	   /* as the function is called, */
	NB_HOOK_URETPROBE, /* and as it returns */
};

/* How a plan's programs get to functions. */
enum nb_hook_how {
	NB_BY_FENTRY,
	NB_BY_KPROBE,
};

struct nb_hook {
	enum nb_hook_kind kind;
	const char *target;
	const char *prog; /* the function in the text */
	unsigned need;	  /* left out unless a bit is in spec.want */
	bool nested_ok; /* an event inside this program's run is none of its */
	bool twice; /* two copies, so that one serves an event inside the other
		     * (they must bear to see every event twice) */
	bool typed; /* NB_HOOK_RAW_TP: the program may follow its arguments'
		     * pointers as C does, for which the verifier knows their
		     * types (tp_btf, Linux 5.5; "#pragma netbcc tracepoint") */
	bool optional; /* left out where the kernel has no such thing, or
			* does not allow it */
	unsigned args; /* NB_HOOK_RAW_TP: that it hands over at least, which
			* only BTF can tell; 0: any number */
	const char *config; /* what a kernel without it lacks, for messages */
	const char *more;   /* another function, which prog may go on with by a
			     * tail call; or NULL. It is put into the one entry */
	const char *more_map; /* of this BPF_PROG_ARRAY */
	unsigned calls; /* of the function that may be under way at once, for a
			 * kprobe's NB_HOOK_RETURN; 0: as the kernel likes
			 * (kretprobe's maxactive) */
};

/*
 * Does the kernel have what @hook attaches to? 0 or -errno, with the reason,
 * and what the kernel would need, in @why.
 */
int nb_hook_usable(struct nb_kernel *kernel, enum nb_hook_how how,
		   const struct nb_hook *hook, struct nb_error *why);

/*
 * How the program of @hook in @img is to be loaded. 0, or -ENOENT when the
 * image has no BTF id of the function, with the reason in @why.
 */
int nb_hook_load(const struct nb_image *img, enum nb_hook_how how,
		 const struct nb_hook *hook, struct nb_load *ret,
		 struct nb_error *why);

/*
 * Attach the loaded program @prog, until the descriptors that are put into
 * @links are closed, and what is in @kprobes removed. 0, or -errno with the
 * reason in @why and nothing in @links.
 */
int nb_hook_attach(struct nb_kernel *kernel, enum nb_hook_how how,
		   const struct nb_hook *hook, int prog, struct nb_links *links,
		   struct nb_kprobes *kprobes, struct nb_error *why);

#endif
