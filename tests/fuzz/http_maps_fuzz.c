// SPDX-License-Identifier: Apache-2.0
/*
 * http_maps_fuzz [COUNT [SEED]]: lines of /proc/PID/maps, and perf maps as
 * processes write them, of which the answers are judged by looking at every
 * line.
 */
#include <stdbool.h>
#include <string.h>

#include "../../tools/trace_http/maps.h"
#include "../../tools/trace_http/perfmap.h"
#include "fuzz.h"

#define LINES 64
#define SPACE 512 /* addresses */

/* Change some characters of @s, which has room for one more. */
static void damage(char *s)
{
	static const char odd[] = "0123456789abcdefx- :\n/rxp\xff+";
	size_t len = strlen(s);

	for (uint64_t n = fuzz_below(3) + 1; n && len; n--) {
		size_t at = fuzz_below(len);

		if (fuzz_below(4))
			s[at] = odd[fuzz_below(sizeof(odd) - 1)];
		else
			s[len = at] = '\0';
	}
}

static int check_line(void)
{
	uint64_t start = fuzz_next() >> fuzz_below(64);
	uint64_t end = start + fuzz_below(1 << 20), offset = fuzz_next() >> 20;
	unsigned inode = (unsigned)fuzz_below(3) * 4711;
	bool whole = fuzz_below(2);
	char line[256], copy[256];
	struct http_map_line m;
	int err;

	snprintf(line, sizeof(line), "%08llx-%08llx r-xp %08llx 08:01 %u%s%s",
		 (unsigned long long)start, (unsigned long long)end,
		 (unsigned long long)offset, inode,
		 fuzz_below(4) ? "     /lib/a b.so (deleted)" : "",
		 fuzz_below(4) ? "\n" : "");
	if (!whole)
		damage(line);
	strcpy(copy, line);
	err = http_maps_parse(line, &m);
	if (whole && start < end && err)
		return fuzz_fail("a good line is refused", copy);
	if (err)
		return 0;
	if (m.start >= m.end || m.path < line || m.path > line + strlen(copy) ||
	    strchr(m.path, '\n'))
		return fuzz_fail("a bad line is taken", copy);
	if (whole && (m.start != start || m.end != end || m.offset != offset ||
		      m.inode != inode || !m.exec))
		return fuzz_fail("another line", copy);
	return 0;
}

/* Whose an address is: that line's which came last. */
struct model {
	char name[SPACE][8]; /* "": nobody's */
};

static size_t make_line(char *s, struct model *m, unsigned i)
{
	unsigned start = (unsigned)fuzz_below(SPACE);
	unsigned size =
		(unsigned)fuzz_below(SPACE - start < 64 ? SPACE - start : 64);
	char name[8];

	sprintf(name, "f%u", i);
	if (size && fuzz_below(16)) {
		for (unsigned a = start; a < start + size; a++)
			strcpy(m->name[a], name);
		return (size_t)sprintf(s, "%x %x %s\n", start, size, name);
	}
	return (size_t)sprintf(s, "%s\n",
			       fuzz_below(2) ? "10 g name" : "12 0 none");
}

static int check_perfmap(void)
{
	static struct model m;
	struct http_perfmap map = { .fd = -1 };
	char text[LINES * 24], *p = text;
	unsigned lines = (unsigned)fuzz_below(LINES);
	int bad = 0;

	memset(&m, 0, sizeof(m));
	for (unsigned i = 0; i < lines; i++) {
		p += make_line(p, &m, i);
		if (fuzz_below(16))
			continue;
		*p = '\0';
		http_perfmap_parse(&map, text, (size_t)(p - text));
		http_perfmap_find(&map, fuzz_below(SPACE));
		p = text;
	}
	*p = '\0';
	http_perfmap_parse(&map, text, (size_t)(p - text));
	for (unsigned a = 0; a < SPACE && !bad; a++) {
		const char *got = http_perfmap_find(&map, a);

		if (strcmp(got ? got : "", m.name[a]) != 0)
			bad = fuzz_fail("another name", got ? got : "none");
	}
	http_perfmap_free(&map);
	return bad;
}

static bool is_inside(const char *s, const char *buf, size_t size)
{
	return s >= buf && s < buf + size;
}

/* Any bytes: nothing is read or written elsewhere. */
static int check_bytes(void)
{
	static const char *const seeds[] = {
		"7f12 40 JS:*f /srv/x.js:3:14\n1 1 a\n",
		"ffffffffffffffff 2 LazyCompile:~ native:1\n0x10 0x8 py::f:/x\n",
		"1 2 Function:^ x:y:z\n1 2 JS:+\n1 2 Script:a :\n1 2 py::\n",
	};
	struct http_perfmap map = { .fd = -1 };
	char text[128], name[32], *copy;
	struct http_jit_name parts;
	size_t len;

	strcpy(text, seeds[fuzz_below(3)]);
	damage(text);
	len = strlen(text);
	copy = malloc(len ? len : 1);
	memcpy(copy, text, len);
	if (len && !fuzz_below(8))
		copy[fuzz_below(len)] = '\0';
	http_perfmap_parse(&map, copy, len);
	free(copy);
	for (size_t i = 0; i < map.n; i++) {
		http_jit_name(map.text + map.jit[i].name, name, sizeof(name),
			      &parts);
		if (!is_inside(parts.name, name, sizeof(name)) &&
		    strcmp(parts.name, "(anonymous)") != 0)
			return fuzz_fail("a name outside", text);
		if (parts.file && !is_inside(parts.file, name, sizeof(name)))
			return fuzz_fail("a file outside", text);
	}
	http_perfmap_find(&map, 1);
	http_perfmap_free(&map);
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t count = fuzz_args(argc, argv);
	unsigned lines = 0, maps = 0, bytes = 0;

	for (uint64_t i = 0; i < count && lines + maps + bytes < 10; i++) {
		lines += (unsigned)check_line();
		bytes += (unsigned)check_bytes();
		if (i % 16 == 0)
			maps += (unsigned)check_perfmap();
	}
	printf("%sok 1 - %llu lines of maps\n", lines ? "not " : "",
	       (unsigned long long)count);
	printf("%sok 2 - %llu perf maps\n", maps ? "not " : "",
	       (unsigned long long)count / 16);
	printf("%sok 3 - %llu that are none\n1..3\n", bytes ? "not " : "",
	       (unsigned long long)count);
	return lines || maps || bytes;
}
