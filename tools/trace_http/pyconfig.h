/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What it takes to walk a process's CPython, shared with the eBPF text: one
 * entry of the map "http_py" for each such process. Offsets are bytes.
 */
#ifndef HTTP_PYCONFIG_H
#define HTTP_PYCONFIG_H

#include <linux/types.h>

/* The most bytes of a thread's state, and of a frame, that are looked at. */
#define HTTP_PY_BLOCK 256

/* An offset of what is not there. */
#define HTTP_PY_NONE 0xffffffff

/* How frames of Python and the interpreter's loops in C belong together. */
enum http_py_entry {
	HTTP_PY_EACH,	  /* a loop for each frame (to 3.10) */
	HTTP_PY_IS_ENTRY, /* a loop's first frame says so (3.11) */
	HTTP_PY_SHIM,	  /* a loop's first frame is none of Python's (3.12) */
};

/* How a code object has its lines. */
enum http_py_lines {
	HTTP_PY_LNOTAB,	   /* to 3.9 */
	HTTP_PY_LINETABLE, /* 3.10 */
	HTTP_PY_LOCATIONS, /* from 3.11 on */
};

struct http_py_config {
	__u64 runtime; /* the address of _PyRuntime */
	__u32 version; /* as PY_VERSION_HEX: 0x030b07f0 is 3.11.7 */
	__u32 entry;   /* enum http_py_entry */
	__u32 lines;   /* enum http_py_lines */

	/* _PyRuntimeState and PyInterpreterState. */
	__u32 interp_head;
	__u32 interp_next;
	__u32 interp_threads;

	/* PyThreadState; all of it that is of interest is within its size. */
	__u32 thread_size; /* at most HTTP_PY_BLOCK */
	__u32 thread_next;
	__u32 thread_interp;
	__u32 thread_id;
	__u32 thread_frame;
	__u32 cframe_frame; /* thread_frame is a _PyCFrame's address, in
			     * which the frame's is here; else none */

	/* PyFrameObject or _PyInterpreterFrame, likewise. */
	__u32 frame_size; /* at most HTTP_PY_BLOCK */
	__u32 frame_code;
	__u32 frame_prev;
	__u32 frame_instr;
	__u32 instr_size;  /* 4: an index; 8: an address */
	__u32 frame_entry; /* the byte "owner", or is_entry */

	/* For user space only: PyObject, PyTypeObject, PyCodeObject. */
	__u32 obj_type;
	__u32 type_name;
	__u32 code_size; /* up to the end of what is of interest */
	__u32 code_name;
	__u32 code_qualname; /* 0: it has none */
	__u32 code_file;
	__u32 code_line;
	__u32 code_table;
	__u32 code_start;     /* of its instructions; 0: indices */
	__u32 code_traceable; /* the first instruction, in units of two
			       * bytes, with which a frame counts; 0:
			       * not known */
	/* PyASCIIObject, PyCompactUnicodeObject and PyBytesObject. */
	__u32 str_length;
	__u32 str_state;
	__u32 str_ascii;   /* the text of one that is all ASCII */
	__u32 str_compact; /* of others */
	__u32 bytes_size;
	__u32 bytes_data;
};

_Static_assert(sizeof(struct http_py_config) == 144, "shared with eBPF");

/*
 * In http_stack_py.code, whose addresses end below: the interpreter's loop that
 * runs this frame was called for it, so that the next one is of another loop.
 */
#define HTTP_PY_LAST (1ULL << 63)
#define HTTP_PY_ADDR(code) ((code) & ~HTTP_PY_LAST)

/*
 * Thread states that are looked at to find a thread's, the newest first. The
 * kernel's verifier takes about 0.1 ms for each when the program is loaded.
 */
#define HTTP_PY_THREADS 512

#endif
