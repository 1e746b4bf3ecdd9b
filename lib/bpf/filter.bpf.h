/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Is the current process, or a socket, one of those that are wanted? The text
 * wants the types of sock.bpf.h and task.bpf.h.
 */
#ifndef NB_BPF_FILTER_H
#define NB_BPF_FILTER_H

#include "filter.h"
#include "sock.bpf.h"
#include "task.bpf.h"

/* The command puts a map that is pinned elsewhere in the place of these. */
BPF_HASH(cgroupset, u64, u64, 1);
BPF_HASH(mntnsset, u64, u32, 1);

static inline int nb_task_wanted(const struct nb_filter *f)
{
	u32 flags = f->flags;
	u64 id;

	if (flags & NB_ONLY_PID && f->pid != bpf_get_current_pid_tgid() >> 32)
		return 0;
	if (flags & NB_ONLY_UID && f->uid != (u32)bpf_get_current_uid_gid())
		return 0;
	if (flags & NB_ONLY_CGROUP) {
		id = bpf_get_current_cgroup_id();
		if (!cgroupset.lookup(&id))
			return 0;
	}
	if (flags & NB_ONLY_MNTNS) {
		id = nb_task_mntns();
		if (!mntnsset.lookup(&id))
			return 0;
	}
	return 1;
}

/* @ip: as nb_sk_ip() has it. */
static inline int nb_ip_wanted(const struct nb_filter *f, u8 ip)
{
	if (f->flags & NB_ONLY_IP4 && ip != 4)
		return 0;
	if (f->flags & NB_ONLY_IP6 && ip != 6)
		return 0;
	return ip != 0;
}

static inline int nb_netns_wanted(const struct nb_filter *f, struct sock *sk)
{
	return !(f->flags & NB_ONLY_NETNS) || f->netns == nb_sk_netns(sk);
}

#endif
