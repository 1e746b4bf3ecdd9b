// SPDX-License-Identifier: Apache-2.0
/*
 * http_python_fuzz [COUNT [SEED]]: what a process may have in place of
 * CPython's structures: tables of lines, texts, offsets. The sanitizers are the
 * judges, and that a line is one, and a text UTF-8 that ends.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../../tools/trace_http/frames.c"
#include "../../tools/trace_http/pycode.c"
#include "../../tools/trace_http/pylines.c"
#include "../../tools/trace_http/pymem.c"
#include "../../tools/trace_http/pyobj.c"
#include "../../tools/trace_http/pyoffsets.c"
#include "../../tools/trace_http/python.c"
#include "../../tools/trace_http/pywalk.c"
#include "fuzz.h"

#define LEN 64

/* Bytes in memory of just their number. */
static uint8_t *some_bytes(size_t len)
{
	uint8_t *bytes = malloc(len + 1);

	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)fuzz_next();
	return bytes;
}

static int check_lines(void)
{
	size_t len = fuzz_below(LEN);
	uint8_t *table = some_bytes(len);
	enum http_py_lines kind = fuzz_below(3);
	int64_t at = (int64_t)fuzz_below(600) - 20;
	uint32_t line =
		http_pylines_find(kind, table, len, (uint32_t)fuzz_next(), at);

	free(table);
	return line > INT32_MAX;
}

static int check_text(void)
{
	static const unsigned widths[] = { 1, 2, 4 };
	unsigned width = widths[fuzz_below(3)];
	size_t n = fuzz_below(LEN / width), size = 1 + fuzz_below(LEN);
	uint8_t *from = some_bytes(n * width);
	char *to = malloc(size);
	size_t len = http_pymem_utf8(from, n, width, to, size);
	int bad = len >= size || strlen(to) != len;

	free(to);
	free(from);
	return bad;
}

static int check_offsets(void)
{
	struct http_py_config c = { 0 };
	struct self self = { .cookie = "xdebugpy", .version = 0x030d0000 };
	uint64_t *number = (uint64_t *)&self;

	for (size_t i = 3; i < sizeof(self) / 8; i++)
		number[i] = fuzz_below(40) ? 8 * fuzz_below(30) : fuzz_next();
	if (http_pyoffsets_self(&self, sizeof(self), &c))
		return 0;
	return c.thread_size >= HTTP_PY_BLOCK ||
	       c.frame_size >= HTTP_PY_BLOCK || c.code_size > FIELD_MAX + 8 ||
	       c.str_compact > FIELD_MAX || c.interp_next > INTERP_MAX;
}

/* Its words, by turns, are what a structure may have. */
static uint64_t memory[512];

static uint64_t some_word(void)
{
	uint64_t at = (uint64_t)(uintptr_t)&memory[fuzz_below(480)];

	switch (fuzz_below(8)) {
	case 0:
		return fuzz_below(4);
	case 1:
		return fuzz_below(300);
	case 2:
		return fuzz_next();
	case 3:
		return (uint64_t)(uintptr_t) "code";
	case 4:
		return at | 0x6100000000000000; /* no address */
	default:
		return at;
	}
}

/* In memory[]: eight code objects, fourteen texts or tables, and their type. */
#define CODES 8
#define CODE(i) (&memory[32 * (i)])
#define TEXTS 14
#define TEXT(i) (&memory[256 + 16 * (i)])
#define TYPE (&memory[480])

static uint64_t some_text(void)
{
	return (uint64_t)(uintptr_t)TEXT(fuzz_below(TEXTS));
}

/* They are as they should be, and then a few words are not. */
static void make_memory(const struct http_py_config *c)
{
	for (size_t i = 0; i < sizeof(memory) / sizeof(memory[0]); i++)
		memory[i] = some_word();
	TYPE[c->type_name / 8] = (uint64_t)(uintptr_t) "code";
	for (size_t i = 0; i < CODES; i++) {
		CODE(i)[c->obj_type / 8] = (uint64_t)(uintptr_t)TYPE;
		CODE(i)[c->code_name / 8] = some_text();
		CODE(i)[c->code_qualname / 8] = some_text();
		CODE(i)[c->code_file / 8] = some_text();
		CODE(i)[c->code_table / 8] = some_text();
	}
	for (size_t i = 0; i < TEXTS; i++) {
		static const uint8_t states[] = { 0x64, 0x24, 0x28, 0x30 };

		TEXT(i)[c->str_length / 8] = fuzz_below(40);
		TEXT(i)[c->str_state / 8] = states[fuzz_below(4)];
	}
	for (size_t n = fuzz_below(12); n; n--)
		memory[fuzz_below(496)] = some_word();
}

/* Mostly that of a code object. */
static uint64_t some_code(void)
{
	if (fuzz_below(4) == 0)
		return some_word();
	return (uint64_t)(uintptr_t)CODE(fuzz_below(CODES)) |
	       (fuzz_below(2) ? HTTP_PY_LAST : 0);
}

static bool good_frames(const struct http_frames *frames)
{
	for (size_t i = 0; i < frames->n; i++)
		if (frames->f[i].line > INT32_MAX ||
		    strlen(frames->f[i].name) >= HTTP_TEXT_MAX)
			return false;
	return true;
}

static int check_process(struct http_python *py, struct http_frames *frames,
			 uint64_t *ret_names)
{
	struct http_py_config c = { 0 };
	static struct http_stack stack;
	uint64_t self;
	size_t n;

	http_pyoffsets_of(0x03080000 + (uint32_t)(fuzz_below(5) << 16), &c);
	make_memory(&c);
	self = memory[fuzz_below(480)];
	c.runtime = (uint64_t)(uintptr_t)&memory[fuzz_below(400)];
	http_pywalk_check(getpid(), &c);
	http_pywalk_read(getpid(), &c, self, stack.py, &n);
	for (n = 0; n < HTTP_STACK_PY; n++) {
		stack.py[n].code = some_code();
		stack.py[n].instr =
			fuzz_below(2) ? fuzz_below(200)
				      : HTTP_PY_ADDR(stack.py[n].code) +
						c.code_start + fuzz_below(200);
	}
	stack.npy = (uint32_t)fuzz_below(100);
	if (http_python_open(py, getpid(), &c))
		return 1;
	http_frames_clear(frames);
	if (http_python_resolve(py, getpid(), &stack, frames))
		return 1;
	*ret_names += frames->n;
	return !good_frames(frames);
}

int main(int argc, char **argv)
{
	static struct http_frames frames;
	uint64_t count = fuzz_args(argc, argv), names = 0;
	struct http_python_lost lost;
	struct http_python *py;

	if (http_python_new(&py))
		return 1;
	for (uint64_t i = 0; i < count; i++) {
		if (check_lines() || check_text() || check_offsets() ||
		    (i % 100 == 0 && check_process(py, &frames, &names))) {
			printf("not ok 1 - input %llu\n1..1\n",
			       (unsigned long long)i);
			return 1;
		}
	}
	http_python_lost(py, &lost);
	http_python_free(py);
	http_frames_free(&frames);
	/* Had all been unknown, nothing behind that was tested. */
	printf("%sok 1 - %llu inputs, %llu frames, %llu of them unknown\n1..1\n",
	       count >= 10000 && names == lost.frames ? "not " : "",
	       (unsigned long long)count, (unsigned long long)names,
	       (unsigned long long)lost.frames);
	return count >= 10000 && names == lost.frames;
}
