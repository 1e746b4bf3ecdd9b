// SPDX-License-Identifier: Apache-2.0
#include "owner.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"

/* As many times as a search took, until the next; at most that long. */
#define REST 4
#define REST_MAX_NS (100 * 1000 * 1000)

/* For so long a socket is believed to be where it was. */
#define FRESH_NS (10 * 1000 * 1000)

/* "socket:[123]" -> 123, or 0. */
static uint64_t inode_of(const char *link)
{
	static const char prefix[] = "socket:[";

	if (strncmp(link, prefix, sizeof(prefix) - 1))
		return 0;
	return strtoull(link + sizeof(prefix) - 1, NULL, 10);
}

/* Of the descriptor @name in the directory @fds; 0: it is no socket. */
static uint64_t read_inode(int fds, const char *name)
{
	char link[64];
	ssize_t n = readlinkat(fds, name, link, sizeof(link) - 1);

	if (n <= 0)
		return 0;
	link[n] = '\0';
	return inode_of(link);
}

static void add(struct nb_owners *o, const struct nb_owner *owner)
{
	if (o->n == o->room) {
		size_t room = o->room ? 2 * o->room : 256;
		struct nb_owner *more = realloc(o->owner, room * sizeof(*more));

		if (!more)
			return; /* it is unknown, then */
		o->owner = more;
		o->room = room;
	}
	o->owner[o->n++] = *owner;
}

static void read_comm(int dir, char *comm, size_t size)
{
	int fd = openat(dir, "comm", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, comm, size - 1) : 0;

	if (fd >= 0)
		close(fd);
	comm[n > 0 ? n : 0] = '\0';
	comm[strcspn(comm, "\n")] = '\0';
}

/* The sockets of one process, of which @proc has the directory @name. */
static void search_process(struct nb_owners *o, int proc, const char *name)
{
	struct nb_owner owner = { .pid = (uint32_t)strtoul(name, NULL, 10) };
	int dir = openat(proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd =
		dir < 0 ? -1
			: openat(dir, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *fds = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;

	owner.checked_ns = nb_clock_now();
	while (fds && (d = readdir(fds))) {
		owner.inode = read_inode(fd, d->d_name);
		if (!owner.inode)
			continue;
		owner.fd = atoi(d->d_name);
		if (!owner.comm[0])
			read_comm(dir, owner.comm, sizeof(owner.comm));
		add(o, &owner);
	}
	if (fds)
		closedir(fds);
	else if (fd >= 0)
		close(fd);
	if (dir >= 0)
		close(dir);
}

static int compare(const void *a, const void *b)
{
	const struct nb_owner *x = a, *y = b;

	if (x->inode != y->inode)
		return x->inode < y->inode ? -1 : 1;
	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static void search(struct nb_owners *o, uint32_t pid)
{
	DIR *proc = opendir("/proc");
	struct dirent *d;
	char name[16];

	o->looked_ns = nb_clock_now();
	o->n = 0;
	if (proc && pid) {
		snprintf(name, sizeof(name), "%u", pid);
		search_process(o, dirfd(proc), name);
	}
	while (proc && !pid && (d = readdir(proc)))
		if (isdigit((unsigned char)d->d_name[0]))
			search_process(o, dirfd(proc), d->d_name);
	if (proc)
		closedir(proc);
	if (o->n)
		qsort(o->owner, o->n, sizeof(*o->owner), compare);
	o->ended_ns = nb_clock_now();
}

/* Wait until the next search may begin. False: that would take too long. */
static bool wait_for_turn(const struct nb_owners *o)
{
	uint64_t rest = REST * (o->ended_ns - o->looked_ns);
	uint64_t now = nb_clock_now(), wait;
	struct timespec time = { 0 };

	if (!o->ended_ns || now - o->ended_ns >= rest)
		return true;
	wait = rest - (now - o->ended_ns);
	if (wait > REST_MAX_NS)
		return false;
	time.tv_nsec = (long)wait;
	nanosleep(&time, NULL);
	return true;
}

static struct nb_owner *find(const struct nb_owners *o, uint64_t inode)
{
	size_t low = 0, high = o->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (o->owner[mid].inode < inode)
			low = mid + 1;
		else
			high = mid;
	}
	return low < o->n && o->owner[low].inode == inode ? &o->owner[low]
							  : NULL;
}

/* Has the process it still open? Its name may be another one by now. */
static bool is_still_there(struct nb_owner *owner)
{
	uint64_t now = nb_clock_now();
	char path[64];
	bool is;
	int dir;

	if (now - owner->checked_ns < FRESH_NS)
		return true;
	snprintf(path, sizeof(path), "/proc/%u", owner->pid);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return false;
	snprintf(path, sizeof(path), "fd/%d", owner->fd);
	is = read_inode(dir, path) == owner->inode;
	if (is)
		read_comm(dir, owner->comm, sizeof(owner->comm));
	close(dir);
	owner->checked_ns = now;
	return is;
}

const struct nb_owner *nb_owners_find(struct nb_owners *owners, uint32_t pid,
				      uint64_t inode, uint64_t since_ns)
{
	struct nb_owner *owner;

	if (!inode)
		return NULL;
	owner = find(owners, inode);
	if (owner && is_still_there(owner))
		return owner;
	/* What is not where it was may be somewhere else. */
	if (!owner && owners->ended_ns && owners->looked_ns > since_ns)
		return NULL;
	if (!wait_for_turn(owners)) {
		owners->untold++;
		return NULL;
	}
	search(owners, pid);
	return find(owners, inode);
}

void nb_owners_free(struct nb_owners *owners)
{
	free(owners->owner);
	memset(owners, 0, sizeof(*owners));
}
