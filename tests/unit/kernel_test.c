// SPDX-License-Identifier: Apache-2.0
/* Against the running kernel: as root, for tracefs and kallsyms. */
#include "kernel.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <sys/mount.h>

#include "test.h"

/* Facts of every kernel since 4.18, and what tracefs says. */
static void with_btf(void)
{
	struct nb_kernel *k;
	const char *name = NULL;

	nb_kernel_new(&k);
	test_int(nb_kernel_raw_tp_args(k, "inet_sock_set_state"), 3,
		 "inet_sock_set_state has three arguments");
	test_int(nb_kernel_raw_tp_args(k, "sys_exit"), 2,
		 "sys_exit has two arguments");
	test_int(nb_kernel_raw_tp_args(k, "no_such_tracepoint"), -ENOENT,
		 "a tracepoint that is not there");
	test_int(nb_kernel_has_func(k, "tcp_v4_rcv"), 1, "tcp_v4_rcv");
	test_int(nb_kernel_has_func(k, "no_such_function"), 0,
		 "a function that is not there");
	test_ok(nb_kernel_func_id(k, "tcp_v4_rcv") > 0, "has an id in BTF");
	test_int(nb_kernel_func_id(k, "no_such_function"), -ENOENT,
		 "one that is not there has none");
	test_int(nb_kernel_has_field(k, "sock", "sk_protocol"), 1,
		 "sock.sk_protocol");
	test_int(nb_kernel_has_field(k, "sock_common", "skc_daddr"), 1,
		 "a field inside unnamed members");
	test_int(nb_kernel_has_field(k, "sock", "no_such_field"), 0,
		 "a field that is not there");
	test_int(nb_kernel_has_field(k, "no_such_struct", "a"), 0,
		 "a field of no struct");
	test_int(nb_kernel_enum_name(k, "pid_type", 0, &name), 0,
		 "enum pid_type has a value 0");
	test_str(name ? name : "", "PIDTYPE_PID", "and its name is known");
	test_int(nb_kernel_enum_name(k, "pid_type", 4711, &name), -ENOENT,
		 "a value that is not there");
	test_int(nb_kernel_enum_name(k, "no_such_enum", 0, &name), -ENOENT,
		 "an enum that is not there");
	nb_kernel_free(k);
}

static void without_btf(void)
{
	struct nb_kernel *k;
	const char *name;

	nb_kernel_new(&k);
	nb_kernel_hide_btf(k);
	test_int(nb_kernel_func_id(k, "tcp_v4_rcv"), -ENODATA,
		 "without BTF no function has an id");
	test_int(nb_kernel_raw_tp_args(k, "inet_sock_set_state"), -ENODATA,
		 "without BTF: a tracepoint is there, its arguments unknown");
	test_int(nb_kernel_raw_tp_args(k, "no_such_tracepoint"), -ENOENT,
		 "without BTF: a tracepoint that is not there");
	test_int(nb_kernel_has_func(k, "tcp_v4_rcv"), 1,
		 "without BTF: tcp_v4_rcv");
	test_int(nb_kernel_has_func(k, "no_such_function"), 0,
		 "without BTF: a function that is not there");
	test_int(nb_kernel_has_field(k, "sock", "sk_protocol"), -ENODATA,
		 "without BTF: fields are unknown");
	test_int(nb_kernel_enum_name(k, "pid_type", 0, &name), -ENODATA,
		 "without BTF: enums are unknown");
	nb_kernel_free(k);
}

static int tp_id(const char *name)
{
	struct nb_kernel *k;
	int id;

	nb_kernel_new(&k);
	id = nb_kernel_tp_id(k, name);
	nb_kernel_free(k);
	return id;
}

static unsigned open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* The same id with tracefs where everybody sees it, and where nobody does. */
static void tracepoint_ids(void)
{
	unsigned before = open_files();
	int seen, unseen;

	if (unshare(CLONE_NEWNS) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL)) {
		test_ok(false, "a mount namespace of one's own");
		return;
	}
	while (!umount("/sys/kernel/tracing"))
		;
	while (!umount("/sys/kernel/debug/tracing"))
		;
	while (!umount("/sys/kernel/debug"))
		;
	test_ok(access("/sys/kernel/tracing/events", F_OK),
		"tracefs is not mounted");
	unseen = tp_id("syscalls/sys_exit_accept4");
	test_ok(unseen > 0, "a tracepoint's id without a mounted tracefs");
	test_ok(access("/sys/kernel/tracing/events", F_OK),
		"tracefs is still not mounted");
	test_int(tp_id("syscalls/no_such_call"), -ENOENT,
		 "a tracepoint that is not in tracefs");
	mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, NULL);
	seen = tp_id("syscalls/sys_exit_accept4");
	test_int(seen, unseen, "the same id from the mounted tracefs");
	test_int(open_files(), before, "no descriptor is left open");
}

int main(void)
{
	with_btf();
	without_btf();
	tracepoint_ids();
	return test_done();
}
