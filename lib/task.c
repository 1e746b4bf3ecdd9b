// SPDX-License-Identifier: Apache-2.0
#include "task.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/nsfs.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "opt.h"

int nb_task_watch(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	/* pidfds are close-on-exec. */
	if (fd >= 0)
		return fd;
	if (errno == ENOENT) /* a thread; EINVAL on older kernels */
		return -EINVAL;
	if (errno != ENOSYS)
		return -errno;
	return kill(pid, 0) && errno == ESRCH ? -ESRCH : -ENOSYS;
}

/* The namespace at @path, opened, or -errno. */
static int open_netns(const char *path, uint32_t *ret)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET || fstat(fd, &st)) {
		close(fd);
		return -EINVAL;
	}
	*ret = (uint32_t)st.st_ino;
	return fd;
}

/* The namespace @inode among the files that the pattern @path names. */
static int find_netns(const char *path, uint32_t inode)
{
	uint32_t found;
	glob_t g;
	int fd = -ENOENT;

	if (glob(path, GLOB_NOSORT, NULL, &g))
		return -ENOENT;
	for (size_t i = 0; i < g.gl_pathc && fd < 0; i++) {
		fd = open_netns(g.gl_pathv[i], &found);
		if (fd >= 0 && found != inode) {
			close(fd);
			fd = -ENOENT;
		}
	}
	globfree(&g);
	return fd < 0 ? -ENOENT : fd;
}

int nb_task_netns_open(const char *name, uint32_t *ret)
{
	uint64_t inode;
	char path[256];
	int fd;

	if (!nb_parse_u64(name, 1, UINT32_MAX, &inode)) {
		fd = find_netns("/proc/self/ns/net", (uint32_t)inode);
		if (fd < 0)
			fd = find_netns("/run/netns/*", (uint32_t)inode);
		if (fd < 0)
			fd = find_netns("/proc/[0-9]*/ns/net", (uint32_t)inode);
		if (fd >= 0)
			*ret = (uint32_t)inode;
		return fd;
	}
	if (strchr(name, '/'))
		snprintf(path, sizeof(path), "%s", name);
	else
		snprintf(path, sizeof(path), "/run/netns/%s", name);
	return open_netns(path, ret);
}

int nb_task_netns(const char *name, uint32_t *ret)
{
	uint64_t inode;
	int fd;

	if (!nb_parse_u64(name, 1, UINT32_MAX, &inode)) {
		*ret = (uint32_t)inode;
		return 0;
	}
	fd = nb_task_netns_open(name, ret);
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

int nb_task_in_netns(int fd, int (*fn)(void *ctx), void *ctx)
{
	int own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), err;

	if (own < 0)
		return -errno;
	err = setns(fd, CLONE_NEWNET) ? -errno : 0;
	if (!err) {
		err = fn(ctx);
		if (setns(own, CLONE_NEWNET))
			err = -errno;
	}
	close(own);
	return err;
}

int nb_task_uid(const char *name, uint32_t *ret)
{
	struct passwd *pw;
	uint64_t uid;

	if (!nb_parse_u64(name, 0, UINT32_MAX - 1, &uid)) {
		*ret = (uint32_t)uid;
		return 0;
	}
	pw = getpwnam(name);
	if (!pw)
		return -ENOENT;
	*ret = pw->pw_uid;
	return 0;
}
