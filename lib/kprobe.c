// SPDX-License-Identifier: Apache-2.0
#include "kprobe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

#define GROUP "netbcc/"
#define PMU "/sys/bus/event_source/devices/kprobe/"
#define LOCK_TRIES 50 /* of 20 ms */

/* The number in the file @path behind @prefix, or -errno. */
static int read_number(const char *path, const char *prefix)
{
	FILE *f = fopen(path, "re");
	char line[64] = "";
	size_t len = strlen(prefix);
	bool ok;

	if (!f)
		return -errno;
	ok = fgets(line, sizeof(line), f) && !strncmp(line, prefix, len);
	fclose(f);
	return ok ? atoi(line + len) : -EBADMSG;
}

bool nb_kprobe_possible(struct nb_kernel *kernel)
{
	int dir;

	if (!access(PMU "type", R_OK))
		return true;
	dir = nb_kernel_tracefs(kernel);
	return dir >= 0 && !faccessat(dir, "kprobe_events", W_OK, 0);
}

static int open_event(uint32_t type, uint64_t config, const char *func)
{
	struct perf_event_attr attr = {
		.type = type,
		.size = sizeof(attr),
		.config = config,
		.kprobe_func = (uintptr_t)func,
		.sample_period = 1,
		.wakeup_events = 1,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1,
			      PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Since Linux 4.17 a perf event can make its probe, and take it away. */
static int open_unnamed(const char *func, bool ret)
{
	int type = read_number(PMU "type", "");
	int bit = read_number(PMU "format/retprobe", "config:");

	if (type < 0)
		return type;
	if (ret && bit < 0)
		return bit;
	return open_event((uint32_t)type, ret ? 1ULL << bit : 0, func);
}

/*
 * tracefs' kprobe_events, locked, so that nobody takes a name for a leftover
 * before it is in use. To be opened without O_TRUNC, which would remove
 * everybody's probes.
 */
static int open_locked(int dir)
{
	const struct timespec wait = { .tv_nsec = 20000000 };
	int fd = openat(dir, "kprobe_events", O_RDWR | O_APPEND | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	for (int i = 0; i < LOCK_TRIES; i++) {
		if (!flock(fd, LOCK_EX | LOCK_NB))
			return fd;
		nanosleep(&wait, NULL);
	}
	close(fd);
	return -EBUSY;
}

static int command(int events, const char *text)
{
	return write(events, text, strlen(text)) < 0 ? -errno : 0;
}

/* A stream on the same open file, from its start. */
static FILE *read_again(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	FILE *f = copy < 0 ? NULL : fdopen(copy, "r");

	if (f)
		rewind(f);
	else if (copy >= 0)
		close(copy);
	return f;
}

/* The events of our group, a line each. The caller frees them. */
static char *our_names(int events)
{
	FILE *f = read_again(events), *out;
	char line[512], *names = NULL;
	size_t len;

	if (!f)
		return NULL;
	out = open_memstream(&names, &len);
	while (out && fgets(line, sizeof(line), f)) {
		const char *name = strchr(line, ':');

		if (name && !strncmp(name + 1, GROUP, sizeof(GROUP) - 1))
			fprintf(out, "%.*s\n", (int)strcspn(name + 1, " \n"),
				name + 1);
	}
	fclose(f);
	if (out && fclose(out)) {
		free(names);
		names = NULL;
	}
	return names;
}

/* Remove what is not in use; for the rest the kernel says EBUSY. */
static void clean(int events)
{
	char text[80], *save = NULL, *names = our_names(events);

	for (char *name = names ? strtok_r(names, "\n", &save) : NULL; name;
	     name = strtok_r(NULL, "\n", &save))
		if (snprintf(text, sizeof(text), "-:%s\n", name) <
		    (int)sizeof(text))
			command(events, text);
	free(names);
}

void nb_kprobes_clean(struct nb_kernel *kernel)
{
	int dir = nb_kernel_tracefs(kernel), fd;
	char first;

	if (dir < 0)
		return;
	fd = openat(dir, "kprobe_events", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	/* Nearly always there is none. */
	if (read(fd, &first, 1) <= 0) {
		close(fd);
		return;
	}
	close(fd);
	fd = open_locked(dir);
	if (fd < 0)
		return;
	clean(fd);
	close(fd);
}

static int open_id(int dir, const char *name)
{
	char path[128], text[16] = "";
	int fd;
	ssize_t n;

	snprintf(path, sizeof(path), "events/" GROUP "%s/id", name);
	fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return -EIO;
	return open_event(PERF_TYPE_TRACEPOINT, (uint64_t)atoi(text), NULL);
}

static int open_named(struct nb_kernel *kernel, struct nb_kprobes *p,
		      const char *func, unsigned calls)
{
	int dir = nb_kernel_tracefs(kernel), events, event;
	char *name = p->name[p->n], text[256];
	uint32_t nonce;

	if (dir < 0)
		return dir;
	if (p->n == NB_KPROBES_MAX)
		return -E2BIG;
	if (getrandom(&nonce, sizeof(nonce), 0) != sizeof(nonce))
		return -EIO;
	snprintf(name, sizeof(p->name[0]), "%.32s_%d_%08x", func, getpid(),
		 nonce);
	events = open_locked(dir);
	if (events < 0)
		return events;
	clean(events);
	snprintf(text, sizeof(text), "r%u:" GROUP "%s %s\n", calls, name, func);
	event = command(events, text);
	if (!event) {
		event = open_id(dir, name);
		if (event < 0) {
			snprintf(text, sizeof(text), "-:" GROUP "%s\n", name);
			command(events, text);
		}
	}
	if (event < 0 || p->n) {
		close(events);
	} else {
		flock(events, LOCK_UN);
		p->events = events;
		p->profile =
			openat(dir, "kprobe_profile", O_RDONLY | O_CLOEXEC);
	}
	if (event >= 0)
		p->n++;
	return event;
}

int nb_kprobe_open(struct nb_kernel *kernel, struct nb_kprobes *kprobes,
		   const char *func, bool ret, unsigned calls)
{
	int fd;

	if (ret && calls) {
		fd = open_named(kernel, kprobes, func, calls);
		if (fd >= 0)
			return fd;
		/* Better one that may miss some than none. */
		nb_verbose("cannot make room for %u calls of '%s': %s", calls,
			   func, strerror(-fd));
	}
	return open_unnamed(func, ret);
}

void nb_kprobes_remove(struct nb_kprobes *p)
{
	char text[80];

	if (!p->n)
		return;
	while (p->n) {
		snprintf(text, sizeof(text), "-:" GROUP "%s\n",
			 p->name[--p->n]);
		command(p->events, text);
	}
	close(p->events);
	if (p->profile >= 0)
		close(p->profile);
}

uint64_t nb_kprobes_missed(const struct nb_kprobes *p)
{
	unsigned long long hits, misses;
	uint64_t sum = 0;
	char line[256], name[64];
	FILE *f = p->n && p->profile >= 0 ? read_again(p->profile) : NULL;

	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63s %llu %llu", name, &hits, &misses) != 3)
			continue;
		for (size_t i = 0; i < p->n; i++)
			if (!strcmp(name, p->name[i]))
				sum += misses;
	}
	fclose(f);
	return sum;
}
