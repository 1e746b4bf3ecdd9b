// SPDX-License-Identifier: Apache-2.0
/* Which plan: what is said where none works. Nothing here gets compiled. */
#include <errno.h>

#include "../../lib/prog.h"
#include "test.h"

static const struct nb_hook no_tracepoint[] = {
	{ NB_HOOK_RAW_TP, "sys_exit", "a", 1 },
	{ NB_HOOK_RAW_TP, "no_such_tracepoint", "a", 1,
	  .config = "CONFIG_WHATEVER" },
};

static const struct nb_hook no_tp[] = {
	{ NB_HOOK_TP, "syscalls/sys_exit_no_such_call", "a", 1,
	  .config = "CONFIG_FTRACE_SYSCALLS" },
};

static const struct nb_hook no_function[] = {
	{ NB_HOOK_ENTRY, "no_such_function", "a", 1, .config = "CONFIG_X" },
};

#define ONE(hooks) hooks, sizeof(hooks) / sizeof(hooks[0])

static const struct nb_plan plans[] = {
	{ "fentry", ONE(no_function), NB_BY_FENTRY },
	{ "tracepoint", ONE(no_tracepoint) },
	{ "tp", ONE(no_tp) },
	{ "kprobe", ONE(no_function), NB_BY_KPROBE },
};

/* What nb_prog_open() says of plan @plan, or (0) of all of them. */
static const char *said(unsigned plan, int *ret)
{
	static struct nb_error why;
	const struct nb_prog_args args = {
		.no_cache = true,
		.plan = plan,
		.buffer_kb = 4,
	};
	const struct nb_prog_spec spec = {
		.tool = "prog_test",
		.text = "",
		.plans = plans,
		.nplans = sizeof(plans) / sizeof(plans[0]),
		.want = 1,
		.args = &args,
	};
	struct nb_prog *prog = NULL;

	*ret = nb_prog_open(&spec, &prog, &why);
	if (prog)
		nb_prog_free(prog);
	return why.text;
}

int main(void)
{
	const char *text;
	int err;

	if (geteuid()) {
		test_ok(true, "needs root # SKIP");
		return test_done();
	}
	text = said(0, &err);
	test_int(err, -ENOENT, "no plan works");
	test_str(
		text,
		"cannot use the tracepoint 'no_such_tracepoint': the kernel has none (CONFIG_WHATEVER); no other plan works either (-v shows why)",
		"the reason is that of the plan that wants least");
	test_str(
		said(2, &err),
		"cannot use the tracepoint 'no_such_tracepoint': the kernel has none (CONFIG_WHATEVER)",
		"the only plan's reason");
	test_str(
		said(3, &err),
		"cannot use the tracepoint 'syscalls/sys_exit_no_such_call': the kernel has none (CONFIG_FTRACE_SYSCALLS)",
		"a tracepoint of a system call");
	test_str(
		said(1, &err),
		"cannot attach to the function 'no_such_function': the kernel's BTF has none of that name (CONFIG_X)",
		"a function, by fentry");
	text = said(4, &err);
	test_ok(strstr(text, "'no_such_function': the kernel has ") &&
			(strstr(text, "no kprobes (CONFIG_KPROBE_EVENTS)") ||
			 strstr(text, "none of that name (CONFIG_X)")),
		"a function, by kprobe");
	return test_done();
}
