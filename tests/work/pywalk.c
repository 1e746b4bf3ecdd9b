// SPDX-License-Identifier: Apache-2.0
/*
 * pywalk TEXT PYTHON SCRIPT [ARG]...: run the script, which says of each stack
 * what it is, and look whether the walk in eBPF and that in user space say the
 * same. TEXT is the flattened pywalk.bpf.c.
 *
 * The script prints "ready", waits for a line, and then makes calls of
 * write(2), each of "PYT LABEL IDENT [more]" and the frames as "name
 * (file:line)", each on a line; after the one with the LABEL "end" it waits for
 * the end of its standard input. Prints what differs, and a summary; with
 * PYWALK_STOP=1 the process is stopped at each of them, for the walk in user
 * space.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../lib/log.h"
#include "../../lib/prog.h"
#include "../../tools/trace_http/merge.h"
#include "../../tools/trace_http/native.h"
#include "../../tools/trace_http/python.h"
#include "../../tools/trace_http/pywalk.h"
#include "pywalk.h"

static struct http_python *python;
static struct http_py_config config;
static struct http_frames frames, native_frames, merged;
static struct http_native *native;
static pid_t child;
static FILE *to_child;
static bool stop, stopped, ended;
static unsigned native_good, native_cut;
static unsigned good, bad;
static uint64_t total_ns, total_frames, max_ns;

static void die(const char *what, int err)
{
	fprintf(stderr, "pywalk: %s: %s\n", what, strerror(-err));
	if (child > 0)
		kill(child, SIGKILL);
	exit(1);
}

/* The walk in user space has the same as that in eBPF. */
static bool same_walk(const struct http_stack *s, uint64_t self)
{
	struct http_stack_py py[HTTP_STACK_PY];
	size_t n;
	int err = http_pywalk_read(child, &config, self, py, &n);

	if (err == s->py_err && n == s->npy &&
	    !memcmp(py, s->py, n * sizeof(py[0])))
		return true;
	printf("# user space: %zu frames (%d), eBPF: %u (%d)\n", n, err, s->npy,
	       s->py_err);
	return false;
}

static void show_frames(const char *what, const struct http_frames *of)
{
	printf("# %s%s:\n", what, of->truncated ? " (cut)" : "");
	for (size_t i = 0; i < of->n; i++) {
		char line[HTTP_FRAME_STRLEN];

		http_frame_format(&of->f[i], line);
		printf("#\t%s%s\n", line, of->f[i].eval ? " *" : "");
	}
}

/* One line for each frame. */
static void format_frames(char *to, size_t size)
{
	size_t len = 0;

	to[0] = '\0';
	for (size_t i = 0; i < frames.n; i++) {
		char line[HTTP_FRAME_STRLEN];

		http_frame_format(&frames.f[i], line);
		len += (size_t)snprintf(to + len, size - len, "%s\n", line);
		if (len >= size)
			return;
	}
}

static size_t count_loops(const struct http_frames *of)
{
	size_t n = 0;

	for (size_t i = 0; i < of->n; i++)
		n += of->f[i].eval;
	return n;
}

/* The native stack has the loops that Python's has; show both as one. */
static bool check_native(const struct pywalk_event *e, const char *label)
{
	const char *show = getenv("PYWALK_SHOW");
	bool same;

	http_frames_clear(&native_frames);
	http_frames_clear(&merged);
	http_native_resolve(native, child, &e->stack, &native_frames);
	if (http_merge(&native_frames, &frames, &merged))
		return false;
	same = count_loops(&native_frames) == count_loops(&frames);
	if (native_frames.truncated || frames.truncated ||
	    e->stack.flags & HTTP_STACK_ALL) {
		native_cut++;
		same = true;
	} else {
		native_good += same;
	}
	if (show && (!strcmp(show, label) || !strcmp(show, "all"))) {
		printf("# %s\n", label);
		show_frames("native", &native_frames);
		show_frames("merged", &merged);
	}
	if (!same)
		printf("# %zu loops, of Python %zu\n",
		       count_loops(&native_frames), count_loops(&frames));
	return same;
}

static bool check(const struct pywalk_event *e, const char *head,
		  const char *truth)
{
	char got[2 * PYWALK_TRUTH];
	unsigned long long self = 0;
	char label[64] = "";
	bool more;

	sscanf(head, "%63s %llu", label, &self);
	more = strstr(head, " more");
	http_frames_clear(&frames);
	if (http_python_resolve(python, child, &e->stack, &frames))
		return false;
	format_frames(got, sizeof(got));
	if (!strcmp(got, truth) && frames.truncated == more &&
	    (!stop || same_walk(&e->stack, self)) &&
	    (!native || check_native(e, label)))
		return true;
	printf("not ok - %s\n# %u frames, error %d\n# want:\n%s# got:\n%s",
	       head, e->stack.npy, e->stack.py_err, truth, got);
	return false;
}

static void await_stop(void)
{
	int status;

	if (!stop || stopped || ended)
		return;
	if (waitpid(child, &status, WUNTRACED) != child)
		die("waitpid", -errno);
	stopped = WIFSTOPPED(status);
	ended = !stopped;
}

static int on_event(void *ctx, void *data, size_t size)
{
	static char text[PYWALK_TRUTH + 1];
	const struct pywalk_event *e = data;
	char *truth;

	(void)ctx;
	if (size < PYWALK_SIZE || e->pid != (uint32_t)child)
		return 0;
	await_stop();
	memcpy(text, e->truth, e->truth_len);
	text[e->truth_len] = '\0';
	truth = strchr(text, '\n');
	if (strncmp(text, "PYT ", 4) || !truth)
		return 0;
	*truth++ = '\0';
	if (check(e, text + 4, truth))
		good++;
	else
		bad++;
	if (!strncmp(text, "PYT end ", 8) && to_child) {
		fclose(to_child);
		to_child = NULL;
	}
	total_ns += e->walk_ns;
	total_frames += e->stack.npy;
	if (e->walk_ns > max_ns)
		max_ns = e->walk_ns;
	if (getenv("PYWALK_VERBOSE"))
		printf("# %s: %u frames, %llu ns\n", text + 4, e->stack.npy,
		       (unsigned long long)e->walk_ns);
	return 0;
}

/* Start it; what it prints, and what it reads. */
static void start(char **argv, FILE **from)
{
	int in[2], out[2];

	if (pipe(in) || pipe(out))
		die("pipe", -errno);
	child = fork();
	if (child == 0) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		close(in[1]);
		close(out[0]);
		execvp(argv[0], argv);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	to_child = fdopen(in[1], "w");
	*from = fdopen(out[0], "r");
}

static char *read_text(const char *path)
{
	static char text[1 << 20];
	FILE *f = fopen(path, "re");
	size_t n;

	if (!f)
		die(path, -errno);
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	fclose(f);
	return text;
}

static struct nb_prog *load(const char *path)
{
	static const struct nb_hook hooks[] = {
		{ NB_HOOK_TP, "syscalls/sys_enter_write", "on_write", 1 },
	};
	static const struct nb_plan plans[] = { { "tp", hooks, 1 } };
	const struct nb_prog_args args = { .no_cache = true,
					   .buffer_kb = 65536 };
	const struct nb_prog_spec spec = {
		.tool = "pywalk",
		.text = read_text(path),
		.plans = plans,
		.nplans = 1,
		.want = 1,
		.args = &args,
	};
	uint32_t zero = 0, tgid = (uint32_t)child;
	uint32_t how = (stop ? PYWALK_STOP : 0) | (native ? PYWALK_NATIVE : 0);
	struct nb_prog *prog;
	struct nb_error why;
	int err = nb_prog_open(&spec, &prog, &why);

	if (err) {
		fprintf(stderr, "pywalk: %s\n", why.text);
		die("cannot load", err);
	}
	nb_prog_set(prog, "config", &zero, sizeof(zero), &how, sizeof(how));
	err = nb_prog_set(prog, "http_py", &tgid, sizeof(tgid), &config,
			  sizeof(config));
	if (err)
		die("http_py", err);
	return prog;
}

static void run(struct ring_buffer *ring)
{
	while (!ended) {
		int status;

		ring_buffer__poll(ring, 20);
		if (stopped) {
			/* Nothing more is to come until it goes on. */
			ring_buffer__consume(ring);
			stopped = false;
			kill(child, SIGCONT);
		} else if (waitpid(child, &status, WNOHANG | WUNTRACED) ==
			   child) {
			stopped = WIFSTOPPED(status);
			ended = !stopped;
		}
	}
	ring_buffer__consume(ring);
}

static void report(const struct nb_prog *prog)
{
	uint64_t lost = 0;
	struct http_python_lost unknown;

	if (native)
		printf("# native: %u with the same loops, %u cut\n",
		       native_good, native_cut);

	nb_prog_count(prog, NB_COUNT_LOST, &lost);
	http_python_lost(python, &unknown);
	printf("%u good, %u bad, %llu lost; %llu unknown frames, %llu without state, %llu faults; walk: %llu ns and %llu frames on average, %llu ns at most\n",
	       good, bad, (unsigned long long)lost,
	       (unsigned long long)unknown.frames,
	       (unsigned long long)unknown.threads,
	       (unsigned long long)unknown.faults,
	       (unsigned long long)(good + bad ? total_ns / (good + bad) : 0),
	       (unsigned long long)(good + bad ? total_frames / (good + bad)
					       : 0),
	       (unsigned long long)max_ns);
}

int main(int argc, char **argv)
{
	struct ring_buffer *ring;
	struct nb_prog *prog;
	FILE *from;
	char line[64];
	int err;

	if (argc < 3)
		return 2;
	stop = getenv("PYWALK_STOP");
	nb_log_tool("pywalk");
	nb_log_level(getenv("PYWALK_VERBOSE") ? NB_LOG_VERBOSE : NB_LOG_NORMAL);
	start(argv + 2, &from);
	if (!fgets(line, sizeof(line), from))
		die("the script did not start", -EIO);
	err = http_python_probe(child, &config);
	if (err) {
		fprintf(stderr, "pywalk: version %x\n", config.version);
		die("no CPython", err);
	}
	printf("# version %x\n", config.version);
	if (http_python_new(&python) ||
	    http_python_open(python, child, &config))
		die("no memory", -ENOMEM);
	if (getenv("PYWALK_NATIVE") &&
	    (http_native_new(&native) || http_native_open(native, child)))
		die("native", -ENOMEM);
	prog = load(argv[1]);
	ring = ring_buffer__new(nb_prog_map(prog, "events"), on_event, NULL,
				NULL);
	if (!ring)
		die("ring buffer", -errno);
	fputs("go\n", to_child);
	fflush(to_child);
	run(ring);
	report(prog);
	ring_buffer__free(ring);
	nb_prog_free(prog);
	http_python_free(python);
	http_native_free(native);
	http_frames_free(&frames);
	http_frames_free(&native_frames);
	http_frames_free(&merged);
	return bad || !good;
}
