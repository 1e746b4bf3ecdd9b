// SPDX-License-Identifier: Apache-2.0
#include "task.h"

#include <errno.h>
#include <fcntl.h>
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

int nb_task_netns(const char *name, uint32_t *ret)
{
	uint64_t inode;
	char path[256];
	struct stat st;
	int fd, type;

	if (!nb_parse_u64(name, 1, UINT32_MAX, &inode)) {
		*ret = (uint32_t)inode;
		return 0;
	}
	if (strchr(name, '/'))
		snprintf(path, sizeof(path), "%s", name);
	else
		snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	type = ioctl(fd, NS_GET_NSTYPE);
	if (type != CLONE_NEWNET || fstat(fd, &st)) {
		close(fd);
		return -EINVAL;
	}
	close(fd);
	*ret = (uint32_t)st.st_ino;
	return 0;
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
