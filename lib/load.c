// SPDX-License-Identifier: Apache-2.0
#include "load.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define VERIFIER_LOG (4u << 20)

bool nb_load_has_ringbuf(void)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, NULL, 0, 0,
				(__u32)sysconf(_SC_PAGESIZE), NULL);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

int nb_load_pinned(uint32_t key_size, const char *path, struct nb_error *why)
{
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info);
	int fd = bpf_obj_get(path);

	if (fd < 0)
		return nb_error_set(why, -errno, "cannot open the map '%s': %s",
				    path, strerror(errno));
	if (bpf_obj_get_info_by_fd(fd, &info, &len) ||
	    (info.type != BPF_MAP_TYPE_HASH &&
	     info.type != BPF_MAP_TYPE_LRU_HASH) ||
	    info.key_size != key_size) {
		close(fd);
		return nb_error_set(
			why, -EINVAL,
			"cannot use the map '%s': it is no hash map with keys of %u bytes",
			path, key_size);
	}
	return fd;
}

static __u32 round_up_pow2(__u32 n)
{
	__u32 size = (__u32)sysconf(_SC_PAGESIZE);

	while (size < n)
		size *= 2;
	return size;
}

int nb_load_map(const struct nb_image_map *map, uint32_t max_entries,
		struct nb_error *why)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = map->flags);
	__u32 entries = max_entries ? max_entries : map->max_entries;
	char name[BPF_OBJ_NAME_LEN];
	int fd;

	if (map->type == BPF_MAP_TYPE_RINGBUF)
		entries = round_up_pow2(entries);
	else if (map->type == BPF_MAP_TYPE_PERF_EVENT_ARRAY)
		entries = (__u32)libbpf_num_possible_cpus();
	snprintf(name, sizeof(name), "%.15s", map->name);
	fd = bpf_map_create(map->type, name, map->key_size, map->value_size,
			    entries, &opts);
	if (fd < 0)
		return nb_error_set(
			why, fd, "cannot create the map '%s' of %u entries: %s",
			map->name, entries, strerror(-fd));
	return fd;
}

/* The verifier's own words, under -v. */
static void show_verifier_log(const struct nb_load *load, const char *name,
			      const struct bpf_insn *insns, size_t count)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .log_level = 1,
		    .log_size = VERIFIER_LOG,
		    .expected_attach_type = load->attach,
		    .attach_btf_id = load->btf_id);
	int fd;

	opts.log_buf = malloc(VERIFIER_LOG);
	if (!opts.log_buf)
		return;
	opts.log_buf[0] = '\0';
	fd = bpf_prog_load(load->type, name, "GPL", insns, count, &opts);
	if (fd >= 0)
		close(fd);
	nb_verbose("the verifier says:\n%s", opts.log_buf);
	free(opts.log_buf);
}

/* LINUX_VERSION_CODE, which kprobes had to name before 5.0. */
static __u32 kern_version(enum bpf_prog_type type)
{
	unsigned major, minor, patch = 0;
	struct utsname un;

	if (type != BPF_PROG_TYPE_KPROBE || uname(&un) ||
	    sscanf(un.release, "%u.%u.%u", &major, &minor, &patch) < 2)
		return 0;
	return (major << 16) + (minor << 8) + (patch > 255 ? 255 : patch);
}

/* A copy of the program's instructions, with maps as descriptors. */
static struct bpf_insn *copy_insns(const struct nb_image *img,
				   const struct nb_image_prog *prog,
				   const int *maps)
{
	struct bpf_insn *insns = malloc(prog->insn_count * sizeof(*insns));

	if (!insns)
		return NULL;
	memcpy(insns, img->insns + prog->insn_start,
	       prog->insn_count * sizeof(*insns));
	for (uint32_t i = 0; i < prog->insn_count; i++) {
		if (insns[i].code != (BPF_LD | BPF_DW | BPF_IMM))
			continue;
		if (insns[i].src_reg == BPF_PSEUDO_MAP_FD)
			insns[i].imm = maps[insns[i].imm];
		i++;
	}
	return insns;
}

int nb_load_try_fentry(uint32_t btf_id)
{
	static const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		    .expected_attach_type = BPF_TRACE_FENTRY,
		    .attach_btf_id = btf_id);
	int prog, link;

	prog = bpf_prog_load(BPF_PROG_TYPE_TRACING, "netbcc_try", "GPL", insns,
			     2, &opts);
	if (prog < 0)
		return prog;
	link = bpf_raw_tracepoint_open(NULL, prog);
	close(prog);
	if (link < 0)
		return link;
	close(link);
	return 0;
}

int nb_load_prog(const struct nb_image *img, const char *name,
		 const struct nb_load *load, const int *maps,
		 struct nb_error *why)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		    .expected_attach_type = load->attach,
		    .attach_btf_id = load->btf_id,
		    .kern_version = kern_version(load->type));
	const struct nb_image_prog *prog = NULL;
	char short_name[BPF_OBJ_NAME_LEN];
	struct bpf_insn *insns;
	int fd;

	for (uint32_t i = 0; i < img->prog_count; i++)
		if (!strcmp(img->progs[i].name, name))
			prog = &img->progs[i];
	if (!prog)
		return nb_error_set(why, -ENOENT,
				    "cannot find the program '%s' in the image",
				    name);
	insns = copy_insns(img, prog, maps);
	if (!insns)
		return nb_error_set(why, -ENOMEM, "out of memory");
	snprintf(short_name, sizeof(short_name), "%.15s", name);
	fd = bpf_prog_load(load->type, short_name, "GPL", insns,
			   prog->insn_count, &opts);
	if (fd == -EPERM)
		nb_error_set(
			why, fd,
			"cannot load the program '%s': %s (run as root, or with CAP_BPF and CAP_PERFMON)",
			name, strerror(-fd));
	else if (fd < 0) {
		nb_error_set(
			why, fd,
			"cannot load the program '%s': %s (-v shows the verifier's reason)",
			name, strerror(-fd));
		if (nb_log_is_verbose())
			show_verifier_log(load, short_name, insns,
					  prog->insn_count);
	}
	free(insns);
	return fd;
}
