/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The Python frames of the current thread, while it is inside a system call or
 * a function of C. The interpreter's lock may well be free then, or another
 * thread's, so that no variable of the interpreter's says which of its thread
 * states is this thread's: it is the one whose thread_id (pthread_self()) is.
 */
#ifndef HTTP_PYTHON_BPF_H
#define HTTP_PYTHON_BPF_H

#include "kernel.bpf.h"
#include "loop.bpf.h"
#include "pyconfig.h"
#include "stack.h"

/* By process (tgid): those that are CPython. */
BPF_HASH(http_py, u32, struct http_py_config, 1024);

/*
 * By thread (pid): where its state was found last, if it took HTTP_PY_FAR. It
 * is looked at again before it is believed.
 */
BPF_TABLE("lru_hash", u32, u64, http_py_threads, 16384);
#define HTTP_PY_FAR 8

/* FRAME_OWNED_BY_CSTACK of CPython's pycore_frame.h: a shim. */
#define HTTP_PY_CSTACK 3

/* asm-generic/errno-base.h, which is no kernel type. */
#define HTTP_PY_ESRCH 3
#define HTTP_PY_E2BIG 7
#define HTTP_PY_EFAULT 14

/* What is at an offset in a block; fields are aligned to their size. */
#define HTTP_PY_AT(block, type, off) \
	(*(type *)((block) +         \
		   ((off) & (HTTP_PY_BLOCK - 1) & ~(u32)(sizeof(type) - 1))))

/* Read @size bytes, fewer than HTTP_PY_BLOCK; is it done? */
static inline int http_py_read(u8 *block, u32 size, u64 from)
{
	asm volatile("" : "+r"(size)); /* the clamp stays where it is */
	size &= HTTP_PY_BLOCK - 1;
	return !bpf_probe_read_user(block, size, (void *)from);
}

/* The pointer at this address; 0 when it can't be read. */
static inline u64 http_py_pointer(u64 from)
{
	u64 to = 0;

	bpf_probe_read_user(&to, sizeof(to), (void *)from);
	return to;
}

static inline u64 http_py_thread_pointer(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();

#ifdef NB_ARCH_arm64
	return NB_GET(task, thread.uw.tp_value);
#else
	return NB_GET(task, thread.fsbase);
#endif
}

/* Is @self what pthread_self() returns where the thread pointer is @tp? */
static inline int http_py_is_self(u64 self, u64 tp)
{
#ifdef NB_ARCH_arm64
	/* That ends at the thread pointer. */
	return tp - self < 4096;
#else
	return tp == self;
#endif
}

/*
 * Of the thread state in @block: let *@thread be the next one. Is it the
 * thread's whose thread pointer is @tp? Its leaf frame, or 0, is *@frame then.
 */
static inline int http_py_look(const struct http_py_config *c, u8 *block,
			       u64 *thread, u64 tp, u64 *frame)
{
	*thread = HTTP_PY_AT(block, u64, c->thread_next);
	if (!http_py_is_self(HTTP_PY_AT(block, u64, c->thread_id), tp))
		return 0;
	*frame = HTTP_PY_AT(block, u64, c->thread_frame);
	if (*frame && c->cframe_frame != HTTP_PY_NONE)
		*frame = http_py_pointer(*frame + c->cframe_frame);
	return 1;
}

/* The leaf frame of a thread that was found before; 0: search it. */
static inline u64 http_py_known(const struct http_py_config *c, u8 *block,
				u64 interp, u64 tp)
{
	u32 tid = bpf_get_current_pid_tgid();
	u64 *known = http_py_threads.lookup(&tid), thread, frame = 0;

	/* Of several interpreters it may be another's turn. */
	if (!known || http_py_pointer(interp + c->interp_next))
		return 0;
	if (!http_py_read(block, c->thread_size, *known))
		return 0;
	http_py_look(c, block, &thread, tp, &frame);
	return frame;
}

/*
 * The leaf frame of the current thread, or 0, for which *@err is why. A thread
 * that runs code of several interpreters has a state in each, of which the
 * newest interpreter's that has a frame is running: new interpreters are the
 * first of the list.
 */
static inline u64 http_py_leaf(const struct http_py_config *c, u8 *block,
			       s32 *err)
{
	u64 interp = http_py_pointer(c->runtime + c->interp_head);
	u64 tp = http_py_thread_pointer(), thread = 0, at, frame;
	u32 tid = bpf_get_current_pid_tgid(), i = nb_loop_zero();

	*err = 0;
	frame = http_py_known(c, block, interp, tp);
	if (frame)
		return frame;
	*err = -HTTP_PY_ESRCH;
#pragma clang loop unroll(disable)
	for (; nb_may_loop() && i < HTTP_PY_THREADS; i++) {
		if (!thread) {
			if (!interp)
				return 0;
			thread = http_py_pointer(interp + c->interp_threads);
			interp = http_py_pointer(interp + c->interp_next);
			continue;
		}
		at = thread;
		if (!http_py_read(block, c->thread_size, thread))
			break;
		if (!http_py_look(c, block, &thread, tp, &frame))
			continue;
		*err = 0;
		if (!frame)
			continue;
		if (i > HTTP_PY_FAR)
			http_py_threads.update(&tid, &at);
		return frame;
	}
	*err = -HTTP_PY_EFAULT;
	return 0;
}

/*
 * Put the frame in @block behind the others of @s, if it is one of Python's,
 * and mark where a loop ends. Is there room?
 */
static inline int http_py_take(const struct http_py_config *c, u8 *block,
			       struct http_stack *s)
{
	u8 entry = HTTP_PY_AT(block, u8, c->frame_entry);
	u32 at = s->npy; /* read again each time: any number to the verifier,
			  * which has then one state to look at, not many */
	u64 code;

	if (c->entry == HTTP_PY_SHIM && entry == HTTP_PY_CSTACK) {
		at--;
		if (at < HTTP_STACK_PY)
			s->py[at].code |= HTTP_PY_LAST;
		return 1;
	}
	if (at >= HTTP_STACK_PY)
		return 0;
	code = HTTP_PY_AT(block, u64, c->frame_code) & ~HTTP_PY_LAST;
	if (c->entry == HTTP_PY_EACH || (c->entry == HTTP_PY_IS_ENTRY && entry))
		code |= HTTP_PY_LAST;
	s->py[at].code = code;
	if (c->instr_size == 4)
		s->py[at].instr = HTTP_PY_AT(block, u32, c->frame_instr);
	else
		s->py[at].instr = HTTP_PY_AT(block, u64, c->frame_instr);
	s->npy = at + 1;
	return 1;
}

/*
 * Copy the current thread's frames, leaf first, to @s, which is in a map's
 * value that no program that interrupts this one uses: npy, py[], and py_err,
 * which is 0, or -E2BIG (there are more), -EFAULT (memory could not be read:
 * there may be more), -ESRCH (the thread has no state). Works in bytes[]: the
 * copy of the stack comes later. Nothing of a process is to be trusted, and
 * nothing is: each loop ends.
 */
static inline void http_py_walk(const struct http_py_config *c,
				struct http_stack *s)
{
	u8 *block = s->bytes;
	u32 i = nb_loop_zero();
	u64 frame;
	s32 err;

	s->npy = 0;
	frame = http_py_leaf(c, block, &err);
	/* Up to one shim for each frame. */
#pragma clang loop unroll(disable)
	for (; nb_may_loop() && frame && i < 2 * HTTP_STACK_PY + 1; i++) {
		err = -HTTP_PY_EFAULT;
		if (!http_py_read(block, c->frame_size, frame))
			break;
		err = -HTTP_PY_E2BIG;
		if (!http_py_take(c, block, s))
			break;
		frame = HTTP_PY_AT(block, u64, c->frame_prev);
		if (!frame)
			err = 0;
	}
	s->py_err = err;
}

/*
 * http_py_walk(), if process @tgid, the current one, is in the map; else there
 * are no frames. Before http_stack_take().
 */
static inline void http_python_take(u32 tgid, struct http_stack *s)
{
	struct http_py_config *c = http_py.lookup(&tgid);

	s->npy = 0;
	s->py_err = 0;
	if (c)
		http_py_walk(c, s);
}

#endif
