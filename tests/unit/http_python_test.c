// SPDX-License-Identifier: Apache-2.0
/* Of CPython what needs no process. */
#include <errno.h>

#include "../../tools/trace_http/pyelf.c"
#include "../../tools/trace_http/pylines.c"
#include "../../tools/trace_http/pymem.c"
#include "../../tools/trace_http/pyoffsets.c"
#include "../../tools/trace_http/pyprobe.c"
#include "../../tools/trace_http/pywalk.c"
#include "test.h"

/*
 * What 3.8, 3.10 and 3.12 have for the same function, with lines that are far
 * apart, go back, or are none, and what they say themselves for each
 * instruction (PyCode_Addr2Line(), co_lines(), co_positions()).
 */
/* clang-format off */
static const uint8_t lnotab[] = {
	0x00, 0x01, 0x0c, 0x01, 0x02, 0x01, 0x02, 0x02, 0x04, 0xfd, 0x06, 0x7f,
	0x00, 0x4d, 0x04, 0x00, 0x04, 0x01, 0x02, 0x01, 0x0a, 0x02, 0x08, 0x7f,
	0x00, 0x7f, 0x00, 0x2f, 0x06, 0x01, 0x0e, 0x01
};
static const uint32_t lnotab_lines[] = {
	2, 2, 2, 2, 2, 2, 3, 4, 6, 6, 3, 3, 3, 207, 207, 207, 207, 208, 209,
	209, 209, 209, 209, 211, 211, 211, 211, 512, 512, 512, 513, 513, 513,
	513, 513, 513, 513, 514, 514
};

static const uint8_t linetable[] = {
	0x0c, 0x01, 0x02, 0x01, 0x02, 0x01, 0x04, 0x02, 0x06, 0xfd, 0x00, 0x7f,
	0x08, 0x4d, 0x02, 0x01, 0x08, 0x01, 0x10, 0x02, 0x00, 0x7f, 0x00, 0x7f,
	0x06, 0x2f, 0x06, 0x01, 0x0a, 0xff, 0x04, 0x02, 0x10, 0xfe, 0x04, 0x02
};
static const uint32_t linetable_lines[] = {
	2, 2, 2, 2, 2, 2, 3, 4, 6, 6, 3, 3, 3, 207, 207, 207, 207, 208, 209,
	209, 209, 209, 211, 211, 211, 211, 211, 211, 211, 211, 512, 512, 512,
	513, 513, 513, 512, 512, 512, 512, 512, 514, 514, 512, 512, 512, 512,
	512, 512, 512, 512, 514, 514
};

static const uint8_t locations[] = {
	0x80, 0x00, 0xdc, 0x0d, 0x12, 0x90, 0x31, 0x8b, 0x58, 0xf2, 0x00, 0x04,
	0x05, 0x11, 0x88, 0x01, 0xdc, 0x08, 0x09, 0xd8, 0x0c, 0x0d, 0xe4, 0x0c,
	0x0d, 0x8b, 0x43, 0xf5, 0x07, 0x03, 0x09, 0x11, 0xf0, 0x03, 0x04, 0x05,
	0x11, 0xf0, 0x5a, 0x06, 0x00, 0x09, 0x0a, 0x80, 0x41, 0x88, 0x71, 0x88,
	0x31, 0xf0, 0x02, 0x03, 0x05, 0x0c, 0xdc, 0x08, 0x09, 0x8c, 0x03, 0xe4,
	0x08, 0x09, 0x8c, 0x03, 0xf0, 0x5a, 0x09, 0x00, 0x0a, 0x0b, 0xf0, 0x00,
	0x01, 0x05, 0x0a, 0x88, 0x61, 0xd9, 0x08, 0x09, 0xf7, 0x03, 0x01, 0x05,
	0x0a, 0xe0, 0x0b, 0x0c, 0x80, 0x48, 0xf8, 0xf4, 0x5f, 0x09, 0x00, 0x09,
	0x0a, 0x8d, 0x03, 0xfa, 0xf7, 0x5a, 0x09, 0x01, 0x05, 0x0a, 0xe0, 0x0b,
	0x0c, 0x80, 0x48, 0xfa
};
static const uint32_t locations_lines[] = {
	1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 4, 6, 6, 6,
	6, 6, 6, 6, 6, 6, 3, 3, 3, 3, 3, 3, 2, 207, 207, 207, 207, 208, 209,
	209, 209, 209, 209, 209, 209, 209, 209, 209, 211, 211, 211, 211, 211,
	211, 211, 211, 211, 211, 512, 512, 512, 513, 513, 512, 512, 512, 512,
	512, 512, 512, 512, 514, 514, 0, 211, 211, 211, 211, 211, 211, 211,
	211, 211, 211, 211, 0, 0, 0, 512, 512, 512, 512, 512, 512, 512, 512,
	514, 514, 0, 0, 0
};

/* clang-format on */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void table(enum http_py_lines kind, const uint8_t *bytes, size_t len,
		  const uint32_t *lines, size_t n, const char *name)
{
	size_t wrong = 0;

	for (size_t i = 0; i < n; i++)
		wrong += http_pylines_find(kind, bytes, len, 1,
					   (int64_t)i * 2) != lines[i];
	test_int((long long)wrong, 0, name);
	test_int(http_pylines_find(kind, bytes, len, 7, -2), 7, "not begun");
	/* Any part of it, in memory of just that size. */
	for (size_t cut = 0; cut < len; cut++) {
		uint8_t *part = malloc(cut + 1);

		memcpy(part, bytes, cut);
		for (size_t i = 0; i < n; i++)
			http_pylines_find(kind, part, cut, 1, (int64_t)i * 2);
		free(part);
	}
	test_ok(true, "cut tables");
}

static void tables_of_lines(void)
{
	/* 300 back, without columns; then the long form, 1000 on. */
	static const uint8_t odd[] = { 0xe8, 0x59, 0x09, 0xf0, 0x50,
				       0x1f, 0,	   1,	 1 };

	table(HTTP_PY_LNOTAB, lnotab, sizeof(lnotab), lnotab_lines,
	      COUNT(lnotab_lines), "lnotab");
	table(HTTP_PY_LINETABLE, linetable, sizeof(linetable), linetable_lines,
	      COUNT(linetable_lines), "linetable");
	table(HTTP_PY_LOCATIONS, locations, sizeof(locations), locations_lines,
	      COUNT(locations_lines), "locations");
	test_int(http_pylines_find(HTTP_PY_LOCATIONS, odd, sizeof(odd), 400, 0),
		 100, "a number of two bytes, negative");
	test_int(http_pylines_find(HTTP_PY_LOCATIONS, odd, sizeof(odd), 400, 2),
		 1100, "and positive");
	test_int(http_pylines_find(HTTP_PY_LOCATIONS, odd, sizeof(odd), 0, 0),
		 0, "below the first line");
}

static void text(const void *from, size_t n, unsigned width, size_t size,
		 const char *want, const char *name)
{
	char *to = malloc(size);
	size_t len = http_pymem_utf8(from, n, width, to, size);

	test_str(to, want, name);
	test_int((long long)len, (long long)strlen(want), "its length");
	free(to);
}

static void texts(void)
{
	static const uint8_t latin1[] = { 'a', 0xfc, 0xff, 0 };
	static const uint16_t ucs2[] = { 0x540d, 0xdcff, 0x7f, 0x7ff, 0x800 };
	static const uint32_t ucs4[] = { 0x10900, 0x10ffff, 0x110000,
					 0xffffffff };

	text(latin1, 4, 1, 16, "a\u00fc\u00ff?", "Latin 1");
	text(ucs2, 5, 2, 32, "\u540d\ufffd\x7f\u07ff\u0800", "two bytes");
	text(ucs4, 4, 4, 32, "\U00010900\U0010ffff\ufffd\ufffd", "four bytes");
	text(ucs2, 5, 2, 6, "\u540d", "no room for half a character");
	text(ucs4, 1, 4, 4, "", "no room for any");
	text("", 0, 1, 1, "", "empty");
}

static void versions(void)
{
	test_int(http_pyprobe_version("/usr/lib/libpython3.9.so.1.0"),
		 0x03090000, "a library");
	test_int(http_pyprobe_version("/usr/bin/python3.12"), 0x030c0000,
		 "a program");
	test_int(
		http_pyprobe_version("/x/_ssl.cpython-310-x86_64-linux-gnu.so"),
		0x030a0000, "a module");
	test_int(http_pyprobe_version("/usr/bin/python3"), 0, "no version");
	test_int(http_pyprobe_version("/usr/bin/python3.9999"), 0, "too many");
	test_int(http_pyprobe_version("/usr/lib/libpython2.7.so.1.0"), 0,
		 "another one");
}

static void offsets(void)
{
	struct http_py_config c = { 0 };
	struct self self = { .cookie = "xdebugpy", .version = 0x030d00f0 };
	uint64_t *number = (uint64_t *)&self;

	for (uint32_t minor = 8; minor <= 12; minor++)
		test_int(http_pyoffsets_of(0x03000000 | minor << 16, &c), 0,
			 "a version with a table");
	test_int(http_pyoffsets_of(0x03070000, &c), -EOPNOTSUPP, "3.7");
	test_int(http_pyoffsets_of(0x030e0000, &c), -EOPNOTSUPP, "3.14");
	for (size_t i = 3; i < sizeof(self) / 8; i++)
		number[i] = 64;
	test_int(http_pyoffsets_self(&self, sizeof(self), &c), 0, "3.13");
	test_int(c.str_compact, 56, "what a str adds");
	test_int(http_pyoffsets_self(&self, sizeof(self) - 1, &c), -EINVAL,
		 "cut");
	self.free_threaded = 1;
	test_int(http_pyoffsets_self(&self, sizeof(self), &c), -EOPNOTSUPP,
		 "without the global lock");
	self.free_threaded = 0;
	self.thread.id = 1 << 12;
	test_int(http_pyoffsets_self(&self, sizeof(self), &c), -EINVAL,
		 "a thread that is too large");
	self.thread.id = 64;
	self.interp.threads = UINT64_MAX;
	test_int(http_pyoffsets_self(&self, sizeof(self), &c), -EINVAL,
		 "an offset that is none");
	self.interp.threads = 64;
	self.version = 0x030e00f0;
	test_int(http_pyoffsets_self(&self, sizeof(self), &c), -EOPNOTSUPP,
		 "a later version");
	self.cookie[0] = 'X';
	test_int(http_pyoffsets_self(&self, sizeof(self), &c), -EINVAL,
		 "no such thing");
}

static void memory(void)
{
	struct http_py_config c = { 0 };
	uint64_t n = 0;

	test_int(http_pymem_read(getpid(), 8, &n, sizeof(n)), -EFAULT,
		 "what is not mapped");
	test_int(http_pymem_read(0x7fffffff, 8, &n, sizeof(n)), -ESRCH,
		 "no such process");
	test_int(http_python_probe(0x7fffffff, &c), -ESRCH, "neither CPython");
	test_int(http_python_probe(getpid(), &c), -ENOENT, "no CPython");
}

int main(void)
{
	tables_of_lines();
	texts();
	versions();
	offsets();
	memory();
	return test_done();
}
