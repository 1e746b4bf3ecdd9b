// SPDX-License-Identifier: Apache-2.0
#include "unwind.h"

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "module.h"

#define TID 1 /* libdwfl wants a number; there is one thread */

struct http_unwind {
	Dwfl *dwfl;
	const struct http_maps *maps;
	const struct http_stack *stack; /* what is unwound now, */
	struct http_chain *chain;	/* into this */
	bool short_of; /* memory that is not in the copy was asked for */
	struct http_module modules[]; /* as many as there are maps */
};

static pid_t next_thread(Dwfl *dwfl, void *ctx, void **thread)
{
	(void)dwfl;
	if (*thread)
		return 0;
	*thread = ctx;
	return TID;
}

static bool get_thread(Dwfl *dwfl, pid_t tid, void *ctx, void **thread)
{
	(void)dwfl;
	*thread = ctx;
	return tid == TID;
}

/* From the copy of the stack, else from what files have. */
static bool read_memory(Dwfl *dwfl, Dwarf_Addr addr, Dwarf_Word *ret, void *ctx)
{
	struct http_unwind *u = ctx;
	uint64_t at = addr - u->stack->sp;
	const struct http_module *m;

	if (at < u->stack->stack_bytes &&
	    u->stack->stack_bytes - at >= sizeof(uint64_t)) {
		memcpy(ret, u->stack->bytes + at, sizeof(uint64_t));
		return true;
	}
	m = http_module_find(dwfl, addr);
	if (m &&
	    !http_binary_read(m->binary, addr - m->bias, ret, sizeof(*ret)))
		return true;
	/* The outermost frame pointer may be NULL. */
	u->short_of |= addr >= 4096;
	return false;
}

#ifdef __aarch64__
static bool set_registers(Dwfl_Thread *thread, void *ctx)
{
	const struct http_stack *st = ((struct http_unwind *)ctx)->stack;
	Dwarf_Word regs[13];

	for (int i = 0; i < 10; i++)
		regs[i] = st->saved[i];
	regs[10] = st->bp;
	regs[11] = st->saved[10];
	regs[12] = st->sp;
	dwfl_thread_state_register_pc(thread, st->ip);
	return dwfl_thread_state_registers(thread, 19, 13, regs);
}
#else
/* The numbers of the x86-64 psABI: 3 rbx, 6 rbp, 7 rsp, 12 r12, 16 the pc. */
static bool set_registers(Dwfl_Thread *thread, void *ctx)
{
	const struct http_stack *st = ((struct http_unwind *)ctx)->stack;
	Dwarf_Word rbx = st->saved[0], frame[2] = { st->bp, st->sp };
	Dwarf_Word rest[5] = { st->saved[1], st->saved[2], st->saved[3],
			       st->saved[4], st->ip };

	return dwfl_thread_state_registers(thread, 3, 1, &rbx) &&
	       dwfl_thread_state_registers(thread, 6, 2, frame) &&
	       dwfl_thread_state_registers(thread, 12, 5, rest);
}
#endif

static const Dwfl_Thread_Callbacks thread_callbacks = {
	.next_thread = next_thread,
	.get_thread = get_thread,
	.memory_read = read_memory,
	.set_initial_registers = set_registers,
};

static int on_frame(Dwfl_Frame *frame, void *ctx)
{
	struct http_unwind *u = ctx;
	struct http_chain *c = u->chain;
	Dwarf_Addr pc;
	bool at;

	if (!dwfl_frame_pc(frame, &pc, &at))
		return DWARF_CB_ABORT;
	if (!http_maps_find(u->maps, pc - !at)) {
		c->astray = true;
		return DWARF_CB_ABORT;
	}
	if (c->n == HTTP_FRAMES_MAX)
		return DWARF_CB_ABORT;
	c->pc[c->n] = pc;
	c->at[c->n++] = at;
	return DWARF_CB_OK;
}

/* One module for a file, however many mappings that has. 0 or -errno. */
static int report(struct http_unwind *u, const struct http_map *map)
{
	struct http_module *module = &u->modules[map - u->maps->map];

	for (const struct http_map *m = u->maps->map; m < map; m++)
		if (m->binary == map->binary && m->bias == map->bias)
			return 0;
	*module = (struct http_module){ .elf = map->binary->elf,
					.binary = map->binary,
					.bias = map->bias };
	return http_module_report(u->dwfl, map->path, module) ? 0 : -ENOMEM;
}

int http_unwind_new(const struct http_maps *maps, struct http_unwind **ret)
{
	struct http_unwind *u =
		calloc(1, sizeof(*u) + maps->n * sizeof(u->modules[0]));
	int err = 0;

	if (!u)
		return -ENOMEM;
	u->maps = maps;
	u->dwfl = http_module_begin();
	if (!u->dwfl) {
		free(u);
		return -ENOMEM;
	}
	for (size_t i = 0; i < maps->n && !err; i++)
		if (maps->map[i].binary && !maps->map[i].jit &&
		    !maps->map[i].binary->no_unwind)
			err = report(u, &maps->map[i]);
	if (!err && dwfl_report_end(u->dwfl, NULL, NULL))
		err = -EBADMSG;
	if (!err &&
	    !dwfl_attach_state(u->dwfl, NULL, TID, &thread_callbacks, u))
		err = -ENODATA;
	if (err)
		http_unwind_free(u);
	else
		*ret = u;
	return err;
}

void http_unwind_free(struct http_unwind *u)
{
	if (!u)
		return;
	dwfl_end(u->dwfl);
	free(u);
}

int http_unwind_run(struct http_unwind *u, const struct http_stack *stack,
		    struct http_chain *ret)
{
	ret->n = 0;
	ret->complete = false;
	ret->astray = false;
	if (!(stack->flags & HTTP_STACK_REGS) || !stack->stack_bytes)
		return -ENODATA;
	u->stack = stack;
	u->chain = ret;
	u->short_of = false;
	/* It returns 0 too when what a frame was saved in can't be read. */
	ret->complete = !dwfl_getthread_frames(u->dwfl, TID, on_frame, u) &&
			!u->short_of;
	return 0;
}

static void take_ips(struct http_chain *c, const __u64 *ips, size_t nips,
		     size_t from)
{
	for (size_t i = from; i < nips && c->n < HTTP_FRAMES_MAX; i++) {
		c->pc[c->n] = ips[i];
		c->at[c->n++] = !i;
	}
}

/*
 * Where frame @i of @c is among the frame pointers' @ips: as often as a
 * recursive function is there, where most of the frames before are the same.
 * SIZE_MAX: nowhere.
 */
static size_t find_frame(const struct http_chain *c, size_t i, const __u64 *ips,
			 size_t nips)
{
	size_t best = SIZE_MAX, most = 0;

	for (size_t j = 0; j < nips; j++) {
		size_t same = 0;

		while (same <= i && same <= j &&
		       c->pc[i - same] == ips[j - same])
			same++;
		if (same && same >= most) {
			most = same;
			best = j;
		}
	}
	return best;
}

bool http_chain_splice(const struct http_chain *dwarf, const __u64 *ips,
		       size_t nips, struct http_chain *ret)
{
	size_t at = SIZE_MAX, i = dwarf->n;

	*ret = *dwarf;
	if (dwarf->complete && dwarf->n)
		return true;
	while (i && at == SIZE_MAX)
		at = find_frame(dwarf, --i, ips, nips);
	if (at != SIZE_MAX && nips - at > dwarf->n - i) {
		ret->n = i + 1;
		take_ips(ret, ips, nips, at + 1);
		return true;
	}
	if (dwarf->n < 2) {
		ret->n = 0;
		take_ips(ret, ips, nips, 0);
	}
	return false;
}
