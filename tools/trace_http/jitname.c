// SPDX-License-Identifier: Apache-2.0
/* What the names in perf maps are made of. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "perfmap.h"

/* "/srv/x.js:3:14" -> "/srv/x.js" and 3. */
static void take_line(char *file, struct http_jit_name *ret)
{
	char *column = strrchr(file, ':'), *line;

	ret->file = file;
	if (!column)
		return;
	*column = '\0';
	line = strrchr(file, ':');
	if (line && line[1] && line[strspn(line + 1, "0123456789") + 1] == 0) {
		ret->line = (uint32_t)strtoul(line + 1, NULL, 10);
		*line = '\0';
	} else {
		*column = ':';
	}
}

void http_jit_name(const char *name, char *buf, size_t size,
		   struct http_jit_name *ret)
{
	static const char *const kinds[] = { "JS:", "LazyCompile:", "Function:",
					     "Script:" };
	char *blank, *colon;

	snprintf(buf, size, "%s", name);
	*ret = (struct http_jit_name){ .name = buf };
	if (!strncmp(buf, "py::", 4) && (colon = strchr(buf + 4, ':'))) {
		*colon = '\0';
		ret->name = buf + 4;
		ret->file = colon + 1;
		return;
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t len = strlen(kinds[i]);

		if (strncmp(buf, kinds[i], len))
			continue;
		blank = strchr(buf, ' ');
		ret->name = buf + len + strspn(buf + len, "*~^+");
		if (!*ret->name || ret->name == blank)
			ret->name = "(anonymous)";
		if (blank) {
			*blank = '\0';
			take_line(blank + 1, ret);
		}
		return;
	}
}
