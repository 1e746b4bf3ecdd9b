/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is sent on one socket is put where another one receives it, without TCP,
 * as proxies do on one machine.
 */
#ifndef NB_WORK_SOCKMAP_H
#define NB_WORK_SOCKMAP_H

#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "die.h"

static int sockmap_bpf(enum bpf_cmd cmd, union bpf_attr *attr)
{
	long ret = syscall(SYS_bpf, cmd, attr, sizeof(*attr));

	if (ret < 0)
		die("bpf %d: %s", cmd, strerror(errno));
	return (int)ret;
}

static int sockmap_new(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_SOCKMAP,
		.key_size = sizeof(uint32_t),
		.value_size = sizeof(int),
		.max_entries = 1,
	};

	return sockmap_bpf(BPF_MAP_CREATE, &attr);
}

static void sockmap_set(int map, int fd)
{
	const uint32_t key = 0;
	union bpf_attr attr = {
		.map_fd = (uint32_t)map,
		.key = (uintptr_t)&key,
		.value = (uintptr_t)&fd,
	};

	sockmap_bpf(BPF_MAP_UPDATE_ELEM, &attr);
}

/* A program: bpf_msg_redirect_map(msg, @map, 0, BPF_F_INGRESS) */
static int sockmap_prog(int map)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_LD | BPF_DW | BPF_IMM,
		  .dst_reg = BPF_REG_2,
		  .src_reg = BPF_PSEUDO_MAP_FD,
		  .imm = map },
		{ 0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K,
		  .dst_reg = BPF_REG_4,
		  .imm = BPF_F_INGRESS },
		{ .code = BPF_JMP | BPF_CALL,
		  .imm = BPF_FUNC_msg_redirect_map },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_SK_MSG,
		.insns = (uintptr_t)insns,
		.insn_cnt = sizeof(insns) / sizeof(*insns),
		.license = (uintptr_t) "GPL",
	};

	return sockmap_bpf(BPF_PROG_LOAD, &attr);
}

/* What is sent on @from is received on @to, both of which are connected. */
static void sockmap_redirect(int from, int to)
{
	int source = sockmap_new(), target = sockmap_new();
	union bpf_attr attr = {
		.target_fd = (uint32_t)source,
		.attach_bpf_fd = (uint32_t)sockmap_prog(target),
		.attach_type = BPF_SK_MSG_VERDICT,
	};

	sockmap_set(target, to);
	sockmap_bpf(BPF_PROG_ATTACH, &attr);
	sockmap_set(source, from);
}

#endif
