// SPDX-License-Identifier: Apache-2.0
#include "../../tools/trace_http/frames.c"

#include "test.h"

static int add(struct http_frames *frames, const char *name, const char *file,
	       uint32_t line)
{
	const struct http_frame f = { .name = name,
				      .file = file,
				      .line = line };

	return http_frames_add(frames, &f);
}

static void formats(const char *name, const char *file, uint32_t line,
		    const char *want)
{
	const struct http_frame f = { .name = name,
				      .file = file,
				      .line = line };
	char buf[HTTP_FRAME_STRLEN];
	size_t len = http_frame_format(&f, buf);

	test_str(buf, want, want);
	test_int((long long)len, (long long)strlen(want), "its length");
}

static void copies(struct http_frames *frames)
{
	char name[] = "slow", file[] = "/srv/server.py";

	test_int(add(frames, name, file, 11), 0, "one frame");
	memset(name, 'x', 4);
	memset(file, 'x', 4);
	test_str(frames->f[0].name, "slow", "its name is a copy");
	test_str(frames->f[0].file, "/srv/server.py", "its file too");
	test_int(add(frames, "", NULL, 0), 0, "one without a name");
	test_str(frames->f[1].name, "[unknown]", "says so");
	test_int(!frames->f[1].file, 1, "no file is no file");
	http_frames_clear(frames);
	test_int((long long)frames->n, 0, "cleared");
}

/* A name of @len bytes, which end with a euro sign. */
static void cuts(struct http_frames *frames, size_t len, size_t want)
{
	char name[2 * HTTP_TEXT_MAX], what[64];

	memset(name, 'a', len - 3);
	memcpy(name + len - 3, "\xe2\x82\xac", 4);
	http_frames_clear(frames);
	add(frames, name, NULL, 0);
	snprintf(what, sizeof(what), "of %zu bytes %zu are kept", len, want);
	test_int((long long)strlen(frames->f[0].name), (long long)want, what);
}

static void fills(struct http_frames *frames)
{
	char name[HTTP_TEXT_MAX];
	int errors = 0, wrong = 0;

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (int round = 0; round < 3; round++) {
		http_frames_clear(frames);
		for (unsigned i = 0; i < HTTP_FRAMES_MAX; i++) {
			name[0] = (char)('a' + i % 26);
			errors += !!add(frames, name, name, i);
		}
		for (unsigned i = 0; i < HTTP_FRAMES_MAX; i++)
			wrong += frames->f[i].name[0] != (char)('a' + i % 26) ||
				 strlen(frames->f[i].file) != sizeof(name) - 1;
	}
	test_int(errors, 0, "there is room for as many, however long");
	test_int(wrong, 0, "and each is itself");
	test_int(frames->truncated, 0, "none is missing");
	test_int(add(frames, "more", NULL, 0), -ENOSPC, "but for no more");
	test_int(frames->truncated, 1, "which is noted");
	test_int((long long)frames->n, HTTP_FRAMES_MAX, "they are as many");
}

int main(void)
{
	static struct http_frames frames;
	char longest[HTTP_TEXT_MAX], buf[HTTP_FRAME_STRLEN];
	struct http_frame f = { .name = longest,
				.file = longest,
				.line = UINT32_MAX };

	copies(&frames);
	cuts(&frames, HTTP_TEXT_MAX - 1, HTTP_TEXT_MAX - 1);
	cuts(&frames, HTTP_TEXT_MAX, HTTP_TEXT_MAX - 3);
	cuts(&frames, HTTP_TEXT_MAX + 1, HTTP_TEXT_MAX - 2);
	cuts(&frames, HTTP_TEXT_MAX + 2, HTTP_TEXT_MAX - 1);
	fills(&frames);
	http_frames_free(&frames);
	formats("slow_database_query", "/srv/server.py", 11,
		"slow_database_query (server.py:11)");
	formats("main", "server.py", 0, "main (server.py)");
	formats("[libc.so.6]", NULL, 0, "[libc.so.6]");
	formats("main", "", 3, "main");
	formats("main", "dir/", 3, "main (dir/:3)");
	formats("a\nb\tc\x7f", NULL, 0, "a?b?c?");
	formats("na\xc3\xafve\xff\xc2\x9b", "\xe2\x82", 1,
		"na\xc3\xafve?? (??:1)");
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	test_int((long long)http_frame_format(&f, buf), 2 * 1023 + 14,
		 "the longest fits");
	return test_done();
}
