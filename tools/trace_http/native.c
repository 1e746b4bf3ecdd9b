// SPDX-License-Identifier: Apache-2.0
#include "native.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "binary.h"
#include "maps.h"
#include "process.h"
#include "symbols.h"
#include "unwind.h"

struct http_native {
	struct http_process *processes[HTTP_NATIVE_PROCESSES];
	size_t n;
	uint64_t calls;
	uint64_t lost[HTTP_LOST_REASONS];
	struct http_binaries binaries;
	struct http_chain dwarf; /* large */
	struct http_chain chain;
};

int http_native_new(struct http_native **ret)
{
	struct http_native *n = calloc(1, sizeof(*n));

	if (!n)
		return -ENOMEM;
	*ret = n;
	return 0;
}

void http_native_free(struct http_native *n)
{
	if (!n)
		return;
	for (size_t i = 0; i < n->n; i++) {
		http_process_forget(n->processes[i], &n->binaries);
		free(n->processes[i]);
	}
	http_binaries_free(&n->binaries);
	free(n);
}

static struct http_process *find(struct http_native *n, pid_t pid)
{
	for (size_t i = 0; i < n->n; i++)
		if (n->processes[i]->pid == pid)
			return n->processes[i];
	return NULL;
}

static void drop(struct http_native *n, struct http_process *p)
{
	size_t i = 0;

	while (n->processes[i] != p)
		i++;
	n->processes[i] = n->processes[--n->n];
	http_process_forget(p, &n->binaries);
	free(p);
}

void http_native_close(struct http_native *n, pid_t pid)
{
	struct http_process *p = find(n, pid);

	if (p)
		drop(n, p);
}

static struct http_process *add(struct http_native *n, pid_t pid)
{
	struct http_process *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	if (n->n == HTTP_NATIVE_PROCESSES) {
		struct http_process *oldest = n->processes[0];

		for (size_t i = 1; i < n->n; i++)
			if (n->processes[i]->used < oldest->used)
				oldest = n->processes[i];
		drop(n, oldest);
	}
	p->pid = pid;
	p->perfmap.fd = -1;
	n->processes[n->n++] = p;
	return p;
}

int http_native_open(struct http_native *n, pid_t pid)
{
	struct http_process *p = find(n, pid);
	uint64_t started, exe;
	int err = http_process_identify(pid, &started, &exe);

	if (err)
		return err;
	if (p && p->started == started && p->exe == exe && p->maps.n)
		return 0;
	if (p)
		http_process_forget(p, &n->binaries);
	else
		p = add(n, pid);
	if (!p)
		return -ENOMEM;
	p->started = started;
	p->exe = exe;
	p->used = ++n->calls;
	err = http_process_read(p, &n->binaries);
	if (err)
		drop(n, p);
	return err;
}

/*
 * How many of the frame pointers' addresses there are before one that can't be:
 * a program may use the register for something else.
 */
static size_t count_ips(const struct http_process *p,
			const struct http_stack *stack)
{
	size_t n = 0;

	while (n < stack->nips && n < HTTP_STACK_IPS &&
	       http_maps_find(&p->maps, stack->ips[n] - !!n))
		n++;
	return n;
}

/* By DWARF and by frame pointers, to n->chain. True: all of it. */
static bool follow(struct http_native *n, struct http_process *p,
		   const struct http_stack *stack)
{
	size_t nips = count_ips(p, stack);
	bool whole;

	n->dwarf.n = 0;
	n->dwarf.complete = false;
	n->dwarf.astray = false;
	if (!p->unwind)
		http_unwind_new(&p->maps, &p->unwind);
	if (p->unwind)
		http_unwind_run(p->unwind, stack, &n->dwarf);
	whole = http_chain_splice(&n->dwarf, stack->ips, nips, &n->chain);
	if (n->dwarf.complete || nips == stack->nips)
		return whole;
	n->chain.astray = true;
	return false;
}

/* A frame of code that the process has made. False: it is not known. */
static bool name_jit(struct http_process *p, uint64_t addr, char *buf,
		     size_t size, struct http_frame *frame)
{
	const char *name = http_perfmap_find(&p->perfmap, addr);
	struct http_jit_name parts;

	if (!name)
		return false;
	http_jit_name(name, buf, size, &parts);
	*frame = (struct http_frame){ .name = parts.name,
				      .file = parts.file,
				      .line = parts.line,
				      .kind = HTTP_JIT };
	return true;
}

/* A frame of an ELF file's. False: it is not known. */
static bool name_symbol(struct http_native *n, const struct http_map *map,
			uint64_t addr, struct http_frame *frame)
{
	struct http_symbols *symbols;
	struct http_symbol symbol;
	uint64_t vaddr;

	if (!map->binary || http_map_vaddr(map, addr, &vaddr))
		return false;
	symbols = http_binary_symbols(&n->binaries, map->binary);
	if (!symbols || http_symbols_find(symbols, vaddr, &symbol))
		return false;
	*frame = (struct http_frame){ .name = symbol.name,
				      .file = symbol.file,
				      .line = symbol.line,
				      .kind = HTTP_NATIVE,
				      .eval = symbol.eval };
	return true;
}

static int add_frame(struct http_native *n, struct http_process *p,
		     uint64_t addr, struct http_frames *out)
{
	const struct http_map *map = http_maps_find(&p->maps, addr);
	struct http_frame frame = { .kind = HTTP_UNKNOWN };
	char buf[HTTP_TEXT_MAX];

	if (map && (map->jit ? name_jit(p, addr, buf, sizeof(buf), &frame)
			     : name_symbol(n, map, addr, &frame)))
		return http_frames_add(out, &frame);
	if (!map)
		n->lost[HTTP_LOST_UNMAPPED]++;
	else if (map->jit)
		n->lost[HTTP_LOST_JIT]++;
	else if (!map->binary)
		n->lost[HTTP_LOST_UNOPENED]++;
	else
		n->lost[HTTP_LOST_SYMBOL]++;
	http_map_label(map, buf, sizeof(buf));
	frame.name = buf;
	return http_frames_add(out, &frame);
}

int http_native_resolve(struct http_native *n, pid_t pid,
			const struct http_stack *stack, struct http_frames *out)
{
	struct http_process *p = find(n, pid);
	bool whole;
	int err = 0;

	if (!stack->nips && !(stack->flags & HTTP_STACK_REGS)) {
		n->lost[HTTP_LOST_STACK]++;
		return -ENODATA;
	}
	if (!p && http_native_open(n, pid)) {
		n->lost[HTTP_LOST_PROCESS]++;
		return -ESRCH;
	}
	p = find(n, pid);
	p->used = ++n->calls;
	whole = follow(n, p, stack);
	if (http_process_is_stale(p, &n->chain)) {
		http_process_read(p, &n->binaries);
		whole = follow(n, p, stack);
	}
	for (size_t i = 0; i < n->chain.n && !err; i++)
		err = add_frame(n, p, n->chain.pc[i] - !n->chain.at[i], out);
	if (!whole) {
		n->lost[HTTP_LOST_REST]++;
		out->truncated = true;
	}
	return err == -ENOSPC ? 0 : err;
}

uint64_t http_native_lost(const struct http_native *n,
			  enum http_native_loss why)
{
	return n->lost[why];
}

const char *http_native_loss_name(enum http_native_loss why)
{
	static const char *const names[HTTP_LOST_REASONS] = {
		[HTTP_LOST_STACK] = "stacks that could not be taken",
		[HTTP_LOST_PROCESS] = "stacks of processes that had gone",
		[HTTP_LOST_REST] =
			"stacks that could not be followed to the end",
		[HTTP_LOST_UNMAPPED] = "frames outside of all mappings",
		[HTTP_LOST_UNOPENED] = "frames in files that can't be opened",
		[HTTP_LOST_SYMBOL] = "frames in files without a name for them",
		[HTTP_LOST_JIT] =
			"frames of code made at run time, without a map",
	};

	return names[why];
}
