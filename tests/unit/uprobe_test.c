// SPDX-License-Identifier: Apache-2.0
/* Hooks on files: a function of this program's own. */
#include <bpf/bpf.h>
#include <errno.h>

#include "../../lib/uprobe.h"
#include "test.h"

__attribute__((noinline)) static int called(int n)
{
	asm volatile("" : "+r"(n));
	return n;
}

/* Where in this file the byte at @addr is; 0: not known. */
static uint64_t offset_of(uintptr_t addr)
{
	FILE *f = fopen("/proc/self/maps", "re");
	unsigned long start, end, offset;
	uint64_t ret = 0;
	char line[4096];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%lx-%lx %*s %lx", &start, &end, &offset) ==
			    3 &&
		    addr >= start && addr < end)
			ret = addr - start + offset;
	if (f)
		fclose(f);
	return ret;
}

/* A program that does nothing: the kernel counts its runs. */
static int load(int type)
{
	static const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		    .expected_attach_type = (enum bpf_attach_type)type);

	return bpf_prog_load(BPF_PROG_TYPE_KPROBE, "nothing", "GPL", insns, 2,
			     &opts);
}

static uint64_t runs(int prog)
{
	struct bpf_prog_info info = { 0 };
	__u32 len = sizeof(info);

	return bpf_obj_get_info_by_fd(prog, &info, &len) ? 0 : info.run_cnt;
}

static void hooks(bool ret, int type)
{
	uint64_t offset = offset_of((uintptr_t)called);
	int prog = load(type);
	int link = nb_uprobe_attach("/proc/self/exe", offset, ret, prog);

	if (test_ok(link >= 0, "attached")) {
		for (int i = 0; i < 23; i++)
			called(i);
		test_int((long long)runs(prog), 23, "each call is seen");
		close(link);
		called(0);
		test_int((long long)runs(prog), 23, "none behind the end");
	}
	close(prog);
}

int main(void)
{
	int stats = bpf_enable_stats(BPF_STATS_RUN_TIME), prog, type;
	struct nb_error why;

	test_ok(nb_uprobe_attach("/no/such", 0, false, -1) < 0, "no such file");
	if (stats < 0 || nb_uprobe_usable(&why))
		return test_done();
	type = nb_uprobe_attach_type();
	hooks(false, 0);
	hooks(true, 0);
	if (type) {
		hooks(false, type);
		hooks(true, type);
	}
	prog = load(type);
	test_ok(nb_uprobe_attach("/proc/self/exe", 1ULL << 40, false, prog) < 0,
		"no such byte");
	close(prog);
	close(stats);
	return test_done();
}
