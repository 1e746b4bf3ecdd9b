/* SPDX-License-Identifier: Apache-2.0 */
/* What pywalk and its eBPF text share. */
#ifndef NB_PYWALK_H
#define NB_PYWALK_H

#include "../../tools/trace_http/stack.h"

#define PYWALK_TRUTH 8192

/* What to do besides. */
#define PYWALK_STOP 1
#define PYWALK_NATIVE 2

/* A write(2) of a traced process: what it says of its stack, and the stack. */
struct pywalk_event {
	__u32 pid;
	__u32 tid;
	__u64 walk_ns; /* that the walk took */
	__u32 truth_len;
	__u32 pad;
	__u8 truth[PYWALK_TRUTH];
	struct http_stack stack; /* without bytes[], unless PYWALK_NATIVE */
};
#define PYWALK_SIZE __builtin_offsetof(struct pywalk_event, stack.bytes)

#endif
