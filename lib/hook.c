// SPDX-License-Identifier: Apache-2.0
#include "hook.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sample.h"
#include "uprobe.h"

#define BTF_NAME_LEN 64
#define KERNEL_ENOTSUPP 524 /* linux/errno.h, not for user space */

static const char *reason(int err)
{
	return err == -KERNEL_ENOTSUPP ? "not supported" : strerror(-err);
}

/* What the hook is called in BTF, in @buf of BTF_NAME_LEN bytes. */
static const char *btf_name(const struct nb_hook *hook, char *buf)
{
	const char *prefix = hook->kind == NB_HOOK_ITER	    ? "bpf_iter_"
			     : hook->kind == NB_HOOK_RAW_TP ? "btf_trace_"
							    : "";

	snprintf(buf, BTF_NAME_LEN, "%s%s", prefix, hook->target);
	return buf;
}

struct lacking {
	char text[64];
};

/* " (CONFIG_WHATEVER)" */
static struct lacking lacking(const struct nb_hook *hook)
{
	struct lacking ret = { "" };

	if (hook->config)
		snprintf(ret.text, sizeof(ret.text), " (%s)", hook->config);
	return ret;
}

static int tracepoint_usable(struct nb_kernel *kernel,
			     const struct nb_hook *hook, struct nb_error *why)
{
	bool raw = hook->kind == NB_HOOK_RAW_TP;
	int ret = raw ? nb_kernel_raw_tp_args(kernel, hook->target)
		      : nb_kernel_tp_id(kernel, hook->target);

	if (ret == -ENODATA && (hook->typed || hook->args))
		return nb_error_set(
			why, ret,
			"cannot use the tracepoint '%s': the kernel has no BTF (CONFIG_DEBUG_INFO_BTF)",
			hook->target);
	if (ret >= 0 && raw && (unsigned)ret < hook->args)
		return nb_error_set(
			why, -EOPNOTSUPP,
			"cannot use the tracepoint '%s': it has %d arguments, %u are needed%s",
			hook->target, ret, hook->args, lacking(hook).text);
	if (ret >= 0 || ret == -ENODATA)
		return 0;
	if (ret != -ENOENT)
		return nb_error_set(why, ret,
				    "cannot use the tracepoint '%s': %s",
				    hook->target, strerror(-ret));
	return nb_error_set(
		why, ret,
		"cannot use the tracepoint '%s': the kernel has none%s",
		hook->target, lacking(hook).text);
}

/* Does the kernel say that it never will? */
static bool refused(int err)
{
	return err == -EPERM || err == -EINVAL || err == -KERNEL_ENOTSUPP ||
	       err == -EOPNOTSUPP;
}

static int fentry_usable(struct nb_kernel *kernel, const struct nb_hook *hook,
			 struct nb_error *why)
{
	const char *func = hook->target;
	int id = nb_kernel_func_id(kernel, func), err;

	if (id == -ENODATA)
		return nb_error_set(
			why, id,
			"cannot attach to the function '%s': the kernel has no BTF (CONFIG_DEBUG_INFO_BTF)",
			func);
	if (id < 0)
		return nb_error_set(
			why, id,
			"cannot attach to the function '%s': the kernel's BTF has none of that name%s",
			func, lacking(hook).text);
	if (hook->kind == NB_HOOK_RETURN && hook->calls &&
	    !nb_kernel_has_field(kernel, "bpf_tramp_image", "image"))
		return nb_error_set(
			why, -EOPNOTSUPP,
			"cannot attach to the return of '%s': this kernel may crash when one detaches during a call (Linux 5.12)",
			func);
	err = nb_load_try_fentry((uint32_t)id);
	if (err)
		/* Not what refuses all of eBPF: another plan may do. */
		return nb_error_set(
			why, refused(err) ? -EOPNOTSUPP : err,
			"cannot attach to the function '%s': the kernel refuses fentry: %s%s",
			func, reason(err),
			err == -EPERM
				? ""
				: " (CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS)");
	return 0;
}

static int kprobe_usable(struct nb_kernel *kernel, const struct nb_hook *hook,
			 struct nb_error *why)
{
	const char *func = hook->target;
	int ret;

	if (!nb_kprobe_possible(kernel))
		return nb_error_set(
			why, -EOPNOTSUPP,
			"cannot attach to the function '%s': the kernel has no kprobes (CONFIG_KPROBE_EVENTS)",
			func);
	ret = nb_kernel_has_func(kernel, func);
	if (ret < 0)
		return nb_error_set(why, ret,
				    "cannot find the function '%s': %s", func,
				    strerror(-ret));
	if (!ret)
		return nb_error_set(
			why, -ENOENT,
			"cannot attach to the function '%s': the kernel has none of that name%s",
			func, lacking(hook).text);
	return 0;
}

static int iter_usable(struct nb_kernel *kernel, const struct nb_hook *hook,
		       struct nb_error *why)
{
	char func[BTF_NAME_LEN];
	int id;

	id = nb_kernel_func_id(kernel, btf_name(hook, func));
	if (id >= 0)
		return 0;
	return nb_error_set(
		why, id, "cannot use the iterator '%s': the kernel %s",
		hook->target,
		id == -ENODATA ? "has no BTF (CONFIG_DEBUG_INFO_BTF)"
			       : "has none (Linux 5.8)");
}

static int sample_usable(const struct nb_hook *hook, struct nb_error *why)
{
	if (nb_sample_possible())
		return 0;
	return nb_error_set(
		why, -EOPNOTSUPP,
		"cannot sample at %s Hz: the kernel has no perf events (CONFIG_PERF_EVENTS)",
		hook->target);
}

int nb_hook_usable(struct nb_kernel *kernel, enum nb_hook_how how,
		   const struct nb_hook *hook, struct nb_error *why)
{
	switch (hook->kind) {
	case NB_HOOK_RAW_TP:
	case NB_HOOK_TP:
		return tracepoint_usable(kernel, hook, why);
	case NB_HOOK_ITER:
		return iter_usable(kernel, hook, why);
	case NB_HOOK_SAMPLE:
		return sample_usable(hook, why);
	case NB_HOOK_UPROBE:
	case NB_HOOK_URETPROBE:
		return nb_uprobe_usable(why);
	default:
		return how == NB_BY_FENTRY ? fentry_usable(kernel, hook, why)
					   : kprobe_usable(kernel, hook, why);
	}
}

static int load_tracing(const struct nb_image *img, const struct nb_hook *hook,
			struct nb_load *load, struct nb_load *ret,
			struct nb_error *why)
{
	char func[BTF_NAME_LEN];

	btf_name(hook, func);
	load->type = BPF_PROG_TYPE_TRACING;
	for (uint32_t i = 0; i < img->func_count; i++)
		if (!strcmp(img->funcs[i].name, func))
			load->btf_id = img->funcs[i].btf_id;
	if (!load->btf_id)
		return nb_error_set(
			why, -ENOENT,
			"cannot find the function '%s' in the image", func);
	*ret = *load;
	return 0;
}

int nb_hook_load(const struct nb_image *img, enum nb_hook_how how,
		 const struct nb_hook *hook, struct nb_load *ret,
		 struct nb_error *why)
{
	struct nb_load load = { 0 };

	switch (hook->kind) {
	case NB_HOOK_RAW_TP:
		if (hook->typed) {
			load.attach = BPF_TRACE_RAW_TP;
			return load_tracing(img, hook, &load, ret, why);
		}
		load.type = BPF_PROG_TYPE_RAW_TRACEPOINT;
		break;
	case NB_HOOK_TP:
		load.type = BPF_PROG_TYPE_TRACEPOINT;
		break;
	case NB_HOOK_SAMPLE:
		load.type = BPF_PROG_TYPE_PERF_EVENT;
		break;
	case NB_HOOK_ITER:
		load.attach = BPF_TRACE_ITER;
		return load_tracing(img, hook, &load, ret, why);
	case NB_HOOK_UPROBE:
	case NB_HOOK_URETPROBE:
		load.type = BPF_PROG_TYPE_KPROBE;
		load.attach = (enum bpf_attach_type)nb_uprobe_attach_type();
		break;
	default:
		if (how == NB_BY_KPROBE) {
			load.type = BPF_PROG_TYPE_KPROBE;
			break;
		}
		load.attach = hook->kind == NB_HOOK_ENTRY ? BPF_TRACE_FENTRY
							  : BPF_TRACE_FEXIT;
		return load_tracing(img, hook, &load, ret, why);
	}
	*ret = load;
	return 0;
}

/* One perf event, on any one CPU, runs the program on all of them. */
static int attach_tp(struct nb_kernel *kernel, const char *target)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.sample_period = 1,
		.wakeup_events = 1,
	};
	int id = nb_kernel_tp_id(kernel, target), fd;

	if (id < 0)
		return id;
	attr.config = (__u64)id;
	fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1,
			  PERF_FLAG_FD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int run_on_event(int event, int prog)
{
	int err;

	if (event < 0)
		return event;
	if (!ioctl(event, PERF_EVENT_IOC_SET_BPF, prog) &&
	    !ioctl(event, PERF_EVENT_IOC_ENABLE, 0))
		return event;
	err = -errno;
	close(event);
	return err;
}

/* The link of the iterator, when it has gone over everything. */
static int run_iter(int prog)
{
	int link = bpf_link_create(prog, 0, BPF_TRACE_ITER, NULL), iter,
	    err = 0;
	char buf[4096];
	ssize_t n;

	if (link < 0)
		return link;
	iter = bpf_iter_create(link);
	if (iter < 0) {
		close(link);
		return iter;
	}
	/* The program writes nothing. */
	do
		n = read(iter, buf, sizeof(buf));
	while (n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN)));
	if (n < 0)
		err = -errno;
	close(iter);
	if (err)
		close(link);
	return err ? err : link;
}

static int attach_samples(const struct nb_hook *hook, int prog,
			  struct nb_links *links, struct nb_error *why)
{
	unsigned hz = (unsigned)strtoul(hook->target, NULL, 10);
	int err = nb_sample_attach(hz, prog, links);

	if (!err)
		return 0;
	nb_error_set(why, err, "cannot sample at %s Hz: %s", hook->target,
		     reason(err));
	/* Else it is what the kernel has against it. */
	return err == -ENOMEM || err == -EMFILE || err == -ENFILE ? err
								  : -EOPNOTSUPP;
}

int nb_hook_attach(struct nb_kernel *kernel, enum nb_hook_how how,
		   const struct nb_hook *hook, int prog, struct nb_links *links,
		   struct nb_kprobes *kprobes, struct nb_error *why)
{
	const char *what = "tracepoint";
	int link;

	switch (hook->kind) {
	case NB_HOOK_SAMPLE:
		return attach_samples(hook, prog, links, why);
	case NB_HOOK_RAW_TP:
		link = bpf_raw_tracepoint_open(
			hook->typed ? NULL : hook->target, prog);
		break;
	case NB_HOOK_TP:
		link = run_on_event(attach_tp(kernel, hook->target), prog);
		break;
	case NB_HOOK_ITER:
		what = "iterator";
		link = run_iter(prog);
		break;
	default:
		what = "function";
		if (how == NB_BY_FENTRY)
			link = bpf_raw_tracepoint_open(NULL, prog);
		else
			link = run_on_event(
				nb_kprobe_open(kernel, kprobes, hook->target,
					       hook->kind == NB_HOOK_RETURN,
					       hook->calls),
				prog);
	}
	/* Not allowed here, another plan may be. */
	if (link == -EPERM && !strcmp(what, "function"))
		return nb_error_set(why, -EOPNOTSUPP,
				    "cannot attach to the function '%s': %s",
				    hook->target, strerror(EPERM));
	if (link >= 0)
		link = nb_links_add(links, link);
	if (link)
		nb_error_set(why, link, "cannot attach to the %s '%s': %s",
			     what, hook->target, reason(link));
	return link;
}
