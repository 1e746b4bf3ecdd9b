// SPDX-License-Identifier: Apache-2.0
#include "../../tools/trace_http/procs.c"

#include "test.h"

struct http_args http_args;

static void script_is(const char *args, size_t len, const char *want)
{
	const char *got = http_script_of(args, len);

	test_str(got ? got : "none", want, want);
}

#define SCRIPT(args, want) script_is(args, sizeof(args), want)

int main(void)
{
	const struct nb_list names = { { "nova", "a-name-of-18-chars" }, 2 };

	SCRIPT("python3\0/srv/app.py\0x", "app.py");
	SCRIPT("python3\0app.py", "app.py");
	SCRIPT("python3\0-u\0-W\0ignore\0-X\0dev\0a/b.py", "b.py");
	SCRIPT("python3\0-m\0http.server\0"
	       "8080",
	       "http.server");
	SCRIPT("python3\0-c\0print()", "none");
	SCRIPT("node\0--inspect\0/x/server.js", "server.js");
	SCRIPT("java\0-jar\0app.jar", "app.jar");
	SCRIPT("python3", "none");
	SCRIPT("", "none");
	SCRIPT("python3\0/a/", "");
	test_int(http_is_interp("python3.11"), 1, "a version behind it");
	test_int(http_is_interp("nginx"), 0, "no interpreter");
	test_int(http_name_wanted(&names, "nova-api"), 1, "a beginning");
	test_int(http_name_wanted(&names, "nova"), 1, "all of it");
	test_int(http_name_wanted(&names, "nov"), 0, "too short");
	test_int(http_name_wanted(&names, "xnova"), 0, "in the middle");
	test_int(http_name_wanted(&names, "a-name-of-18-chars"), 1, "long");
	test_int(http_name_wanted(&names, ""), 0, "no name");
	return test_done();
}
