// SPDX-License-Identifier: Apache-2.0
#include "filter_args.h"

#include <errno.h>
#include <string.h>

#include "task.h"

int nb_filter_make(const struct nb_filter_args *args, struct nb_filter *ret,
		   struct nb_error *why)
{
	struct nb_filter f = { .pid = args->pid };
	int err = 0;

	f.flags = (args->ip4 && !args->ip6 ? NB_ONLY_IP4 : 0) |
		  (args->ip6 && !args->ip4 ? NB_ONLY_IP6 : 0) |
		  (args->pid ? NB_ONLY_PID : 0) |
		  (args->user ? NB_ONLY_UID : 0) |
		  (args->netns ? NB_ONLY_NETNS : 0) |
		  (args->cgroupmap ? NB_ONLY_CGROUP : 0) |
		  (args->mntnsmap ? NB_ONLY_MNTNS : 0);
	if (args->user && nb_task_uid(args->user, &f.uid))
		return nb_error_set(why, -ENOENT,
				    "cannot use --uid '%s': no such user",
				    args->user);
	if (args->netns)
		err = nb_task_netns(args->netns, &f.netns);
	if (err)
		return nb_error_set(
			why, err, "cannot use --netns '%s': %s", args->netns,
			err == -EINVAL ? "it is no network namespace"
				       : strerror(-err));
	*ret = f;
	return 0;
}

int nb_filter_watch(const struct nb_filter_args *args, int *ret_fd,
		    struct nb_error *why)
{
	int fd = args->pid ? nb_task_watch((pid_t)args->pid) : -ENOSYS;

	if (fd < 0 && fd != -ENOSYS)
		return nb_error_set(
			why, fd, "cannot trace process '%u': %s", args->pid,
			fd == -EINVAL ? "it is a thread" : strerror(-fd));
	*ret_fd = fd >= 0 ? fd : -1;
	return 0;
}

int nb_filter_ports(const struct nb_prog *prog, const char *map,
		    const struct nb_ports *ports)
{
	const uint8_t one = 1;
	int err = 0;

	for (size_t i = 0; i < ports->n && !err; i++)
		err = nb_prog_set(prog, map, &ports->port[i],
				  sizeof(ports->port[i]), &one, sizeof(one));
	return err;
}
