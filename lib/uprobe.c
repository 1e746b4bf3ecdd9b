// SPDX-License-Identifier: Apache-2.0
#include "uprobe.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "opt.h"

/* Since Linux 4.17. */
#define PMU "/sys/bus/event_source/devices/uprobe/"

/* linux/bpf.h since Linux 6.6. */
#define TRACE_UPROBE_MULTI 48
#define UPROBE_MULTI_RETURN 1

/* union bpf_attr of BPF_LINK_CREATE, of these links. */
struct multi_attr {
	__u32 prog;
	__u32 target;
	__u32 type;
	__u32 flags;
	__u64 path;
	__u64 offsets;
	__u64 semaphores;
	__u64 cookies;
	__u32 n;
	__u32 multi_flags;
	__u32 pid; /* 0: all */
	__u32 pad;
};

/* The number in the file @path, behind @prefix. -errno. */
static int read_number(const char *path, const char *prefix)
{
	FILE *f = fopen(path, "re");
	size_t len = strlen(prefix);
	char line[64] = "";
	uint64_t n;

	if (!f)
		return -errno;
	if (fgets(line, sizeof(line), f))
		line[strcspn(line, "\n")] = '\0';
	fclose(f);
	if (strncmp(line, prefix, len) ||
	    nb_parse_u64(line + len, 0, INT32_MAX, &n))
		return -EINVAL;
	return (int)n;
}

int nb_uprobe_usable(struct nb_error *why)
{
	int type = read_number(PMU "type", "");

	if (type >= 0)
		return 0;
	return nb_error_set(
		why, -EOPNOTSUPP,
		"cannot attach to files: the kernel has no uprobes (CONFIG_UPROBE_EVENTS)");
}

static int open_event(const char *path, uint64_t offset, bool ret)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.sample_period = 1,
		.wakeup_events = 1,
		.config1 = (uintptr_t)path,
		.config2 = offset,
	};
	int type = read_number(PMU "type", ""), bit = 0, fd;

	if (type >= 0 && ret)
		bit = read_number(PMU "format/retprobe", "config:");
	if (type < 0 || bit < 0 || bit > 63)
		return -EOPNOTSUPP;
	attr.type = (__u32)type;
	attr.config = ret ? 1ULL << bit : 0;
	/* One event, on any one CPU, runs the program on all of them. */
	fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1,
			  PERF_FLAG_FD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int open_link(const char *path, uint64_t offset, bool ret, int prog)
{
	const struct multi_attr attr = {
		.prog = (__u32)prog,
		.type = TRACE_UPROBE_MULTI,
		.path = (uintptr_t)path,
		.offsets = (uintptr_t)&offset,
		.n = 1,
		.multi_flags = ret ? UPROBE_MULTI_RETURN : 0,
	};
	int fd = (int)syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));

	return fd < 0 ? -errno : fd;
}

int nb_uprobe_attach_type(void)
{
	static const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		    .expected_attach_type = TRACE_UPROBE_MULTI);
	int prog = bpf_prog_load(BPF_PROG_TYPE_KPROBE, "netbcc_try", "GPL",
				 insns, 2, &opts);
	int err;

	if (prog < 0)
		return 0;
	/* What has them sees that this is a directory. */
	err = open_link("/", 0, false, prog);
	close(prog);
	return err == -EBADF ? TRACE_UPROBE_MULTI : 0;
}

int nb_uprobe_attach(const char *path, uint64_t offset, bool ret, int prog)
{
	int fd = open_link(path, offset, ret, prog), err;

	if (fd >= 0)
		return fd;
	fd = open_event(path, offset, ret);
	if (fd < 0)
		return fd;
	if (!ioctl(fd, PERF_EVENT_IOC_SET_BPF, prog) &&
	    !ioctl(fd, PERF_EVENT_IOC_ENABLE, 0))
		return fd;
	err = -errno;
	close(fd);
	return err;
}
