/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stack of a thread as eBPF takes it, of which user space makes frames: by
 * frame pointers, by DWARF from a copy of the user stack, and of CPython.
 */
#ifndef HTTP_STACK_H
#define HTTP_STACK_H

#include <linux/types.h>

#define HTTP_STACK_IPS 127 /* as the kernel has it: perf_event_max_stack */
#define HTTP_STACK_PY 64
#define HTTP_STACK_SAVED 11
#define HTTP_STACK_CHUNK 4096
#define HTTP_STACK_BYTES (4 * HTTP_STACK_CHUNK)

/*
 * http_stack.flags: the first three say what was wanted, the others what came
 * of it.
 */
enum http_stack_flags {
	HTTP_STACK_WALK = 1 << 0,   /* along the frame pointers, to ips[] */
	HTTP_STACK_COPY = 1 << 1,   /* of the stack, to bytes[] */
	HTTP_STACK_PYTHON = 1 << 2, /* to py[] */
	HTTP_STACK_REGS = 1 << 3,   /* the registers are there */
	HTTP_STACK_ALL = 1 << 4,    /* bytes[] has as much as it can take */
	HTTP_STACK_COMPAT = 1 << 5, /* of a 32-bit program: no registers */
};

/* What a code object was doing: the address of it and of its instruction. */
struct http_stack_py {
	__u64 code;
	__u64 instr;
};

/*
 * Of user space, leaf first. bytes[] is last, as a record may end with what
 * there is of it: http_stack_size() bytes are valid.
 */
struct http_stack {
	__u64 ip; /* 0 without HTTP_STACK_REGS; also in ips[0] */
	__u64 sp; /* where bytes[0] was */
	__u64 bp; /* x86-64: rbp; arm64: x29 */
	/* What functions preserve: rbx, r12 to r15; x19 to x28, and x30. */
	__u64 saved[HTTP_STACK_SAVED];
	__s32 err;    /* -errno of the walk, or 0 */
	__s32 py_err; /* of that of CPython */
	__u32 nips;
	__u32 npy;
	__u32 stack_bytes; /* valid in bytes[] */
	__u32 flags;	   /* enum http_stack_flags */
	__u64 ips[HTTP_STACK_IPS];
	struct http_stack_py py[HTTP_STACK_PY];
	__u8 bytes[HTTP_STACK_BYTES];
};
_Static_assert(sizeof(struct http_stack) == 112 + 24 + 1016 + 1024 + 16384,
	       "shared with eBPF");

/* Bytes without bytes[], and with what is valid of it. */
#define HTTP_STACK_HEAD __builtin_offsetof(struct http_stack, bytes)
#define http_stack_size(stack) (HTTP_STACK_HEAD + (stack)->stack_bytes)

#endif
