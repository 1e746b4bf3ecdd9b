// SPDX-License-Identifier: Apache-2.0
/*
 * The tables are what offsetof() is in the headers that CPython installs
 * (Include/internal of 3.8.18, 3.9.18, 3.10.13, 3.11.7 and 3.12.1), on a
 * machine of 64 bits, without Py_TRACE_REFS. Whether they are right for a
 * process is seen when it is looked at (http_python_probe()).
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "pyoffsets.h"

/* Much more than any structure has. */
#define FIELD_MAX 4096
#define INTERP_MAX (1 << 20)

/* What all of them have in common, to 3.12. */
/* clang-format off */
#define COMMON                                                   \
	.interp_next = 0, .thread_next = 8, .thread_interp = 16, \
	.obj_type = 8, .type_name = 24,                          \
	.str_length = 16, .str_state = 32,                       \
	.bytes_size = 16, .bytes_data = 32

/* Frames that are objects, and the code of their time. */
#define FRAME_OBJECTS                                              \
	.entry = HTTP_PY_EACH,                                     \
	.interp_head = 32, .interp_threads = 8,                    \
	.thread_id = 176, .thread_frame = 24,                      \
	.cframe_frame = HTTP_PY_NONE,                              \
	.frame_prev = 24, .frame_code = 32, .instr_size = 4,       \
	.code_name = 112, .code_file = 104, .code_line = 40,       \
	.code_table = 120, .str_ascii = 48, .str_compact = 72

static const struct http_py_config tables[] = {
	{
		.version = 0x0308, .lines = HTTP_PY_LNOTAB,
		COMMON, FRAME_OBJECTS, .frame_instr = 104,
	},
	{
		.version = 0x0309, .lines = HTTP_PY_LNOTAB,
		COMMON, FRAME_OBJECTS, .frame_instr = 104,
	},
	{
		.version = 0x030a, .lines = HTTP_PY_LINETABLE,
		COMMON, FRAME_OBJECTS, .frame_instr = 96,
	},
	{
		.version = 0x030b, .lines = HTTP_PY_LOCATIONS,
		.entry = HTTP_PY_IS_ENTRY, COMMON,
		.interp_head = 40, .interp_threads = 16,
		.thread_id = 152, .thread_frame = 56, .cframe_frame = 8,
		.frame_code = 32, .frame_prev = 48, .frame_instr = 56,
		.instr_size = 8, .frame_entry = 68,
		.code_name = 120, .code_qualname = 128, .code_file = 112,
		.code_line = 72, .code_table = 136, .code_start = 184,
		.code_traceable = 168, .str_ascii = 48, .str_compact = 72,
	},
	{
		.version = 0x030c, .lines = HTTP_PY_LOCATIONS,
		.entry = HTTP_PY_SHIM, COMMON,
		.interp_head = 40, .interp_threads = 72,
		.thread_id = 136, .thread_frame = 56, .cframe_frame = 0,
		.frame_code = 0, .frame_prev = 8, .frame_instr = 56,
		.instr_size = 8, .frame_entry = 70,
		.code_name = 120, .code_qualname = 128, .code_file = 112,
		.code_line = 68, .code_table = 136, .code_start = 192,
		.code_traceable = 176, .str_ascii = 40, .str_compact = 56,
	},
};
/* clang-format on */

/* _Py_DebugOffsets of 3.13: eight letters, then numbers of 64 bits. */
struct self {
	char cookie[8];
	uint64_t version, free_threaded;
	struct {
		uint64_t size, finalizing, interp_head;
	} runtime;
	struct {
		uint64_t size, id, next, threads, gc, modules, sysdict,
			builtins, gil, gil_state, gil_enabled, gil_locked,
			gil_holder;
	} interp;
	struct {
		uint64_t size, prev, next, interp, frame, id, native_id, chunk,
			status;
	} thread;
	struct {
		uint64_t size, prev, executable, instr, locals, owner;
	} frame;
	struct {
		uint64_t size, file, name, qualname, table, line, argcount,
			local_names, local_kinds, start;
	} code;
	struct {
		uint64_t size, type;
	} obj;
	struct {
		uint64_t size, name, repr, flags;
	} type;
	uint64_t tuple[3], list[3], dict[3], floating[2], integer[3];
	struct {
		uint64_t size, length, data;
	} bytes;
	struct {
		uint64_t size, state, length, ascii_size;
	} str;
};
_Static_assert(sizeof(struct self) == HTTP_PY_SELF_SIZE, "CPython's");

static uint32_t end_of(uint32_t size, uint32_t field, uint32_t bytes)
{
	return field + bytes > size ? field + bytes : size;
}

/* How much of each structure is to be read. */
static void set_sizes(struct http_py_config *c)
{
	c->thread_size = end_of(0, c->thread_next, 8);
	c->thread_size = end_of(c->thread_size, c->thread_interp, 8);
	c->thread_size = end_of(c->thread_size, c->thread_id, 8);
	c->thread_size = end_of(c->thread_size, c->thread_frame, 8);
	c->frame_size = end_of(0, c->frame_code, 8);
	c->frame_size = end_of(c->frame_size, c->frame_prev, 8);
	c->frame_size = end_of(c->frame_size, c->frame_instr, c->instr_size);
	c->frame_size = end_of(c->frame_size, c->frame_entry, 1);
	c->code_size = end_of(0, c->code_name, 8);
	c->code_size = end_of(c->code_size, c->code_qualname, 8);
	c->code_size = end_of(c->code_size, c->code_file, 8);
	c->code_size = end_of(c->code_size, c->code_table, 8);
	c->code_size = end_of(c->code_size, c->code_line, 4);
	c->code_size = end_of(c->code_size, c->code_traceable, 4);
}

int http_pyoffsets_of(uint32_t version, struct http_py_config *ret)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		if (tables[i].version != version >> 16)
			continue;
		*ret = tables[i];
		ret->version = version;
		set_sizes(ret);
		return 0;
	}
	return -EOPNOTSUPP;
}

/* Is each number a multiple of eight below @max? */
static bool good_fields(const uint64_t *field, size_t n, uint64_t max)
{
	for (size_t i = 0; i < n; i++)
		if (field[i] >= max || field[i] % 8)
			return false;
	return true;
}

static bool good_self(const struct self *s)
{
	const uint64_t interp[] = { s->runtime.interp_head, s->interp.next,
				    s->interp.threads };
	const uint64_t block[] = {
		s->thread.next,	 s->thread.interp,	s->thread.id,
		s->thread.frame, s->frame.executable,	s->frame.prev,
		s->frame.instr,	 s->frame.owner / 8 * 8
	};
	const uint64_t field[] = { s->code.name,  s->code.qualname,
				   s->code.file,  s->code.table,
				   s->code.start, s->code.line / 4 * 8,
				   s->obj.type,	  s->type.name,
				   s->str.length, s->str.state,
				   s->str.size,	  s->str.ascii_size,
				   s->bytes.data, s->bytes.length };

	return good_fields(interp, 3, INTERP_MAX) &&
	       good_fields(block, 8, HTTP_PY_BLOCK - 8) &&
	       good_fields(field, 14, FIELD_MAX) && s->str.size > 8;
}

static void from_self(const struct self *s, struct http_py_config *c)
{
	/* clang-format off */
	*c = (struct http_py_config){
		.version = s->version,
		.entry = HTTP_PY_SHIM, .lines = HTTP_PY_LOCATIONS,
		.interp_head = s->runtime.interp_head,
		.interp_next = s->interp.next,
		.interp_threads = s->interp.threads,
		.thread_next = s->thread.next,
		.thread_interp = s->thread.interp,
		.thread_id = s->thread.id, .thread_frame = s->thread.frame,
		.cframe_frame = HTTP_PY_NONE,
		.frame_code = s->frame.executable,
		.frame_prev = s->frame.prev, .frame_instr = s->frame.instr,
		.instr_size = 8, .frame_entry = s->frame.owner,
		.obj_type = s->obj.type, .type_name = s->type.name,
		.code_name = s->code.name, .code_qualname = s->code.qualname,
		.code_file = s->code.file, .code_line = s->code.line,
		.code_table = s->code.table, .code_start = s->code.start,
		.str_length = s->str.length, .str_state = s->str.state,
		.str_ascii = s->str.ascii_size,
		/* PyUnicodeObject adds a pointer to it. */
		.str_compact = s->str.size - 8,
		.bytes_size = s->bytes.length, .bytes_data = s->bytes.data,
	};
	/* clang-format on */
	set_sizes(c);
}

int http_pyoffsets_self(const void *runtime, size_t len,
			struct http_py_config *ret)
{
	struct self s;

	if (len < sizeof(s))
		return -EINVAL;
	memcpy(&s, runtime, sizeof(s));
	if (memcmp(s.cookie, "xdebugpy", sizeof(s.cookie)))
		return -EINVAL;
	/* Later ones tag pointers, and have other numbers here. */
	if (s.version >> 16 != HTTP_PY_SELF >> 16 || s.free_threaded)
		return -EOPNOTSUPP;
	if (!good_self(&s))
		return -EINVAL;
	from_self(&s, ret);
	return 0;
}
