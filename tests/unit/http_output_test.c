// SPDX-License-Identifier: Apache-2.0
#include "../../tools/trace_http/file.c"
#include "../../tools/trace_http/folded.c"
#include "../../tools/trace_http/frames.c"
#include "../../tools/trace_http/output.c"
#include "../../tools/trace_http/report.c"
#include "../../tools/trace_http/speedscope.c"
#include "../../tools/trace_http/stacks.c"
#include "../../tools/trace_http/svg.c"

#include <sys/resource.h>

#include "test.h"

static struct http_frames frames;

/* The frames of @names, leaf first, are the stack. */
static void stack_of(const char *const *names)
{
	http_frames_clear(&frames);
	for (; *names; names++) {
		struct http_frame f = { .name = *names };

		if (!strcmp(*names, "slow")) {
			f.file = "/srv/server.py";
			f.line = 11;
		}
		http_frames_add(&frames, &f);
	}
}

#define STACK(...) stack_of((const char *const[]){ __VA_ARGS__, NULL })

static uint32_t add(struct http_stacks *stacks, const char *comm, uint32_t pid,
		    bool server, uint64_t us)
{
	struct http_whose whose = { .server = server, .pid = pid };

	memcpy(whose.comm, comm, strlen(comm));
	return http_stacks_add(stacks, &whose, &frames, us);
}

static void writes(struct http_stacks *stacks, int (*write)(FILE *, void *),
		   const char *want, const char *name)
{
	char *got = NULL;
	size_t len;
	FILE *out = open_memstream(&got, &len);

	test_int(write(out, stacks), 0, name);
	fclose(out);
	test_str(got, want, name);
	free(got);
}

static void folds(void)
{
	struct http_stacks stacks = { .max_bytes = 1 << 20 };

	writes(&stacks, http_folded_write, "", "nothing");
	STACK("slow", "do_GET", "main");
	test_int(add(&stacks, "py", 1, true, 250000), 1, "the first stack");
	test_int(add(&stacks, "py", 2, false, 2), 2, "of another process");
	test_int(add(&stacks, "py", 1, true, 50), 1, "again the first");
	STACK("a;b\nc", "\xff", "x y");
	test_int(add(&stacks, "p;\n", 3, false, 7), 3, "another stack");
	STACK("main");
	add(&stacks, "py", 1, true, 0);
	http_frames_clear(&frames);
	add(&stacks, "", 1, true, 4);
	writes(&stacks, http_folded_write,
	       "?;[no stack] 4\n"
	       "p,?;x y;?;a,b?c 7\n"
	       "py;main;do_GET;slow (server.py:11) 250052\n",
	       "root first, equals as one, those of no time left out");
	http_stacks_free(&stacks);
}

static void speaks(void)
{
	struct http_stacks stacks = { .max_bytes = 1 << 20 };

	STACK("slow", "\"\\\x01\xff\xc3\xa4");
	add(&stacks, "c\"", 9, true, 5);
	STACK("slow");
	add(&stacks, "c\"", 9, true, 6);
	add(&stacks, "cl", 10, false, 7);
	writes(&stacks, http_speedscope_write,
	       "{\"$schema\":\"" SCHEMA "\",\"exporter\":\"netbcc " NB_VERSION
	       "\",\"name\":\"trace_http\",\"activeProfileIndex\":0,"
	       "\"shared\":{\"frames\":["
	       "{\"name\":\"slow\",\"file\":\"/srv/server.py\",\"line\":11},\n"
	       "{\"name\":\"\\\"\\\\\\u0001\xef\xbf\xbd\xc3\xa4\"},\n"
	       "{\"name\":\"[other stacks]\"}]},\"profiles\":[\n"
	       "{\"type\":\"sampled\",\"name\":\"client cl 10\","
	       "\"unit\":\"microseconds\",\"startValue\":0,\"endValue\":7,"
	       "\"samples\":[[0]],\"weights\":[7]},\n"
	       "{\"type\":\"sampled\",\"name\":\"server c\\\" 9\","
	       "\"unit\":\"microseconds\",\"startValue\":0,\"endValue\":11,"
	       "\"samples\":[[1,0],[0]],\"weights\":[5,6]}],"
	       "\"version\":\"0.0.1\"}\n",
	       "a profile for each, what is no UTF-8 replaced");
	http_stacks_free(&stacks);
}

static void is_capped(void)
{
	struct http_stacks stacks = { .max_bytes = 4096 };
	uint32_t id = 1, n = 0;
	char name[16];

	while (id) {
		snprintf(name, sizeof(name), "f%u", n);
		STACK(name);
		id = add(&stacks, "c", 1, n & 1, 1000);
		n += !!id;
	}
	test_ok(n > 5 && n < 40 && stacks.bytes <= stacks.max_bytes,
		"there is room for some");
	STACK("f0");
	test_int(add(&stacks, "c", 1, false, 1), 1, "one of which is known");
	STACK("more");
	add(&stacks, "c", 1, true, 30);
	add(&stacks, "c", 1, false, 400);
	test_int((long long)stacks.others, 3, "others are counted");
	test_int((long long)(stacks.others_us[0] + stacks.others_us[1]), 1430,
		 "and their time is not lost");
	http_stacks_free(&stacks);
	stacks.others_us[1] = 5;
	writes(&stacks, http_folded_write, "[other stacks];servers 5\n",
	       "it is shown as theirs");
}

static const struct http_call_info call = {
	.comm = "nova-api",
	.method = "GET",
	.path = "/a\x1b[2J",
	.latency_us = 250004,
	.duration_us = HTTP_NOT_MEASURED,
	.size = 512,
	.pid = 12345,
	.status = 200,
	.dport = 80,
	.ip = 4,
	.saddr = { 192, 168, 1, 10 },
	.daddr = { 192, 168, 1, 20 },
};

#define CALL                                                                \
	"\nPID: 12345, Comm: nova-api, Stack ID: 1\n"                       \
	"Duration: 250.00 ms, Size: 512 bytes\n"                            \
	"Src IP: 192.168.1.10, Dst IP: 192.168.1.20, Dst Port: 80\n"        \
	"Role: client, Method: GET, Path: /a?[2J, Status: 200, First byte:" \
	" 250.00 ms, Total: -\n"                                            \
	"Stack trace:\n    function_a\n    slow (server.py:11)\n"

#define PART "Waited: 0.99 ms, stack trace:\n    function_b\n    [more]\n"

/* The directory that the files of a test are in. */
static char dir[] = "/tmp/http_output_test.XXXXXX";

static void in_dir(const char *name, char *ret)
{
	snprintf(ret, PATH_MAX, "%s/%s", dir, name);
}

static void is_file(const char *name, const char *want, const char *what)
{
	char path[PATH_MAX], got[4096] = "";
	FILE *in;

	in_dir(name, path);
	in = fopen(path, "r");
	if (in) {
		got[fread(got, 1, sizeof(got) - 1, in)] = '\0';
		fclose(in);
	}
	test_str(got, want, what);
}

static void output(void *svg)
{
	struct http_output *out;

	if (http_output_open(dir, NULL, svg, &out))
		exit(1);
	STACK("function_a", "slow");
	if (http_output_call(out, &call, &frames, stdout))
		exit(2);
	STACK("function_b");
	frames.truncated = true;
	if (http_output_part(out, &call, HTTP_WAITED, &frames, 999, stdout))
		exit(3);
	if (http_output_tick(out) || http_output_close(out))
		exit(4);
}

static void makes_files(void)
{
	char other[PATH_MAX], traces[PATH_MAX];
	struct test_run run;
	struct stat st;

	in_dir("other", other);
	in_dir(HTTP_OUTPUT_TRACES, traces);
	close(open(other, O_WRONLY | O_CREAT, 0600));
	if (link(other, traces))
		abort();
	test_fork(output, NULL, &run);
	test_ran(&run, 0, CALL PART, "", "a call is shown");
	is_file(HTTP_OUTPUT_TRACES, CALL PART, "and written");
	is_file(HTTP_OUTPUT_FOLDED,
		"nova-api;[more];function_b 999\n"
		"nova-api;slow (server.py:11);function_a 250004\n",
		"and folded");
	is_file("other", "", "a hard link is not followed");
	test_int(!stat(traces, &st) && (st.st_mode & 0777) == 0644, 1,
		 "everybody may read it");
	unlink(traces);
	if (symlink(other, traces))
		abort();
	test_fork(output, NULL, &run);
	test_int(WEXITSTATUS(run.status), 1, "nor is a symbolic one");
	test_ok(strstr(run.err, "it is there and no regular file") &&
			strchr(run.err, '\n')[1] == '\0',
		"which is said in one line");
	unlink(traces);
}

static void draws(void)
{
	char path[PATH_MAX], want[512];
	struct test_run run;
	FILE *script;

	setenv("PATH", dir, 1);
	in_dir("inferno-flamegraph", path);
	script = fopen(path, "w");
	fputs("#!/bin/sh\necho \"$1\" \"$2\"\nread -r line\necho \"$line\"\n",
	      script);
	fclose(script);
	chmod(path, 0755);
	test_fork(output, (void *)"x.svg", &run);
	test_ran(&run, 0, CALL PART, "", "a program draws");
	is_file("x.svg", TITLE " " UNIT "\nnova-api;[more];function_b 999\n",
		"the folded stacks");
	script = fopen(path, "w");
	fputs("#!/bin/sh\necho half\nexit 3\n", script);
	fclose(script);
	snprintf(
		want, sizeof(want),
		"netbcc: cannot draw 'x.svg': the flame graph program failed\n");
	test_fork(output, (void *)"x.svg", &run);
	test_ran(&run, 4, CALL PART, want, "one that fails");
	is_file("x.svg", TITLE " " UNIT "\nnova-api;[more];function_b 999\n",
		"leaves what there was");
	unlink(path);
	in_dir("x.svg", path);
	unlink(path);
}

/* More than a message on standard error, which is a file too. */
#define LONG                                                                     \
	"0123456789012345678901234567890123456789012345678901234567890123456789" \
	"0123456789012345678901234567890123456789012345678901234567890123456789"

/* Three calls, with a full disk after the first. */
static void full(void *limit)
{
	struct http_output *out;
	int err;

	signal(SIGXFSZ, SIG_IGN);
	if (http_output_open(dir, NULL, NULL, &out))
		exit(1);
	STACK("first", LONG);
	http_output_call(out, &call, &frames, NULL);
	out->written_ns = 0;
	http_output_tick(out);
	if (setrlimit(RLIMIT_FSIZE, limit))
		exit(2);
	err = http_output_call(out, &call, &frames, NULL);
	if (!err || err == -EPIPE)
		exit(3);
	if (!http_output_call(out, &call, &frames, NULL))
		exit(4);
	http_output_tick(out);
	exit(http_output_close(out) ? 5 : 6);
}

static void says_so(void)
{
	struct rlimit most = { 500, 500 }, least = { 140, 140 };
	char want[PATH_MAX + 80];
	struct test_run run;

	snprintf(
		want, sizeof(want),
		"netbcc: cannot write 'stack_traces.txt' in '%s': File too large\n",
		dir);
	test_fork(full, &most, &run);
	test_ran(&run, 6, "", want, "a failure is said once");
	is_file(HTTP_OUTPUT_FOLDED, "nova-api;" LONG ";first 500008\n",
		"what can be written is");
	test_fork(full, &least, &run);
	test_ran(&run, 5, "", want, "if nothing can be written, too");
	is_file(HTTP_OUTPUT_FOLDED, "nova-api;" LONG ";first 250004\n",
		"then what there was remains");
}

/* Nothing of a file that did not get its name. */
static void leaves_nothing(void)
{
	static const char *const names[] = { HTTP_OUTPUT_TRACES,
					     HTTP_OUTPUT_FOLDED, "other" };
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		in_dir(names[i], path);
		unlink(path);
	}
	test_int(rmdir(dir), 0, "nothing else is left");
}

int main(void)
{
	if (!mkdtemp(dir))
		return 1;
	folds();
	speaks();
	is_capped();
	makes_files();
	draws();
	says_so();
	leaves_nothing();
	http_frames_free(&frames);
	return test_done();
}
