// SPDX-License-Identifier: Apache-2.0
/* Is it CPython, which one, and where? */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pyelf.h"
#include "pymem.h"
#include "pyoffsets.h"
#include "pyprobe.h"
#include "python.h"
#include "pywalk.h"

/* Files that are mapped to be executed, of which one may be CPython. */
#define MODULES_MAX 512

/* Threads come and go while they are looked at. */
#define CHECKS 5

enum { RUNTIME, VERSION, EVAL, NSYMBOLS };

static const char *const symbols[NSYMBOLS] = {
	[RUNTIME] = "_PyRuntime",
	[VERSION] = "Py_Version", /* from 3.11 on */
	[EVAL] = "PyEval_EvalCode",
};

struct module {
	uint64_t start;
	uint64_t end;
	uint64_t offset;
	char *path;
};

struct modules {
	struct module m[MODULES_MAX];
	size_t n;
	uint32_t version; /* that paths tell, as 0x03090000; or 0 */
};

uint32_t http_pyprobe_version(const char *path)
{
	static const char *const marks[] = { "cpython-3", "python3." };

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		const char *at = strstr(path, marks[i]);
		unsigned minor = 0, digits = 0;

		if (!at)
			continue;
		at += strlen(marks[i]);
		for (; *at >= '0' && *at <= '9' && digits < 3; digits++)
			minor = 10 * minor + (unsigned)(*at++ - '0');
		if (digits > 0 && digits < 3)
			return 0x03000000 | minor << 16;
	}
	return 0;
}

/* A line of /proc/PID/maps. */
static int add_line(struct modules *all, char *line)
{
	struct module m = { 0 };
	char perms[5];
	int at = 0;

	line[strcspn(line, "\n")] = '\0';
	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %*s %*s %n",
		   &m.start, &m.end, perms, &m.offset, &at) != 4 ||
	    line[at] != '/')
		return 0;
	if (!all->version)
		all->version = http_pyprobe_version(line + at);
	if (perms[2] != 'x' || all->n == MODULES_MAX)
		return 0;
	m.path = strdup(line + at);
	if (!m.path)
		return -ENOMEM;
	all->m[all->n++] = m;
	return 0;
}

static int read_modules(pid_t pid, struct modules *all)
{
	char path[64], line[PATH_MAX + 256];
	int err = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	f = fopen(path, "re");
	if (!f)
		return errno == ENOENT ? -ESRCH : -errno;
	while (err == 0 && fgets(line, sizeof(line), f))
		err = add_line(all, line);
	fclose(f);
	return err;
}

/* How much the module's name speaks for it: 0, 1 or 2. */
static int promise(const struct module *m, const char *exe)
{
	const char *base = strrchr(m->path, '/') + 1;

	if (!strncmp(base, "libpython", strlen("libpython")))
		return 2;
	return !strcmp(m->path, exe) || strstr(base, "python") ? 1 : 0;
}

static int open_module(pid_t pid, const struct module *m)
{
	char path[PATH_MAX + 64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/map_files/%" PRIx64 "-%" PRIx64,
		 pid, m->start, m->end);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	snprintf(path, sizeof(path), "/proc/%d/root%s", pid, m->path);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

/* The symbols' addresses in the process; 0: not in this module. */
static int find_symbols(pid_t pid, const struct module *m, uint64_t *ret)
{
	int fd = open_module(pid, m), err;
	uint64_t address;

	if (fd < 0)
		return fd;
	/* Another program's .symtab may be large. */
	err = http_pyelf_symbols(fd, strstr(m->path, "python"), symbols,
				 NSYMBOLS, ret);
	if (err == 0)
		err = http_pyelf_address(fd, m->offset, &address);
	close(fd);
	if (err)
		return err;
	for (int i = 0; i < NSYMBOLS; i++)
		if (ret[i])
			ret[i] += m->start - address;
	return 0;
}

/* Find CPython's symbols in the most promising module that has some. */
static int find_module(pid_t pid, const struct modules *all, uint64_t *ret,
		       const struct module **ret_module)
{
	char path[64], exe[PATH_MAX] = "";
	int err = -ENOENT;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	if (readlink(path, exe, sizeof(exe) - 1) < 0)
		exe[0] = '\0';
	for (int want = 2; want > 0; want--) {
		for (size_t i = 0; i < all->n; i++) {
			int bad;

			if (promise(&all->m[i], exe) != want)
				continue;
			bad = find_symbols(pid, &all->m[i], ret);
			if (bad == 0 && (ret[RUNTIME] || ret[EVAL])) {
				*ret_module = &all->m[i];
				return 0;
			}
			if (bad && bad != -ENOEXEC && bad != -ENOENT)
				err = bad;
		}
	}
	return err;
}

static uint32_t find_version(pid_t pid, const struct modules *all,
			     const struct module *m, const uint64_t *address)
{
	uint32_t version;

	if (address[VERSION] &&
	    !http_pymem_read(pid, address[VERSION], &version, sizeof(version)))
		return version;
	version = http_pyprobe_version(m->path);
	return version ? version : all->version;
}

/* The offsets of the @version whose _PyRuntime is at @runtime. */
static int find_offsets(pid_t pid, uint32_t version, uint64_t runtime,
			struct http_py_config *ret)
{
	uint8_t self[HTTP_PY_SELF_SIZE];
	int err;

	if (version < HTTP_PY_SELF)
		return http_pyoffsets_of(version, ret);
	err = http_pymem_read(pid, runtime, self, sizeof(self));
	return err ? err : http_pyoffsets_self(self, sizeof(self), ret);
}

static int configure(pid_t pid, uint32_t version, uint64_t runtime,
		     struct http_py_config *ret)
{
	int err = runtime ? find_offsets(pid, version, runtime, ret)
			  : -EOPNOTSUPP;

	if (err)
		return err == -EINVAL ? -EOPNOTSUPP : err;
	ret->runtime = runtime;
	for (int i = 0; i < CHECKS; i++) {
		err = http_pywalk_check(pid, ret);
		if (err != -EINVAL)
			return err;
	}
	return -EOPNOTSUPP;
}

static int probe(pid_t pid, struct modules *all, struct http_py_config *ret)
{
	struct http_py_config config = { 0 };
	uint64_t address[NSYMBOLS];
	const struct module *m;
	uint32_t version;
	int err;

	err = read_modules(pid, all);
	if (err == 0)
		err = find_module(pid, all, address, &m);
	if (err)
		return err;
	version = find_version(pid, all, m, address);
	err = configure(pid, version, address[RUNTIME], &config);
	if (err == 0)
		*ret = config;
	else if (err == -EOPNOTSUPP)
		ret->version = version;
	return err;
}

int http_python_probe(pid_t pid, struct http_py_config *ret)
{
	struct modules *all = calloc(1, sizeof(*all));
	int err;

	if (!all)
		return -ENOMEM;
	err = probe(pid, all, ret);
	for (size_t i = 0; i < all->n; i++)
		free(all->m[i].path);
	free(all);
	return err;
}
