// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pycode.h"
#include "pylines.h"
#include "python.h"
#include "pywalk.h"

#define BUCKETS 256

/* Threads of which the code is read in advance. */
#define THREADS_AHEAD 128

struct process {
	struct process *next;
	pid_t pid;
	struct http_pycodes *codes;
};

struct http_python {
	struct process *buckets[BUCKETS];
	struct http_python_lost lost;
};

int http_python_new(struct http_python **ret)
{
	struct http_python *py = calloc(1, sizeof(*py));

	if (!py)
		return -ENOMEM;
	*ret = py;
	return 0;
}

/* The place of the pointer to @pid's process, or of the one to be. */
static struct process **find(struct http_python *py, pid_t pid)
{
	struct process **at = &py->buckets[(unsigned)pid % BUCKETS];

	while (*at && (*at)->pid != pid)
		at = &(*at)->next;
	return at;
}

static void free_at(struct process **at)
{
	struct process *p = *at;

	*at = p->next;
	http_pycodes_free(p->codes);
	free(p);
}

void http_python_free(struct http_python *py)
{
	if (!py)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		while (py->buckets[i])
			free_at(&py->buckets[i]);
	free(py);
}

void http_python_close(struct http_python *py, pid_t pid)
{
	struct process **at = find(py, pid);

	if (*at)
		free_at(at);
}

/* Read the code of these frames, for later. */
static void read_ahead(void *ctx, const struct http_stack_py *frames, size_t n)
{
	const struct http_pycode *code;

	for (size_t i = 0; i < n; i++)
		http_pycodes_get(ctx, HTTP_PY_ADDR(frames[i].code), &code);
}

int http_python_open(struct http_python *py, pid_t pid,
		     const struct http_py_config *config)
{
	struct process *p, **at;
	int err;

	http_python_close(py, pid);
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	err = http_pycodes_new(pid, config, &p->codes);
	if (err) {
		free(p);
		return err;
	}
	p->pid = pid;
	at = find(py, pid);
	p->next = *at;
	*at = p;
	http_pywalk_each(pid, config, THREADS_AHEAD, read_ahead, p->codes);
	return 0;
}

/* Where in its code a frame is, in bytes; negative: before its beginning. */
static int64_t byte_of(const struct http_py_config *c,
		       const struct http_stack_py *frame)
{
	int64_t index = (int32_t)frame->instr;

	if (c->instr_size == 4)
		return c->lines == HTTP_PY_LINETABLE ? 2 * index : index;
	return (int64_t)(frame->instr - HTTP_PY_ADDR(frame->code) -
			 c->code_start);
}

/*
 * A frame that has not come to its first line is none that Python would show
 * (_PyFrame_IsIncomplete()).
 */
static bool is_incomplete(const struct http_py_config *c,
			  const struct http_pycode *code, int64_t at)
{
	return c->instr_size == 8 && at / 2 < (int64_t)(int32_t)code->traceable;
}

/* What is behind the frame in *@f: a code object, or not. */
static int resolve_frame(struct http_python *py, struct http_pycodes *codes,
			 const struct http_stack_py *frame,
			 struct http_frames *out)
{
	const struct http_py_config *c = http_pycodes_config(codes);
	struct http_frame f = { "[unknown]", .kind = HTTP_UNKNOWN };
	const struct http_pycode *code;
	int64_t at = byte_of(c, frame);
	int err;

	f.eval = frame->code & HTTP_PY_LAST;
	err = http_pycodes_get(codes, HTTP_PY_ADDR(frame->code), &code);
	if (err == -ENOMEM)
		return err;
	if (err) {
		py->lost.frames++;
	} else {
		f.name = code->name;
		f.file = code->file;
		f.kind = HTTP_PYTHON;
		f.line = http_pylines_find(c->lines, code->table,
					   code->table_len, code->first, at);
		/* What ends a loop is needed, whatever it is. */
		if (!f.eval && is_incomplete(c, code, at))
			return 0;
	}
	return http_frames_add(out, &f);
}

static void count_lost(struct http_python_lost *lost, int32_t err)
{
	switch (-err) {
	case 0:
		break;
	case E2BIG:
		lost->truncated++;
		break;
	case ESRCH:
		lost->threads++;
		break;
	default:
		lost->faults++;
	}
}

int http_python_resolve(struct http_python *py, pid_t pid,
			const struct http_stack *stack, struct http_frames *out)
{
	struct process *p = *find(py, pid);
	size_t n = stack->npy;
	int err = 0;

	if (!p)
		return -ENOENT;
	count_lost(&py->lost, stack->py_err);
	if (n > HTTP_STACK_PY)
		n = HTTP_STACK_PY;
	for (size_t i = 0; i < n && err == 0; i++)
		err = resolve_frame(py, p->codes, &stack->py[i], out);
	if (stack->py_err == -E2BIG || stack->py_err == -EFAULT)
		out->truncated = true;
	return err == -ENOSPC ? 0 : err;
}

void http_python_lost(const struct http_python *py,
		      struct http_python_lost *ret)
{
	*ret = py->lost;
}
