// SPDX-License-Identifier: Apache-2.0
#include "tls.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "args.h"
#include "maps.h"
#include "plans.h"
#include "pyelf.h"

/* Copies of libssl: of the system, and of containers. */
#define FILES_MAX 64

extern const char nb_text_trace_http[];

struct file {
	dev_t dev;
	ino_t ino;
};

struct http_tls {
	struct nb_prog *prog;
	size_t n;
	struct file files[FILES_MAX];
};

void http_tls_free(struct http_tls *tls)
{
	if (!tls)
		return;
	nb_prog_free(tls->prog);
	free(tls);
}

void http_tls_detach(struct http_tls *tls)
{
	if (tls)
		nb_prog_detach(tls->prog);
}

int http_tls_new(const struct nb_prog *prog, struct http_tls **ret,
		 struct nb_error *why)
{
	struct nb_prog_args args = http_args.prog;
	const struct nb_prog_spec spec = {
		.tool = "trace_http",
		.text = nb_text_trace_http,
		.plans = &http_tls_plan,
		.nplans = 1,
		.want = HTTP_WANT_CALLS,
		.args = &args,
		.share = prog,
	};
	struct http_tls *tls = calloc(1, sizeof(*tls));
	int err;

	if (!tls)
		return nb_error_set(why, -ENOMEM, "out of memory");
	args.plan = 0; /* that is of sockets */
	err = nb_prog_open(&spec, &tls->prog, why);
	if (err) {
		free(tls);
		return err;
	}
	*ret = tls;
	return 0;
}

/* A file that is not among those that were looked at; then it is. */
static bool is_new(struct http_tls *tls, int fd)
{
	struct stat st;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || tls->n == FILES_MAX)
		return false;
	for (size_t i = 0; i < tls->n; i++)
		if (tls->files[i].dev == st.st_dev &&
		    tls->files[i].ino == st.st_ino)
			return false;
	tls->files[tls->n].dev = st.st_dev;
	tls->files[tls->n++].ino = st.st_ino;
	return true;
}

/* Hook the file @fd, called @name, if it has what is to be hooked. */
static void add_file(struct http_tls *tls, int fd, const char *name)
{
	static const char *const names[] = { "SSL_read", "SSL_write",
					     "SSL_read_ex", "SSL_write_ex",
					     "SSL_free" };
	enum { N = sizeof(names) / sizeof(names[0]) };
	struct nb_prog_symbol symbols[N];
	struct nb_error why;
	uint64_t addr[N];
	char path[64];
	int n;

	if (!is_new(tls, fd) || http_pyelf_symbols(fd, false, names, N, addr) ||
	    !addr[0])
		return;
	for (size_t i = 0; i < N; i++) {
		symbols[i].name = names[i];
		if (!addr[i] ||
		    http_pyelf_offset(fd, addr[i], &symbols[i].offset))
			symbols[i].offset = 0;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = nb_prog_attach_file(tls->prog, path, symbols, N, &why);
	if (n < 0)
		nb_error("cannot look into TLS of '%s': %s", name,
			 strerror(-n));
	else
		nb_verbose("TLS: %d hooks on '%s'", n, name);
}

static void add_path(struct http_tls *tls, const char *path, const char *name)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return;
	add_file(tls, fd, name);
	close(fd);
}

void http_tls_usual(struct http_tls *tls)
{
	static const char *const patterns[] = {
		"/usr/lib/*-linux-gnu/libssl.so.[0-9]*",
		"/usr/lib64/libssl.so.[0-9]*",
		"/usr/lib/libssl.so.[0-9]*",
		"/usr/local/lib*/libssl.so.[0-9]*",
	};
	glob_t found;

	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		if (glob(patterns[i], 0, NULL, &found))
			continue;
		for (size_t k = 0; k < found.gl_pathc; k++)
			add_path(tls, found.gl_pathv[k], found.gl_pathv[k]);
		globfree(&found);
	}
}

/* Node has a copy in itself. */
static bool may_have_it(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;

	return !strncmp(base, "libssl.so", strlen("libssl.so")) ||
	       !strncmp(base, "libssl-", strlen("libssl-")) ||
	       !strncmp(base, "node", strlen("node"));
}

/* As the process has it, whatever is at that name. */
static void add_map(struct http_tls *tls, pid_t pid,
		    const struct http_map_line *line)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/map_files/%" PRIx64 "-%" PRIx64,
		 pid, line->start, line->end);
	add_path(tls, path, line->path);
}

void http_tls_look(struct http_tls *tls, pid_t pid)
{
	struct http_map_line line;
	char path[64], *text = NULL;
	size_t room = 0;
	FILE *f;

	if (!tls)
		return;
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	f = fopen(path, "re");
	if (!f)
		return;
	while (getline(&text, &room, f) > 0)
		if (!http_maps_parse(text, &line) && line.exec && line.inode &&
		    may_have_it(line.path))
			add_map(tls, pid, &line);
	free(text);
	fclose(f);
}
