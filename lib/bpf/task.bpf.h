/* SPDX-License-Identifier: GPL-2.0 */
/* The current task's files and namespaces. */
#ifndef NB_BPF_TASK_H
#define NB_BPF_TASK_H

#include "kernel.bpf.h"

#ifdef NB_TYPES_HEADERS
/* fs/mount.h is not among the headers; only the number is needed. */
struct mnt_namespace {
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 11, 0)
	atomic_t count;
#endif
	struct ns_common ns;
};
#endif

/* The inode number of the current task's mount namespace. */
static inline u64 nb_task_mntns(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct nsproxy *proxy = NB_GET(task, nsproxy);
	struct mnt_namespace *ns = NB_GET(proxy, mnt_ns);

	return NB_GET(ns, ns.inum);
}

/* The name of the current process, whichever of its threads this is. */
static inline void nb_task_process_comm(char *comm)
{
	u64 id = bpf_get_current_pid_tgid();
	struct task_struct *task;

	/* The first thread's name is the process'. */
	if ((u32)id == id >> 32) {
		bpf_get_current_comm(comm, 16);
		return;
	}
	task = (void *)bpf_get_current_task();
	task = NB_GET(task, group_leader);
	bpf_probe_read_kernel(comm, 16, &task->comm);
}

/*
 * The current thread's name; of a worker that io_uring has made in the process,
 * the name of the process (PF_IO_WORKER, linux/sched.h, Linux 5.12).
 */
static inline void nb_task_comm(char *comm)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	bpf_get_current_comm(comm, 16);
	if (NB_GET(task, flags) & 0x10)
		nb_task_process_comm(comm);
}

/*
 * The socket behind the current task's descriptor @fd; NULL when it is none.
 * By now another thread may have put another file there, so the socket must
 * point back at its file.
 */
static inline struct sock *nb_task_sock(long fd)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct files_struct *files = NB_GET(task, files);
	struct fdtable *fdt = NB_GET(files, fdt);
	struct file **fds = NB_GET(fdt, fd);
	struct file *file = 0;
	struct socket *sock;

	if (fd < 0 || fd >= NB_GET(fdt, max_fds))
		return 0;
	NB_READ(&file, &fds[fd]);
	if (!file)
		return 0;
	sock = NB_GET(file, private_data);
	if (!sock || NB_GET(sock, file) != file)
		return 0;
	return NB_GET(sock, sk);
}

#endif
