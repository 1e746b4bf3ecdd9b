// SPDX-License-Identifier: GPL-2.0
/*
 * pywalk's eBPF text: the Python frames of each write(2) of the processes in
 * the map "http_py", and what is written. By the bits of the one entry of
 * "config" the process is stopped then, and its native stack taken, too.
 */
#pragma netbcc types task_struct pt_regs
#pragma netbcc field bpf_verifier_state may_goto_depth
#pragma netbcc func bpf_task_pt_regs

#ifdef NB_TYPES_HEADERS
#include <linux/sched.h>
#endif

#include "../../tools/trace_http/python.bpf.h"
#include "../../tools/trace_http/stack.bpf.h"
#include "events.bpf.h"
#include "kernel.bpf.h"
#include "pywalk.h"
#include "syscall.bpf.h"

#define SIGSTOP 19

BPF_ARRAY(config, u32, 1);
BPF_PERCPU_ARRAY(room, struct pywalk_event, 1);

int on_write(struct nb_sys_enter *ctx)
{
	u32 tgid = bpf_get_current_pid_tgid() >> 32, len;
	struct http_py_config *c = http_py.lookup(&tgid);
	struct pywalk_event *e;
	int zero = 0;
	u32 *how;
	u64 begun;

	if (!c)
		return 0;
	e = room.lookup(&zero);
	how = config.lookup(&zero);
	if (!e || !how)
		return 0;
	e->pid = tgid;
	e->tid = bpf_get_current_pid_tgid();
	e->pad = 0;
	len = ctx->args[2];
	if (len > PYWALK_TRUTH - 1)
		len = PYWALK_TRUTH - 1;
	e->truth_len = len;
	asm volatile("" : "+r"(len));
	len &= PYWALK_TRUTH - 1;
	bpf_probe_read_user(e->truth, len, (void *)ctx->args[1]);
	begun = bpf_ktime_get_ns();
	http_python_take(tgid, &e->stack);
	e->walk_ns = bpf_ktime_get_ns() - begun;
	if (*how & PYWALK_NATIVE) {
		http_stack_take(ctx, &e->stack,
				HTTP_STACK_WALK | HTTP_STACK_COPY);
		nb_submit(ctx, e, sizeof(*e));
	} else {
		nb_submit(ctx, e, PYWALK_SIZE);
	}
	if (*how & PYWALK_STOP)
		bpf_send_signal(SIGSTOP);
	return 0;
}
