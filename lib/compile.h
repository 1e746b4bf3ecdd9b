/* SPDX-License-Identifier: Apache-2.0 */
/* Running netbcc-cc, the helper in which LLVM lives. */
#ifndef NB_COMPILE_H
#define NB_COMPILE_H

#include <stddef.h>

#include "log.h"

/*
 * Compile @text with @defines (NULL-terminated array) in a process of its own
 * and hand back the bytes of the image, unchecked. netbcc-cc is looked for
 * beside the running command (../libexec/netbcc-cc,
 * ../libexec/netbcc/netbcc-cc), then where it was to be installed. 0 or
 * -errno, with the reason in @why; what the compiler printed is shown when the
 * log is verbose. On success the caller frees *ret_buf with free().
 */
int nb_compile(const char *text, const char *const *defines, void **ret_buf,
	       size_t *ret_len, struct nb_error *why);

#endif
