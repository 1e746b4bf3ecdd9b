/* SPDX-License-Identifier: Apache-2.0 */
/* Processes and their namespaces, as the command line names them. */
#ifndef NB_TASK_H
#define NB_TASK_H

#include <stdint.h>
#include <sys/types.h>

/*
 * A descriptor that becomes readable when process @pid ends (pidfd_open(2),
 * Linux 5.3), close-on-exec. -ESRCH: no such process; -EINVAL: @pid is a
 * thread and no process; -ENOSYS on an older kernel, where the process exists;
 * or another -errno. The caller closes it.
 */
int nb_task_watch(pid_t pid);

/*
 * The inode number of the network namespace @name: a number, a name as in
 * ip-netns(8), or a path such as /proc/PID/ns/net. 0, -ENOENT, -EINVAL when
 * the file is no namespace, or another -errno.
 */
int nb_task_netns(const char *name, uint32_t *ret);

/*
 * Open the network namespace @name, as above, close-on-exec; a number is looked
 * for among those that have a name or a process. The descriptor, with the inode
 * number in *ret; or -errno as above. The caller closes it.
 */
int nb_task_netns_open(const char *name, uint32_t *ret);

/*
 * Call @fn with @ctx in the network namespace @fd, and come back. What it
 * returns, or -errno.
 */
int nb_task_in_netns(int fd, int (*fn)(void *ctx), void *ctx);

/* The user @name, a number or a login name. 0 or -ENOENT. */
int nb_task_uid(const char *name, uint32_t *ret);

#endif
