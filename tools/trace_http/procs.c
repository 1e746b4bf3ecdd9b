// SPDX-License-Identifier: Apache-2.0
#include "procs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "args.h"
#include "task.h"
#include "trace_http.h"

/* Beginnings of names. */
static const char *const interps[] = {
	"python", "pypy", "node", "perl", "ruby",
	"php",	  "bash", "sh",	  "dash", "java"
};
#define INTERPS (sizeof(interps) / sizeof(interps[0]))

bool http_name_wanted(const struct nb_list *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (*name &&
		    !strncmp(name, names->item[i], strlen(names->item[i])))
			return true;
	return false;
}

bool http_is_interp(const char *exe)
{
	for (size_t i = 0; i < INTERPS; i++)
		if (!strncmp(exe, interps[i], strlen(interps[i])))
			return true;
	return false;
}

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

const char *http_script_of(const char *args, size_t len)
{
	const char *end = args + len, *arg = args;
	bool value = true; /* the interpreter's own name */

	for (; arg < end; arg += strlen(arg) + 1) {
		bool is_short = arg[0] == '-' && arg[1] && !arg[2];

		if (value) {
			value = false;
			continue;
		}
		if (arg[0] != '-')
			return base_of(arg);
		if (is_short && strchr("ce", arg[1]))
			return NULL;
		value = is_short && strchr("WX", arg[1]);
	}
	return NULL;
}

int http_pids_open(struct http_pids *pids, struct nb_error *why)
{
	for (size_t i = 0; i < http_args.pids.n; i++) {
		uint32_t pid = http_args.pid[i];
		int fd = nb_task_watch((pid_t)pid);

		if (fd < 0 && fd != -ENOSYS)
			return nb_error_set(
				why, fd, "cannot trace process '%u': %s", pid,
				fd == -EINVAL ? "it is a thread"
					      : strerror(-fd));
		pids->fd[pids->n++] = fd >= 0 ? fd : -1;
	}
	return 0;
}

void http_pids_close(struct http_pids *pids)
{
	while (pids->n)
		if (pids->fd[--pids->n] >= 0)
			close(pids->fd[pids->n]);
}

bool http_pids_ended(const struct http_pids *pids)
{
	for (size_t i = 0; i < pids->n; i++) {
		struct pollfd p = { .fd = pids->fd[i], .events = POLLIN };

		if (p.fd < 0 || poll(&p, 1, 0) != 1)
			return false;
	}
	return pids->n;
}

static int put_name(const struct nb_prog *prog, const char *map,
		    const char *name)
{
	struct http_name key = { .bits = 8 * (uint32_t)strlen(name) };
	const uint32_t one = 1;

	memcpy(key.name, name, strlen(name));
	return nb_prog_set(prog, map, &key, sizeof(key), &one, sizeof(one));
}

int http_procs_names(const struct nb_prog *prog)
{
	const struct nb_list *names = &http_args.names;
	int err = 0;

	for (size_t i = 0; i < names->n && !err; i++)
		err = put_name(prog, "names", names->item[i]);
	for (size_t i = 0; i < INTERPS && !err; i++)
		err = put_name(prog, "interps", interps[i]);
	return err;
}

/* Read at most @size - 1 bytes of the file of @dir; how many. */
static size_t read_file(int dir, const char *name, char *buf, size_t size)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, buf, size - 1) : 0;

	if (fd >= 0)
		close(fd);
	buf[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

static bool comm_wanted(int dir, const char *name)
{
	char comm[32];

	read_file(dir, name, comm, sizeof(comm));
	comm[strcspn(comm, "\n")] = '\0';
	return http_name_wanted(&http_args.names, comm);
}

static bool thread_wanted(int dir)
{
	int fd = openat(dir, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *tasks = fd >= 0 ? fdopendir(fd) : NULL;
	bool wanted = false;
	struct dirent *d;
	char name[300];

	while (tasks && !wanted && (d = readdir(tasks))) {
		snprintf(name, sizeof(name), "%s/comm", d->d_name);
		wanted = d->d_name[0] != '.' && comm_wanted(fd, name);
	}
	if (tasks)
		closedir(tasks);
	return wanted;
}

/* The process whose folder in /proc is @dir, by any of its names. */
static bool proc_wanted(int dir)
{
	const struct nb_list *names = &http_args.names;
	char exe[4096], args[4096];
	const char *script;
	ssize_t len;
	size_t n;

	if (comm_wanted(dir, "comm"))
		return true;
	len = readlinkat(dir, "exe", exe, sizeof(exe) - 1);
	if (len <= 0) /* of the kernel, or gone */
		return false;
	exe[len] = '\0';
	if (http_name_wanted(names, base_of(exe)))
		return true;
	if (http_is_interp(base_of(exe))) {
		n = read_file(dir, "cmdline", args, sizeof(args));
		script = http_script_of(args, n + 1);
		if (script && http_name_wanted(names, script))
			return true;
	}
	return thread_wanted(dir);
}

/* What looking for them works with. */
struct finding {
	int procs; /* the map */
	http_proc_fn fn;
	void *ctx;
	size_t n;
};

/* One byte of the map: programs are writing to those beside it. */
static int set_flags(int map, uint32_t pid, uint32_t flags)
{
	long size = sysconf(_SC_PAGESIZE);
	uint8_t *page = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE,
			     MAP_SHARED, map, pid / size * size);

	if (page == MAP_FAILED)
		return -errno;
	page[pid % size] = (uint8_t)flags;
	munmap(page, (size_t)size);
	return 0;
}

static int add(struct finding *f, uint32_t pid, uint32_t flags)
{
	int err = set_flags(f->procs, pid, flags | HTTP_PROC_TRACED);

	if (err)
		return err;
	f->n++;
	f->fn(f->ctx, pid, true);
	return 0;
}

/* Without names each is traced: Python's are to be known before their calls. */
static int look_at(struct finding *f, int dir, uint32_t pid)
{
	char exe[4096];
	ssize_t len;

	if (http_args.names.n)
		return proc_wanted(dir) ? add(f, pid, 0) : 0;
	len = readlinkat(dir, "exe", exe, sizeof(exe) - 1);
	exe[len > 0 ? len : 0] = '\0';
	if (len > 0)
		f->fn(f->ctx, pid, http_is_interp(base_of(exe)));
	return 0;
}

static int find_all(struct finding *f)
{
	DIR *procs = opendir("/proc");
	int err = procs ? 0 : -errno;
	struct dirent *d;
	uint64_t pid;

	while (procs && !err && (d = readdir(procs))) {
		int dir;

		if (nb_parse_u64(d->d_name, 1, UINT32_MAX, &pid) ||
		    pid == (uint64_t)getpid())
			continue;
		dir = openat(dirfd(procs), d->d_name,
			     O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (dir < 0)
			continue;
		err = look_at(f, dir, (uint32_t)pid);
		close(dir);
	}
	if (procs)
		closedir(procs);
	return err;
}

int http_procs_find(const struct nb_prog *prog, http_proc_fn fn, void *ctx,
		    size_t *ret_n)
{
	struct finding f = { nb_prog_map(prog, "procs"), fn, ctx, 0 };
	int err = 0;

	if (http_args.names.n || !http_args.pids.n)
		err = find_all(&f);
	for (size_t i = 0; i < http_args.pids.n && !err; i++)
		err = add(&f, http_args.pid[i], HTTP_PROC_PINNED);
	*ret_n = f.n;
	return err;
}
