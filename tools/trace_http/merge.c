// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>

#include "merge.h"

/*
 * Names of CPython 3.8 to 3.13; one that ends in '*' is the beginning of
 * several.
 */
static const char *const internal[] = {
	/* From the loop to a function, and from there to the next loop. */
	"PyEval_Eval*",
	"_PyEval_Eval*",
	"_PyEval_Vector",
	"_PyFunction_*",
	"function_code_fastcall",
	"PyObject_Call*",
	"_PyObject_Call*",
	"_PyObject_Fast*",
	"_PyObject_MakeTpCall*",
	"PyObject_Vectorcall*",
	"_PyObject_Vectorcall*",
	"PyVectorcall_*",
	"_PyVectorcall_*",
	"object_vacall",
	"callmethod",
	"call_function*",
	"do_call_core*",
	"method_vectorcall*",
	"method_call",
	"cfunction_*",
	"vectorcall_*",
	"_PyCFunction_*",
	"PyCFunction_Call*",
	"_PyMethodDef_RawFast*",
	"type_call",
	"slot_*",
	"wrapper_call",
	"wrap_*",
	"_PyStack_*",
	/* Generators and coroutines. */
	"gen_send_ex*",
	"gen_iternext",
	"gen_send",
	"_gen_throw",
	"PyIter_Send",
	"PyGen_am_send",
	"coro_wrapper_send",
	"async_gen_asend_*",
	/* How the interpreter and its threads start. */
	"PyRun_*",
	"_PyRun_*",
	"pyrun_*",
	"run_mod*",
	"run_eval_code_obj*",
	"pymain_*",
	"Py_RunMain*",
	"Py_BytesMain",
	"Py_Main",
	"builtin_exec*",
	"thread_run",
	"t_bootstrap",
	"pythread_wrapper",
};

/* What is below the interpreter when it is the program. */
static const char *const start[] = {
	"main",	       "_start",    "__libc_start_*", "start_thread",
	"clone",       "__clone*",  "clone3",	      "_dl_relocate_static_pie",
	"[libc.so.6]", "[libc-2.*", "[libpthread*",   "[ld-musl*",
	"[unknown]",
};

static bool is_one_of(const char *name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(list[i]);

		if (list[i][len - 1] == '*' ? !strncmp(name, list[i], len - 1)
					    : !strcmp(name, list[i]))
			return true;
	}
	return false;
}

/* "PyEval_EvalCode.cold", "run_mod.isra.0": a compiler's copy of a part. */
static void strip(const char *name, char *to, size_t size)
{
	size_t len = strcspn(name, ".");

	if (name[0] == '[' || len == 0 || len >= size)
		len = strlen(name) < size ? strlen(name) : size - 1;
	memcpy(to, name, len);
	to[len] = '\0';
}

/* Something in the interpreter, whatever it is. */
static bool is_nameless(const char *name)
{
	return !strncmp(name, "[python", strlen("[python")) ||
	       !strncmp(name, "[libpython", strlen("[libpython"));
}

bool http_merge_is_internal(const char *name)
{
	char plain[HTTP_TEXT_MAX];

	if (is_nameless(name))
		return true;
	strip(name, plain, sizeof(plain));
	return is_one_of(plain, internal,
			 sizeof(internal) / sizeof(internal[0]));
}

static bool is_start(const char *name)
{
	return is_one_of(name, start, sizeof(start) / sizeof(start[0]));
}

static int add(struct http_frames *out, const struct http_frame *frame)
{
	int err = http_frames_add(out, frame);

	return err == -ENOSPC ? 0 : err;
}

/* The number of frames up to the last loop; 0: there is none. */
static size_t end_of_loops(const struct http_frames *native)
{
	size_t n = native->n;

	while (n > 0 && !native->f[n - 1].eval)
		n--;
	return n;
}

/* The frames from *@at on that one loop runs. */
static int add_loop(const struct http_frames *python, size_t *at,
		    struct http_frames *out)
{
	while (*at < python->n) {
		struct http_frame frame = python->f[(*at)++];
		bool last = frame.eval;
		int err;

		frame.eval = false;
		err = add(out, &frame);
		if (err || last)
			return err;
	}
	return 0;
}

static int add_rest(const struct http_frames *python, size_t at,
		    struct http_frames *out)
{
	int err = 0;

	while (at < python->n && !err)
		err = add_loop(python, &at, out);
	return err;
}

/* The frames below all loops, from @at on. */
static int add_bottom(const struct http_frames *native, size_t at,
		      struct http_frames *out)
{
	size_t own = at;
	int err = 0;

	while (own < native->n && (is_start(native->f[own].name) ||
				   http_merge_is_internal(native->f[own].name)))
		own++;
	if (own == native->n)
		return 0;
	for (; at < native->n && !err; at++)
		if (!http_merge_is_internal(native->f[at].name))
			err = add(out, &native->f[at]);
	return err;
}

/* The number of frames that the first loop has called, but for how it has. */
static size_t leaf_of(const struct http_frames *native)
{
	size_t n = 0;

	while (!native->f[n].eval)
		n++;
	/* What has no name may be anything, as sock_send(). */
	while (n > 0 && !is_nameless(native->f[n - 1].name) &&
	       http_merge_is_internal(native->f[n - 1].name))
		n--;
	return n;
}

/* The frames up to the last loop, @n of them, and Python's among them. */
static int add_loops(const struct http_frames *native, size_t n,
		     const struct http_frames *python, size_t *at,
		     struct http_frames *out)
{
	size_t leaf = leaf_of(native);
	int err = 0;

	for (size_t i = 0; i < n && !err; i++) {
		const struct http_frame *frame = &native->f[i];

		if (frame->eval && *at < python->n)
			err = add_loop(python, at, out);
		else if (i < leaf || frame->eval ||
			 !http_merge_is_internal(frame->name))
			err = add(out, frame);
	}
	return err;
}

int http_merge(const struct http_frames *native,
	       const struct http_frames *python, struct http_frames *out)
{
	size_t loops = end_of_loops(native), at = 0;
	int err;

	if (loops == 0 || python->n == 0) {
		for (size_t i = 0; i < native->n; i++) {
			err = add(out, &native->f[i]);
			if (err)
				return err;
		}
		out->truncated |= python->truncated ||
				  (python->n == 0 && native->truncated);
		return add_rest(python, 0, out);
	}
	err = add_loops(native, loops, python, &at, out);
	/* Without its end, what is below is between two loops. */
	if (err == 0 && !native->truncated)
		err = add_rest(python, at, out);
	if (err == 0)
		err = add_bottom(native, loops, out);
	if (err == 0 && native->truncated)
		err = add_rest(python, at, out);
	out->truncated |= python->truncated;
	return err;
}
