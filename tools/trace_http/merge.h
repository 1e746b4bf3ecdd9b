/* SPDX-License-Identifier: Apache-2.0 */
/* One stack of the native one and that of an interpreter's language. */
#ifndef HTTP_MERGE_H
#define HTTP_MERGE_H

#include "frames.h"

/*
 * Put @native, a stack of which frames with "eval" are the interpreter's loop,
 * and @python, whose frames with "eval" are the last ones of a loop, behind
 * what is in @out, leaf first:
 *
 * - what was called from Python (send(), sock_send()), but for how the loop
 *   calls it (cfunction_vectorcall_NOARGS);
 * - in the place of each loop the frames that it runs;
 * - between loops what is no part of the interpreter's way from one function to
 *   the next: list.sort() that calls a key function, but not
 *   _PyFunction_Vectorcall();
 * - below the last loop nothing when it is only how python itself or one of its
 *   threads starts; of a program that has CPython in it, its own frames.
 *
 * Without a loop in @native its frames are the leaf of Python's. Where Python's
 * are no more, as of a stack cut at 64, loops stay as they are called; where
 * loops are no more, as of a native stack that could not be followed to its
 * end, the rest of Python's is below it. @out is truncated where it ends early.
 * 0, or -ENOMEM.
 */
int http_merge(const struct http_frames *native,
	       const struct http_frames *python, struct http_frames *out);

/*
 * Is a native function of this name the interpreter's own way from one function
 * to the next, or how it starts? So is, by "[python3.11]" and
 * "[libpython3.so]", what has no name in it.
 */
bool http_merge_is_internal(const char *name);

#endif
