// SPDX-License-Identifier: Apache-2.0
#include "names.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "merge.h"
#include "native.h"
#include "python.h"

/* How often, and how long, one waits for an interpreter that starts. */
#define PROBES 20
#define PROBE_MS 2

struct http_names {
	const struct nb_prog *prog;
	struct http_native *native;
	struct http_python *py;
	struct http_frames native_frames;
	struct http_frames py_frames;
};

int http_names_new(const struct nb_prog *prog, struct http_names **ret)
{
	struct http_names *names = calloc(1, sizeof(*names));
	int err = names ? http_native_new(&names->native) : -ENOMEM;

	if (!err)
		err = http_python_new(&names->py);
	if (err) {
		http_names_free(names);
		return err;
	}
	names->prog = prog;
	*ret = names;
	return 0;
}

void http_names_free(struct http_names *names)
{
	if (!names)
		return;
	http_native_free(names->native);
	http_python_free(names->py);
	http_frames_free(&names->native_frames);
	http_frames_free(&names->py_frames);
	free(names);
}

/* Is its executable called python: without CPython it has yet to load it. */
static bool is_python(pid_t pid)
{
	char path[64], exe[4096];
	const char *base;
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	len = readlink(path, exe, sizeof(exe) - 1);
	exe[len > 0 ? len : 0] = '\0';
	base = strrchr(exe, '/');
	return base && !strncmp(base + 1, "python", 6);
}

static int probe(pid_t pid, bool is_new, struct http_py_config *config)
{
	const struct timespec pause = { .tv_nsec = PROBE_MS * 1000000L };
	int err = http_python_probe(pid, config);

	for (int i = 1; i < PROBES; i++) {
		if (err != -EAGAIN &&
		    (err != -ENOENT || !is_new || !is_python(pid)))
			break;
		nanosleep(&pause, NULL);
		err = http_python_probe(pid, config);
	}
	if (err == -EOPNOTSUPP)
		nb_note("process %d runs a Python whose frames can't be shown (%u.%u)",
			pid, config->version >> 24,
			config->version >> 16 & 0xff);
	return err;
}

/* Let eBPF walk its Python, if it has one. */
static int set_python(struct http_names *names, pid_t pid, bool is_new,
		      struct http_py_config *config)
{
	const uint32_t key = (uint32_t)pid;
	int err = probe(pid, is_new, config);

	if (err) {
		http_python_close(names->py, pid);
		return err;
	}
	return nb_prog_set(names->prog, "http_py", &key, sizeof(key), config,
			   sizeof(*config));
}

void http_names_exec(struct http_names *names, pid_t pid)
{
	struct http_py_config config;

	set_python(names, pid, true, &config);
}

void http_names_open(struct http_names *names, pid_t pid)
{
	struct http_py_config config;

	http_native_open(names->native, pid);
	if (!set_python(names, pid, false, &config))
		http_python_open(names->py, pid, &config);
}

void http_names_resolve(struct http_names *names, pid_t pid,
			const struct http_stack *stack, struct http_frames *out)
{
	struct http_frames *native = &names->native_frames;
	struct http_frames *py = &names->py_frames;

	http_frames_clear(native);
	http_frames_clear(py);
	http_frames_clear(out);
	http_native_resolve(names->native, pid, stack, native);
	http_python_resolve(names->py, pid, stack, py);
	http_merge(native, py, out);
}

void http_names_report(const struct http_names *names)
{
	struct http_python_lost py;

	for (int i = 0; i < HTTP_LOST_REASONS; i++) {
		uint64_t n = http_native_lost(names->native, i);

		if (n)
			nb_note("%" PRIu64 " %s", n, http_native_loss_name(i));
	}
	http_python_lost(names->py, &py);
	if (py.frames)
		nb_note("%" PRIu64 " frames of Python without names",
			py.frames);
	if (py.truncated)
		nb_note("%" PRIu64 " stacks of Python cut at %d frames",
			py.truncated, HTTP_STACK_PY);
	if (py.faults + py.threads)
		nb_note("%" PRIu64 " stacks of Python that could not be read",
			py.faults + py.threads);
}
