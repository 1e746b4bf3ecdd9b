/* SPDX-License-Identifier: Apache-2.0 */
/* Which processes and sockets are wanted: shared with the eBPF texts. */
#ifndef NB_FILTER_H
#define NB_FILTER_H

#include <linux/types.h>

enum nb_filter_flags {
	NB_ONLY_IP4 = 1 << 0,
	NB_ONLY_IP6 = 1 << 1,
	NB_ONLY_PID = 1 << 2,
	NB_ONLY_UID = 1 << 3,
	NB_ONLY_NETNS = 1 << 4,
	NB_ONLY_CGROUP = 1 << 5, /* in the map "cgroupset", by id */
	NB_ONLY_MNTNS = 1 << 6,	 /* in the map "mntnsset", by inode number */
	NB_ONLY_TASKS =
		NB_ONLY_PID | NB_ONLY_UID | NB_ONLY_CGROUP | NB_ONLY_MNTNS,
};

struct nb_filter {
	__u32 flags;
	__u32 pid; /* thread group */
	__u32 uid;
	__u32 netns; /* inode number */
};
_Static_assert(sizeof(struct nb_filter) == 16, "shared with eBPF");

#endif
