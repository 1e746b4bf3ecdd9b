// SPDX-License-Identifier: Apache-2.0
#include "kernel.h"

#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "field.h"

struct nb_kernel {
	struct btf *btf;
	int btf_err; /* why there is none: -errno; 1: not looked yet */
	int tracefs; /* its root, or -errno; 1: not looked yet */
};

int nb_kernel_new(struct nb_kernel **ret)
{
	struct nb_kernel *k = calloc(1, sizeof(*k));

	if (!k)
		return -ENOMEM;
	k->btf_err = 1;
	k->tracefs = 1;
	*ret = k;
	return 0;
}

void nb_kernel_free(struct nb_kernel *k)
{
	if (!k)
		return;
	btf__free(k->btf);
	if (k->tracefs >= 0 && k->tracefs != 1)
		close(k->tracefs);
	free(k);
}

void nb_kernel_hide_btf(struct nb_kernel *k)
{
	k->btf_err = -ENOENT;
}

static const struct btf *get_btf(struct nb_kernel *k)
{
	if (k->btf_err == 1) {
		k->btf = btf__parse_raw("/sys/kernel/btf/vmlinux");
		k->btf_err = k->btf ? 0 : -errno;
	}
	return k->btf;
}

/* tracefs by a mount that is in no namespace and ends with its descriptor. */
static int mount_unseen(void)
{
	int fs, fd = -1;

	fs = (int)syscall(SYS_fsopen, "tracefs", FSOPEN_CLOEXEC);
	if (fs < 0)
		return -1;
	if (!syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		fd = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0);
	close(fs);
	return fd;
}

int nb_kernel_tracefs(struct nb_kernel *k)
{
	static const char *const paths[] = {
		"/sys/kernel/tracing",
		"/sys/kernel/debug/tracing",
	};
	int err = -ENOENT;

	for (size_t i = 0; k->tracefs == 1 && i < 2; i++) {
		int fd = open(paths[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd >= 0 && !faccessat(fd, "events", X_OK, 0)) {
			k->tracefs = fd;
			return fd;
		}
		/* An unmounted one is an empty directory. */
		if (errno == EACCES || errno == EPERM)
			err = -EACCES;
		if (fd >= 0)
			close(fd);
	}
	if (k->tracefs == 1) {
		k->tracefs = mount_unseen();
		if (k->tracefs < 0)
			k->tracefs = errno == EPERM ? -EACCES : err;
	}
	return k->tracefs;
}

int nb_kernel_tp_id(struct nb_kernel *k, const char *name)
{
	int root = nb_kernel_tracefs(k), fd;
	char path[160], text[16];
	ssize_t n;

	if (root < 0)
		return root;
	if (snprintf(path, sizeof(path), "events/%s/id", name) >=
	    (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = openat(root, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == EPERM ? -EACCES : -errno;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return n ? -errno : -ENODATA;
	text[n] = '\0';
	return atoi(text);
}

/* 1, 0, or -errno when /proc/kallsyms can't be read. */
static int in_kallsyms(const char *name)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	char line[512], symbol[256];
	int found = 0;

	if (!f)
		return -errno;
	while (!found && fgets(line, sizeof(line), f))
		if (sscanf(line, "%*s %*c %255s", symbol) == 1)
			found = !strcmp(symbol, name);
	fclose(f);
	return found;
}

int nb_kernel_raw_tp_args(struct nb_kernel *k, const char *name)
{
	const struct btf *btf = get_btf(k);
	char symbol[128];
	int id;

	if (btf)
		return nb_field_tp_args(btf, name);
	/* A function since 5.10; a variable, which kallsyms may lack, always.
	 */
	snprintf(symbol, sizeof(symbol), "__traceiter_%s", name);
	id = in_kallsyms(symbol);
	if (id == 0) {
		snprintf(symbol, sizeof(symbol), "__tracepoint_%s", name);
		id = in_kallsyms(symbol);
	}
	if (id < 0)
		return id;
	if (id)
		return -ENODATA;
	/* Before 5.10 without CONFIG_KALLSYMS_ALL, attaching will tell. */
	return in_kallsyms("__traceiter_sched_switch") == 1 ? -ENOENT
							    : -ENODATA;
}

int nb_kernel_func_id(struct nb_kernel *k, const char *name)
{
	const struct btf *btf = get_btf(k);
	int id;

	if (!btf)
		return -ENODATA;
	id = btf__find_by_name_kind(btf, name, BTF_KIND_FUNC);
	return id < 0 ? -ENOENT : id;
}

int nb_kernel_has_func(struct nb_kernel *k, const char *name)
{
	return nb_kernel_func_id(k, name) > 0 ? 1 : in_kallsyms(name);
}

int nb_kernel_has_field(struct nb_kernel *k, const char *type,
			const char *field)
{
	const struct btf *btf = get_btf(k);
	struct nb_field found;
	int id;

	if (!btf)
		return -ENODATA;
	id = nb_field_type(btf, type);
	return id > 0 && !nb_field_find(btf, (uint32_t)id, field, &found);
}

int nb_kernel_enum_name(struct nb_kernel *k, const char *type, int64_t value,
			const char **ret)
{
	const struct btf *btf = get_btf(k);
	const struct btf_type *t;
	int id;

	if (!btf)
		return -ENODATA;
	id = btf__find_by_name_kind(btf, type, BTF_KIND_ENUM);
	if (id < 0)
		return -ENOENT;
	t = btf__type_by_id(btf, (__u32)id);
	for (__u16 i = 0; i < btf_vlen(t); i++) {
		const struct btf_enum *e = &btf_enum(t)[i];

		if (e->val == value) {
			*ret = btf__name_by_offset(btf, e->name_off);
			return 0;
		}
	}
	return -ENOENT;
}
