// SPDX-License-Identifier: Apache-2.0
/* A line of /proc/PID/maps. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "maps.h"

/* A number in @base that ends with @until, behind which *s is then. */
static bool number(char **s, int base, char until, uint64_t *ret)
{
	char *end;

	/* No sign, no blank, no "0x". */
	if (!strchr("0123456789abcdef", **s) || !**s || (*s)[1] == 'x')
		return false;
	errno = 0;
	*ret = strtoull(*s, &end, base);
	if (errno || *end != until)
		return false;
	*s = end + 1;
	return true;
}

int http_maps_parse(char *line, struct http_map_line *ret)
{
	struct http_map_line m = { 0 };
	uint64_t major, minor;
	char *s = line;

	line[strcspn(line, "\n")] = '\0';
	if (!number(&s, 16, '-', &m.start) || !number(&s, 16, ' ', &m.end) ||
	    m.start >= m.end || strnlen(s, 5) < 5 || s[4] != ' ')
		return -EINVAL;
	m.exec = s[2] == 'x';
	s += 5;
	if (!number(&s, 16, ' ', &m.offset) || !number(&s, 16, ':', &major) ||
	    !number(&s, 16, ' ', &minor))
		return -EINVAL;
	m.dev = makedev((unsigned)major, (unsigned)minor);
	/* Without a path the line may end here. */
	if (!number(&s, 10, ' ', &m.inode)) {
		if (!number(&s, 10, '\0', &m.inode))
			return -EINVAL;
		s--;
	}
	m.path = s + strspn(s, " ");
	*ret = m;
	return 0;
}
