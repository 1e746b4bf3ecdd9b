// SPDX-License-Identifier: Apache-2.0
/* What the kernel takes, and what it refuses. As root. */
#include "load.h"

#include <bpf/bpf.h>
#include <errno.h>

#include "test.h"

#define MAP_REF(dst, index)                  \
	{ .code = BPF_LD | BPF_DW | BPF_IMM, \
	  .dst_reg = (dst),                  \
	  .src_reg = BPF_PSEUDO_MAP_FD,      \
	  .imm = (index) },                  \
	{                                    \
		.code = 0                    \
	}

/* clang-format off */
static const struct bpf_insn insns[] = {
	/* good: r1 = the second map; return 0 */
	MAP_REF(BPF_REG_1, 1),
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
	{ .code = BPF_JMP | BPF_EXIT },
	/* bad: returns what it never set */
	{ .code = BPF_JMP | BPF_EXIT },
};

static const struct nb_image_map maps[] = {
	{ "first", BPF_MAP_TYPE_ARRAY, 4, 8, 1, 0, 0 },
	{ "second", BPF_MAP_TYPE_HASH, 8, 4, 16, 0, 0 },
	{ "ring", BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, 0, 0 },
	{ "odd", BPF_MAP_TYPE_ARRAY, 3, 4, 16, 0, 0 },
};

static const struct nb_image_prog progs[] = {
	{ "good_program_with_a_long_name", 0, 4 },
	{ "bad", 4, 1 },
};
/* clang-format on */

static const struct nb_image img = {
	.map_count = 4,
	.prog_count = 2,
	.insn_count = 5,
	.maps = maps,
	.progs = progs,
	.insns = insns,
};

static int fds[4];

static struct bpf_map_info map_info(int fd)
{
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info);

	bpf_obj_get_info_by_fd(fd, &info, &len);
	return info;
}

static void check_maps(void)
{
	struct nb_error why;
	int larger;

	for (int i = 0; i < 3; i++)
		fds[i] = nb_load_map(&maps[i], 0, &why);
	test_ok(fds[0] > 0 && fds[1] > 0, "maps are created");
	test_int(map_info(fds[1]).max_entries, 16, "of their own size");
	test_str(map_info(fds[1]).name, "second", "by name");
	larger = nb_load_map(&maps[1], 1000, &why);
	test_int(map_info(larger).max_entries, 1000, "or of another one");
	close(larger);
	if (nb_load_has_ringbuf()) {
		larger = nb_load_map(&maps[2], 5000, &why);
		test_int(map_info(larger).max_entries, 8192,
			 "a ring buffer's bytes are rounded up");
		close(larger);
	}
	fds[3] = nb_load_map(&maps[3], 0, &why);
	test_ok(fds[3] < 0, "a map that the kernel refuses");
	test_ok(!strncmp(why.text, "cannot create the map 'odd' of 16 entr",
			 38),
		"is named");
}

static const struct nb_load load = { .type = BPF_PROG_TYPE_RAW_TRACEPOINT };

static void check_programs(void)
{
	struct bpf_prog_info info = { 0 };
	struct nb_error why = { "" };
	__u32 len = sizeof(info), ids[4] = { 0 };
	int fd;

	fd = nb_load_prog(&img, progs[0].name, &load, fds, &why);
	test_ok(fd >= 0, "a program is loaded");
	info.map_ids = (__u64)(unsigned long)ids;
	info.nr_map_ids = 4;
	bpf_obj_get_info_by_fd(fd, &info, &len);
	test_str(info.name, "good_program_wi",
		 "under what the kernel keeps of its name");
	test_int(info.nr_map_ids, 1, "with one map");
	test_int(ids[0], map_info(fds[1]).id, "which is the one it names");
	close(fd);

	fd = nb_load_prog(&img, "bad", &load, fds, &why);
	test_int(fd, -EACCES, "a program that the verifier rejects");
	test_str(
		why.text,
		"cannot load the program 'bad': Permission denied (-v shows the verifier's reason)",
		"is one line");
	fd = nb_load_prog(&img, "none", &load, fds, &why);
	test_int(fd, -ENOENT, "a program that the image lacks");
}

static void load_bad(void)
{
	struct nb_error why;

	nb_log_level(NB_LOG_VERBOSE);
	nb_load_prog(&img, "bad", &load, fds, &why);
}

/* What @run prints on standard error. */
static void stderr_of(void (*run)(void), char *buf, size_t size)
{
	int pipes[2], status;
	size_t len = 0;
	ssize_t n;
	pid_t pid;

	fflush(stdout);
	if (pipe(pipes))
		abort();
	pid = fork();
	if (pid == 0) {
		dup2(pipes[1], STDERR_FILENO);
		run();
		_exit(0);
	}
	close(pipes[1]);
	while ((n = read(pipes[0], buf + len, size - len - 1)) > 0)
		len += (size_t)n;
	buf[len] = '\0';
	close(pipes[0]);
	waitpid(pid, &status, 0);
}

static void check_verbose(void)
{
	char text[4096];

	stderr_of(load_bad, text, sizeof(text));
	test_ok(strstr(text, "the verifier says:") &&
			strstr(text, "R0 !read_ok"),
		"with -v the verifier's own words are shown");
}

static void check_pinned(void)
{
	struct nb_error why;

	test_int(nb_load_pinned(maps[1].key_size, "/sys/fs/bpf/no such map",
				&why),
		 -ENOENT, "a pinned map that is not there");
	test_str(
		why.text,
		"cannot open the map '/sys/fs/bpf/no such map': No such file or directory",
		"is named");
}

int main(void)
{
	check_maps();
	check_programs();
	check_verbose();
	check_pinned();
	return test_done();
}
