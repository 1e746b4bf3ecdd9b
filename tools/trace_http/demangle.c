// SPDX-License-Identifier: Apache-2.0
/* Names as compilers make them, and as people write them. */
#include <libiberty/demangle.h>
#include <stdlib.h>
#include <string.h>

#include "symbols.h"

/* Names that are longer stay as they are: what they say may be very long. */
#define MANGLED_MAX 2048

/* "memcpy@@GLIBC_2.14" -> "memcpy" */
static char *without_version(const char *name)
{
	const char *at = strchr(name, '@');

	return at && at != name ? strndup(name, (size_t)(at - name))
				: strdup(name);
}

char *http_demangle(const char *name)
{
	char *plain = NULL;

	if (strnlen(name, MANGLED_MAX) == MANGLED_MAX)
		return strndup(name, MANGLED_MAX);
	if (name[0] == '_' && (name[1] == 'Z' || name[1] == 'R'))
		plain = rust_demangle(name, 0);
	if (!plain && name[0] == '_' && name[1] == 'Z')
		plain = cplus_demangle_v3(name, DMGL_ANSI);
	return plain ? plain : without_version(name);
}

bool http_symbol_is_eval(const char *name)
{
	static const char eval[] = "_PyEval_EvalFrameDefault";
	const char *rest = name + sizeof(eval) - 1;

	if (strncmp(name, eval, sizeof(eval) - 1))
		return false;
	return !*rest || *rest == '.';
}
