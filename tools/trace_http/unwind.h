/* SPDX-License-Identifier: Apache-2.0 */
/* Return addresses by DWARF, from a copy of the stack. */
#ifndef NB_TRACE_HTTP_UNWIND_H
#define NB_TRACE_HTTP_UNWIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frames.h"
#include "maps.h"
#include "stack.h"

/* A stack as addresses, leaf first. */
struct http_chain {
	uint64_t pc[HTTP_FRAMES_MAX];
	bool at[HTTP_FRAMES_MAX]; /* the instruction that was executing; else
				   * the one behind a call */
	size_t n;
	bool complete; /* up to where the thread began */
	bool astray;   /* the next one would be in nothing that is mapped */
};

struct http_unwind;

/*
 * For stacks of a process with these @maps, which must outlive it and must not
 * change. 0 or -errno. The caller frees *ret with http_unwind_free().
 */
int http_unwind_new(const struct http_maps *maps, struct http_unwind **ret);
void http_unwind_free(struct http_unwind *unwind);

/* 0, also when it did not get far; -ENODATA without registers or copy; or
 * -errno. */
int http_unwind_run(struct http_unwind *unwind, const struct http_stack *stack,
		    struct http_chain *ret);

/*
 * What both ways tell, to *ret: @dwarf, and from where that ends, if it does
 * not reach the thread's begin, the frame pointers' @ips. Where these two don't
 * meet, it is @dwarf alone unless that has nothing but the leaf. True: it is
 * whole, as far as can be told.
 */
bool http_chain_splice(const struct http_chain *dwarf, const __u64 *ips,
		       size_t nips, struct http_chain *ret);

#endif
