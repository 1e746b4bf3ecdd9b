// SPDX-License-Identifier: Apache-2.0
/* A program that runs now and then on each processor. */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <time.h>
#include <unistd.h>

#include "../../lib/sample.h"
#include "test.h"

#define HZ 999
#define BUSY_S 0.2

/* Adds 1 to the array's only value. */
static int load_counter(int map)
{
	const struct bpf_insn insns[] = {
		{ BPF_ST | BPF_MEM | BPF_W, BPF_REG_10, 0, -4, 0 },
		{ BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_2, BPF_REG_10, 0, 0 },
		{ BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_2, 0, 0, -4 },
		{ BPF_LD | BPF_IMM | BPF_DW, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0,
		  map },
		{ 0 },
		{ BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem },
		{ BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0, 0, 2, 0 },
		{ BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_1, 0, 0, 1 },
		{ BPF_STX | BPF_ATOMIC | BPF_DW, BPF_REG_0, BPF_REG_1, 0,
		  BPF_ADD },
		{ BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0 },
		{ BPF_JMP | BPF_EXIT, 0, 0, 0, 0 },
	};

	return bpf_prog_load(BPF_PROG_TYPE_PERF_EVENT, "count", "GPL", insns,
			     sizeof(insns) / sizeof(insns[0]), NULL);
}

static long long count(int map)
{
	unsigned zero = 0;
	long long n = -1;

	bpf_map_lookup_elem(map, &zero, &n);
	return n;
}

static void compute(void)
{
	clock_t end = clock() + (clock_t)(BUSY_S * CLOCKS_PER_SEC);

	while (clock() < end)
		;
}

static void test_samples(int map, int prog)
{
	struct nb_links links = { 0 };
	long long n;

	test_int(nb_sample_attach(HZ, prog, &links), 0, "attached");
	test_int((long long)links.n, sysconf(_SC_NPROCESSORS_ONLN),
		 "to each processor");
	compute();
	nb_links_close(&links);
	n = count(map);
	test_ok(n >= (long long)(HZ * BUSY_S / 2), "it ran as often");
	compute();
	test_int(count(map), n, "not when it is detached");
}

static void test_failure(void)
{
	struct nb_links links = { 0 };
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	test_int(nb_links_add(&links, fd), 0, "one of another's");
	test_ok(nb_sample_attach(HZ, fd, &links) < 0, "no program");
	test_int((long long)links.n, 1, "leaves nothing");
	test_ok(fcntl(fd, F_GETFD) >= 0, "but what was there");
	nb_links_close(&links);
	test_ok(fcntl(fd, F_GETFD) < 0 && errno == EBADF, "which is closed");
}

static void test_many(void)
{
	struct nb_links links = { 0 };
	bool ok = true;

	for (int i = 0; i < 100; i++)
		ok = ok && !nb_links_add(&links, dup(STDERR_FILENO));
	test_ok(ok && links.n == 100, "a hundred");
	nb_links_cut(&links, 40);
	test_ok(links.n == 40, "and forty");
	nb_links_close(&links);
}

int main(void)
{
	int map, prog;

	test_many();
	if (geteuid()) {
		test_ok(true, "needs root # SKIP");
		return test_done();
	}
	map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "count", 4, 8, 1, NULL);
	prog = load_counter(map);
	test_ok(nb_sample_possible() && prog >= 0, "a program");
	test_samples(map, prog);
	test_failure();
	close(prog);
	close(map);
	return test_done();
}
