// SPDX-License-Identifier: Apache-2.0
#include "sample.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

bool nb_sample_possible(void)
{
	/* perf_event_open(2) says that this is how to know. */
	return !access("/proc/sys/kernel/perf_event_paranoid", F_OK);
}

/* By software: virtual machines lack the processors' counters. */
static int open_clock(unsigned hz, int cpu)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.size = sizeof(attr),
		.sample_freq = hz,
		.freq = 1,
		.disabled = 1,
		.exclude_idle = 1,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1,
			      PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int attach_cpu(unsigned hz, int cpu, int prog, struct nb_links *links)
{
	int fd = open_clock(hz, cpu), err;

	if (fd == -ENODEV) /* not online */
		return 0;
	if (fd < 0)
		return fd;
	if (!ioctl(fd, PERF_EVENT_IOC_SET_BPF, prog) &&
	    !ioctl(fd, PERF_EVENT_IOC_ENABLE, 0))
		return nb_links_add(links, fd);
	err = -errno;
	close(fd);
	return err;
}

int nb_sample_attach(unsigned hz, int prog, struct nb_links *links)
{
	int cpus = libbpf_num_possible_cpus(), err = cpus < 0 ? cpus : 0;
	size_t before = links->n;

	for (int cpu = 0; cpu < cpus && !err; cpu++)
		err = attach_cpu(hz, cpu, prog, links);
	if (err)
		nb_links_cut(links, before);
	return err;
}
