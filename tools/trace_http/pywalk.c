// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "pymem.h"
#include "pywalk.h"

/* FRAME_OWNED_BY_CSTACK of CPython's pycore_frame.h: a shim. */
#define CSTACK 3

/* Interpreters that are looked at for one that has a thread. */
#define INTERPRETERS 64

/* What all of these functions need. */
struct target {
	pid_t pid;
	const struct http_py_config *config;
};

static uint64_t word_at(const uint8_t *block, uint32_t off)
{
	uint64_t n;

	memcpy(&n, block + off, sizeof(n));
	return n;
}

static int first_interp(const struct target *p, uint64_t *ret)
{
	return http_pymem_pointer(
		p->pid, p->config->runtime + p->config->interp_head, ret);
}

/* Of the interpreter at @interp: its first thread, and the next interpreter. */
static int read_interp(const struct target *p, uint64_t interp,
		       uint64_t *ret_thread, uint64_t *ret_next)
{
	int err = http_pymem_pointer(p->pid, interp + p->config->interp_threads,
				     ret_thread);

	return err ? err
		   : http_pymem_pointer(p->pid, interp + p->config->interp_next,
					ret_next);
}

int http_pywalk_check(pid_t pid, const struct http_py_config *config)
{
	const struct target p = { pid, config };
	uint64_t interp, next, thread, back;
	int err;

	if (config->thread_size >= HTTP_PY_BLOCK ||
	    config->frame_size >= HTTP_PY_BLOCK)
		return -EINVAL;
	err = first_interp(&p, &interp);
	for (int i = 0; i < INTERPRETERS && !err && interp; i++) {
		err = read_interp(&p, interp, &thread, &next);
		if (err)
			break;
		if (thread) {
			err = http_pymem_pointer(
				pid, thread + config->thread_interp, &back);
			return err == -EFAULT || (!err && back != interp)
				       ? -EINVAL
				       : err;
		}
		interp = next;
	}
	if (err == -EFAULT)
		return -EINVAL;
	return err ? err : -EAGAIN;
}

/* The address of the leaf frame of a thread whose state is in @block. */
static int leaf_of(const struct target *p, const uint8_t *block, uint64_t *ret)
{
	uint64_t frame = word_at(block, p->config->thread_frame);

	if (frame && p->config->cframe_frame != HTTP_PY_NONE)
		return http_pymem_pointer(p->pid,
					  frame + p->config->cframe_frame, ret);
	*ret = frame;
	return 0;
}

/* Called for a thread's state. 0: the next one; 1: no more; or -errno. */
typedef int (*thread_fn)(const struct target *p, const uint8_t *block,
			 void *ctx);

/* 0: there are no more; 1: @fn said so; -EFAULT: too many; or -errno. */
static int each_thread(const struct target *p, thread_fn fn, void *ctx)
{
	uint8_t block[HTTP_PY_BLOCK];
	uint64_t interp, thread = 0;
	int err;

	err = first_interp(p, &interp);
	for (int i = 0; i < HTTP_PY_THREADS && !err; i++) {
		if (!thread && !interp)
			return 0;
		if (!thread) {
			err = read_interp(p, interp, &thread, &interp);
			continue;
		}
		err = http_pymem_read(p->pid, thread, block,
				      p->config->thread_size);
		if (err)
			break;
		thread = word_at(block, p->config->thread_next);
		err = fn(p, block, ctx);
	}
	return err ? err : -EFAULT;
}

struct search {
	uint64_t self;
	uint64_t leaf;
	bool found;
};

/* As in http_py_leaf() of the eBPF text. */
static int is_searched(const struct target *p, const uint8_t *block, void *ctx)
{
	struct search *s = ctx;
	int err;

	if (word_at(block, p->config->thread_id) != s->self)
		return 0;
	s->found = true;
	err = leaf_of(p, block, &s->leaf);
	return err ? err : s->leaf != 0;
}

/* As http_py_take() of the eBPF text: is there room? */
static bool take(const struct http_py_config *c, const uint8_t *block,
		 struct http_stack_py *to, size_t *n)
{
	uint64_t code = word_at(block, c->frame_code) & ~HTTP_PY_LAST;
	uint8_t entry = block[c->frame_entry];
	uint32_t index;

	if (c->entry == HTTP_PY_SHIM && entry == CSTACK) {
		if (*n > 0)
			to[*n - 1].code |= HTTP_PY_LAST;
		return true;
	}
	if (*n >= HTTP_STACK_PY)
		return false;
	if (c->entry == HTTP_PY_EACH || (c->entry == HTTP_PY_IS_ENTRY && entry))
		code |= HTTP_PY_LAST;
	to[*n].code = code;
	if (c->instr_size == 4) {
		memcpy(&index, block + c->frame_instr, sizeof(index));
		to[*n].instr = index;
	} else {
		to[*n].instr = word_at(block, c->frame_instr);
	}
	(*n)++;
	return true;
}

/* The frames from the one at @frame on. */
static int read_frames(const struct target *p, uint64_t frame,
		       struct http_stack_py *to, size_t *ret_n)
{
	uint8_t block[HTTP_PY_BLOCK];
	int err;

	*ret_n = 0;
	for (int i = 0; frame && i < 2 * HTTP_STACK_PY + 1; i++) {
		err = http_pymem_read(p->pid, frame, block,
				      p->config->frame_size);
		if (err)
			return err;
		if (!take(p->config, block, to, ret_n))
			return -E2BIG;
		frame = word_at(block, p->config->frame_prev);
	}
	return frame ? -E2BIG : 0;
}

int http_pywalk_read(pid_t pid, const struct http_py_config *config,
		     uint64_t self, struct http_stack_py *to, size_t *ret_n)
{
	const struct target p = { pid, config };
	struct search s = { .self = self };
	int err = each_thread(&p, is_searched, &s);

	*ret_n = 0;
	if (err < 0)
		return err;
	if (err == 0)
		return s.found ? 0 : -ESRCH;
	return read_frames(&p, s.leaf, to, ret_n);
}

struct visit {
	http_pywalk_fn fn;
	void *ctx;
	size_t left;
};

static int visit_thread(const struct target *p, const uint8_t *block, void *ctx)
{
	struct http_stack_py frames[HTTP_STACK_PY];
	struct visit *v = ctx;
	uint64_t leaf = 0;
	size_t n;

	if (leaf_of(p, block, &leaf) || !leaf)
		return 0;
	/* Of one that runs it is what it may be. */
	read_frames(p, leaf, frames, &n);
	v->fn(v->ctx, frames, n);
	return --v->left == 0;
}

void http_pywalk_each(pid_t pid, const struct http_py_config *config,
		      size_t max, http_pywalk_fn fn, void *ctx)
{
	const struct target p = { pid, config };
	struct visit v = { fn, ctx, max };

	each_thread(&p, visit_thread, &v);
}
