/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which processes are traced: those in "procs", which new ones come to by
 * their names before they can do anything.
 */
#ifndef NB_BPF_PROCS_H
#define NB_BPF_PROCS_H

#include "count.bpf.h"
#include "events.bpf.h"
#include "kernel.bpf.h"
#include "trace_http.h"

/*
 * The compiler is to forget what it knows of @n: it would leave out what the
 * verifier has to see, as a loop's bound where another one ends it before.
 */
#define OPAQUE(n) asm volatile("" : "+r"(n))

#define ARGS_MAX 8     /* of a command line that are looked at */
#define PATH_BYTES 256 /* of a path, likewise; a power of two */

struct http_path {
	u8 text[2 * PATH_BYTES];
	u32 base; /* behind the last slash. In memory the verifier does not
		   * follow its value, and so not a path for each */
};

BPF_ARRAY(config, struct http_config, 1);
BPF_F_TABLE("array", u32, struct http_procs, procs, HTTP_PIDS / HTTP_PROCS_EACH,
	    BPF_F_MMAPABLE);
/* Beginnings of names of processes, and of interpreters of scripts. */
BPF_LPM_TRIE(names, struct http_name, u32, 256);
BPF_LPM_TRIE(interps, struct http_name, u32, 64);
BPF_PERCPU_ARRAY(paths, struct http_path, 1);

static inline struct http_config *get_config(void)
{
	int zero = 0;

	return config.lookup(&zero);
}

/* The flags of a process; NULL: there can be none of that number. */
static inline u8 *find_proc(u32 tgid)
{
	u32 at = tgid / HTTP_PROCS_EACH;
	struct http_procs *p = procs.lookup(&at);

	return p ? &p->flags[tgid % HTTP_PROCS_EACH] : 0;
}

static inline int name_wanted(const void *name)
{
	struct http_name key = { .bits = 8 * HTTP_NAME };

	if (bpf_probe_read_kernel_str(key.name, sizeof(key.name), name) <= 1)
		return 0;
	return names.lookup(&key) != 0;
}

static inline int is_interp(const void *name)
{
	struct http_name key = { .bits = 8 * HTTP_NAME };

	if (bpf_probe_read_kernel_str(key.name, sizeof(key.name), name) <= 1)
		return 0;
	return interps.lookup(&key) != 0;
}

/* Is what is behind the last slash of the @len bytes at @path wanted? */
static inline int base_wanted(struct http_path *path, u32 len)
{
	volatile u32 *base = &path->base;

	*base = 0;
	for (u32 i = 0; i < PATH_BYTES; i++) {
		OPAQUE(len);
		if (i >= len || !path->text[i])
			break;
		if (path->text[i] == '/')
			*base = i + 1;
	}
	return name_wanted(&path->text[*base & (PATH_BYTES - 1)]);
}

static inline int path_wanted(const char *path)
{
	int zero = 0;
	struct http_path *p = paths.lookup(&zero);
	long len;

	if (!p)
		return 0;
	len = bpf_probe_read_kernel_str(p->text, PATH_BYTES, path);
	return len > 1 && base_wanted(p, len);
}

/*
 * Is the script of an interpreter wanted, whose arguments begin at @at? It is
 * the first that is no option, or the module behind -m.
 */
static inline int script_wanted(u64 at)
{
	int zero = 0, value = 0;
	struct http_path *p = paths.lookup(&zero);
	long len = 0;
	u8 option;

	if (!p)
		return 0;
	for (int i = 0; i < ARGS_MAX; i++) {
		len = bpf_probe_read_user_str(p->text, PATH_BYTES, (void *)at);
		if (len <= 0 || len >= PATH_BYTES)
			return 0;
		at += len;
		if (!i || value) {
			value = 0;
			continue;
		}
		if (p->text[0] != '-')
			break;
		option = len == 3 ? p->text[1] : 0;
		if (option == 'c' || option == 'e')
			return 0;
		value = option == 'W' || option == 'X';
	}
	return base_wanted(p, len);
}

static inline int exec_interp(struct linux_binprm *bprm)
{
	struct file *file = NB_GET(bprm, file);
	struct dentry *dentry = NB_GET(file, f_path.dentry);

	return is_interp(NB_GET(dentry, d_name.name));
}

/* By any of the names that it has now. */
static inline int exec_wanted(struct task_struct *task,
			      struct linux_binprm *bprm)
{
	struct file *file = NB_GET(bprm, file);
	struct dentry *dentry = NB_GET(file, f_path.dentry);
	const void *exe = NB_GET(dentry, d_name.name);
	struct mm_struct *mm = NB_GET(task, mm);

	if (name_wanted(&task->comm) || name_wanted(exe) ||
	    path_wanted(NB_GET(bprm, filename)))
		return 1;
	return is_interp(exe) && script_wanted(NB_GET(mm, arg_start));
}

/* User space is to know of it before its first request. */
static inline void tell_new(void *ctx, u32 tgid)
{
	struct http_proc_rec rec = {};

	rec.kind = HTTP_REC_PROC;
	rec.is_new = 1;
	rec.pid = tgid;
	nb_submit(ctx, &rec, sizeof(rec));
}

static inline void add_proc(u32 tgid)
{
	u8 *proc = find_proc(tgid);

	if (proc)
		*proc |= HTTP_PROC_TRACED;
}

/* The process @tgid runs another program. */
static inline void on_exec(void *ctx, struct task_struct *task,
			   struct linux_binprm *bprm)
{
	struct http_config *c = get_config();
	u32 tgid = NB_GET(task, tgid);
	u8 *proc = find_proc(tgid);

	if (!c || !proc)
		return;
	if (*proc & HTTP_PROC_KNOWN) /* user space may be writing here */
		*proc &= ~HTTP_PROC_KNOWN;
	if (!(c->flags & HTTP_NAMED) && exec_interp(bprm))
		tell_new(ctx, tgid);
	if (!(c->flags & HTTP_NAMES))
		return;
	if (exec_wanted(task, bprm)) {
		add_proc(tgid);
		tell_new(ctx, tgid);
	} else if (*proc && !(*proc & HTTP_PROC_PINNED)) {
		*proc = 0;
	}
}

static inline void on_fork(struct task_struct *parent,
			   struct task_struct *child)
{
	u32 from = NB_GET(parent, tgid), to = NB_GET(child, tgid);
	struct http_config *c = get_config();
	u8 *proc;

	if (from == to || !c || !(c->flags & HTTP_NAMED))
		return;
	proc = find_proc(from);
	if (proc && *proc & HTTP_PROC_TRACED && !(*proc & HTTP_PROC_PINNED))
		add_proc(to);
}

static inline void on_rename(struct task_struct *task, const char *name)
{
	struct http_config *c = get_config();

	if (c && c->flags & HTTP_NAMES && name_wanted(name))
		add_proc(NB_GET(task, tgid));
}

/* A thread ends: with the last one, the process. */
static inline void on_exit(struct task_struct *task)
{
	struct signal_struct *signal = NB_GET(task, signal);
	u8 *proc = find_proc(NB_GET(task, tgid));

	if (proc && !NB_GET(signal, live.counter))
		*proc = 0;
}

#endif
