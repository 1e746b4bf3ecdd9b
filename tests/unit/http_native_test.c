// SPDX-License-Identifier: Apache-2.0
/*
 * Native stacks of programs whose calls are known (native_target.c), compiled
 * in several ways. Stacks are taken by ptrace(2), as eBPF takes them.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>

#include "../../tools/trace_http/binary.h"
#include "../../tools/trace_http/native.h"
#include "../../tools/trace_http/symbols.h"
#include "../../tools/trace_http/unwind.h"
#include "test.h"

#ifdef __x86_64__
#define SOURCE "tests/unit/native_target.c"
#define LAST NULL

static char dir[] = "/tmp/http_native.XXXXXX";

/* A process that stands where it calls getppid(). */
struct target {
	pid_t pid;
	pid_t tid;
	struct http_stack stack;
};

static struct target t;
static struct http_frames frames;

/* Run a command; it must work. */
static void __attribute__((format(printf, 1, 2))) sh(const char *fmt, ...)
{
	char command[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(command, sizeof(command), fmt, args);
	va_end(args);
	if (system(command)) {
		printf("Bail out! cannot run: %s\n", command);
		exit(1);
	}
}

static void compile(const char *name, const char *flags)
{
	sh("cc -O2 %s -o %s/%s " SOURCE " -ldl -lpthread", flags, dir, name);
}

static void bail(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Run on until it calls getppid() the next time. */
static void go_on(void)
{
	struct user_regs_struct regs;
	int status, sig = 0;

	for (;;) {
		if (ptrace(PTRACE_SYSCALL, t.tid, NULL, (long)sig))
			bail("ptrace");
		t.tid = waitpid(-1, &status, __WALL);
		if (t.tid < 0 || (t.tid == t.pid && !WIFSTOPPED(status)))
			bail("the program has ended");
		sig = 0;
		if (!WIFSTOPPED(status))
			continue;
		if (WSTOPSIG(status) != (SIGTRAP | 0x80)) {
			if (WSTOPSIG(status) == SIGUSR1)
				sig = SIGUSR1;
			/* A new thread goes on by itself from then on. */
			if (t.tid != t.pid && WSTOPSIG(status) == SIGSTOP)
				ptrace(PTRACE_SYSCALL, t.pid, NULL, 0L);
			continue;
		}
		if (ptrace(PTRACE_GETREGS, t.tid, NULL, &regs))
			bail("registers");
		/* On entry there is no result yet. */
		if (regs.orig_rax == SYS_getppid &&
		    (long long)regs.rax == -ENOSYS)
			return;
	}
}

static void start(const char *const *argv, bool hide, const char *from,
		  const char *over)
{
	int status;

	memset(&t, 0, sizeof(t));
	fflush(stdout);
	t.pid = t.tid = fork();
	if (!t.pid) {
		if (hide &&
		    (unshare(CLONE_NEWNS | (geteuid() ? CLONE_NEWUSER : 0)) ||
		     mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		     mount(from, over, NULL, MS_BIND, NULL)))
			_exit(8);
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		execv(argv[0], (char **)argv);
		_exit(127);
	}
	if (waitpid(t.pid, &status, 0) != t.pid || !WIFSTOPPED(status))
		bail(argv[0]);
	ptrace(PTRACE_SETOPTIONS, t.pid, NULL,
	       PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL | PTRACE_O_TRACECLONE);
	go_on();
}

static void end(void)
{
	int status;

	kill(t.pid, SIGKILL);
	while (waitpid(-1, &status, __WALL) > 0)
		;
}

static size_t peek(uint64_t at, void *to, size_t size)
{
	struct iovec local = { to, size };
	struct iovec remote = { (void *)(uintptr_t)at, size };
	ssize_t n = process_vm_readv(t.pid, &local, 1, &remote, 1, 0);

	return n > 0 ? (size_t)n : 0;
}

/* As http_stack_take() does. */
static void take(void)
{
	struct user_regs_struct regs;
	struct http_stack *st = &t.stack;
	uint64_t frame[2], bp;

	if (ptrace(PTRACE_GETREGS, t.tid, NULL, &regs))
		bail("registers");
	memset(st, 0, sizeof(*st));
	st->flags = HTTP_STACK_WALK | HTTP_STACK_COPY | HTTP_STACK_REGS;
	st->ip = regs.rip;
	st->sp = regs.rsp;
	st->bp = bp = regs.rbp;
	st->saved[0] = regs.rbx;
	st->saved[1] = regs.r12;
	st->saved[2] = regs.r13;
	st->saved[3] = regs.r14;
	st->saved[4] = regs.r15;
	st->ips[st->nips++] = regs.rip;
	while (st->nips < HTTP_STACK_IPS && bp >= st->sp &&
	       peek(bp, frame, sizeof(frame)) == sizeof(frame) && frame[1]) {
		st->ips[st->nips++] = frame[1];
		bp = frame[0];
	}
	for (size_t at = 0, n; at < HTTP_STACK_BYTES; at += n) {
		n = HTTP_STACK_CHUNK - (st->sp + at) % HTTP_STACK_CHUNK;
		if (n > HTTP_STACK_BYTES - at)
			n = HTTP_STACK_BYTES - at;
		if (peek(st->sp + at, st->bytes + at, n) != n)
			break;
		st->stack_bytes += (uint32_t)n;
	}
}

static int resolve(struct http_native *n)
{
	http_frames_clear(&frames);
	return http_native_resolve(n, t.pid, &t.stack, &frames);
}

/* Are these, up to LAST, the first frames; or just there, one after another? */
static void expect(const char *name, ...)
{
	char buf[HTTP_FRAME_STRLEN];
	const char *want;
	size_t i = 0;
	bool good = true;
	va_list args;

	va_start(args, name);
	while (good && (want = va_arg(args, const char *))) {
		if (!strcmp(want, "...")) {
			want = va_arg(args, const char *);
			while (i < frames.n && strcmp(frames.f[i].name, want))
				i++;
		}
		good = i < frames.n && !strcmp(frames.f[i].name, want);
		i++;
	}
	va_end(args);
	if (test_ok(good, name))
		return;
	for (i = 0; i < frames.n; i++) {
		http_frame_format(&frames.f[i], buf);
		test_show("frame", buf);
	}
}

static struct http_native *make(void)
{
	struct http_native *n;

	if (http_native_new(&n))
		exit(1);
	return n;
}

static const char *program(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

/* Run @name in the way @way up to its call, and look at it. */
static struct http_native *run(const char *name, const char *way)
{
	const char *const argv[] = { program(name), way, NULL };
	struct http_native *n = make();

	start(argv, false, NULL, NULL);
	take();
	test_int(http_native_open(n, t.pid), 0, name);
	return n;
}

static void finish(struct http_native *n)
{
	end();
	http_native_free(n);
}

static void follows_calls(void)
{
	static const char *const ways[][2] = {
		{ "fp", "-fno-omit-frame-pointer" },
		{ "nofp", "-fomit-frame-pointer" },
		{ "nopie", "-fomit-frame-pointer -no-pie" },
		{ "static", "-fomit-frame-pointer -static -DSTATIC" },
		{ "staticpie", "-static-pie -DSTATIC" },
		{ "onesegment", "-Wl,-z,noseparate-code" },
		{ "moved", "-Wl,-Ttext-segment=0x4000000" },
		{ "apart", "-Wl,-Ttext=0x900000" },
		{ "largepages", "-Wl,-z,max-page-size=0x200000" },
	};

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct http_native *n;

		compile(ways[i][0], ways[i][1]);
		n = run(ways[i][0], "plain");
		test_int(resolve(n), 0, "is resolved");
		expect("all of its calls", "getppid", "leaf", "inner", "outer",
		       "main", "...", "_start", LAST);
		test_ok(!frames.truncated &&
				!http_native_lost(n, HTTP_LOST_SYMBOL) &&
				!http_native_lost(n, HTTP_LOST_REST),
			"nothing is lost");
		finish(n);
	}
}

static void walks_only(void)
{
	struct http_native *n = run("fp", "plain");

	t.stack.stack_bytes = 0;
	resolve(n);
	expect("frame pointers alone: all but the one that calls libc",
	       "getppid", "inner", "outer", "main", LAST);
	t.stack.nips = 0;
	resolve(n);
	test_int((long long)frames.n, 0, "neither: no frames");
	t.stack.flags = 0;
	test_int(resolve(n), -ENODATA, "and no registers: no stack");
	test_int((long long)http_native_lost(n, HTTP_LOST_STACK), 1,
		 "which is counted");
	finish(n);
}

static void goes_deep(void)
{
	struct http_native *n = run("fp", "deep");
	size_t all;

	resolve(n);
	all = frames.n;
	expect("deeper than the copy, with frame pointers", "getppid", "leaf",
	       "recurse", "...", "deep", "outer", "main", LAST);
	test_ok(all > 55, "every call of the recursive function");
	finish(n);
	n = run("nofp", "deep");
	test_int(t.stack.stack_bytes, HTTP_STACK_BYTES, "as much as fits");
	resolve(n);
	expect("without, up to where the copy ends", "getppid", "leaf",
	       "recurse", "recurse", LAST);
	test_ok(frames.truncated && http_native_lost(n, HTTP_LOST_REST) == 1,
		"which it says");
	finish(n);
}

static void other_ways(void)
{
	struct http_native *n = run("nofp", "python");

	resolve(n);
	expect("CPython's loop", "getppid", "leaf", "inner",
	       "_PyEval_EvalFrameDefault", "main", LAST);
	test_ok(frames.n > 3 && frames.f[3].eval && !frames.f[2].eval,
		"is marked");
	finish(n);
	n = run("nofp", "signal");
	resolve(n);
	expect("through a signal", "getppid", "leaf", "inner", "on_signal",
	       "...", "signalled", "outer", "main", LAST);
	finish(n);
	n = run("nofp", "thread");
	resolve(n);
	expect("a thread", "getppid", "leaf", "inner", "outer", "in_thread",
	       LAST);
	test_ok(!frames.truncated, "up to its begin");
	finish(n);
}

/* The line of the source that has @mark. */
static unsigned line_of(const char *mark)
{
	FILE *f = fopen(SOURCE, "r");
	char line[256];
	unsigned n = 0;

	while (f && fgets(line, sizeof(line), f)) {
		n++;
		if (strstr(line, mark))
			break;
	}
	if (f)
		fclose(f);
	return n;
}

static void tells_lines(void)
{
	struct http_native *n;

	compile("lines", "-g");
	n = run("lines", "plain");
	resolve(n);
	test_int(frames.f[1].line, line_of("/* line of leaf */"),
		 "the line of a call");
	test_int(frames.f[3].line, line_of("/* line of outer */"),
		 "and of another one");
	test_str(frames.f[1].file ? http_frame_base(frames.f[1].file) : "",
		 "native_target.c", "in their file");
	finish(n);
}

static void without_symbols(void)
{
	struct http_native *n;

	compile("stripped", "-s");
	n = run("stripped", "plain");
	resolve(n);
	expect("stripped: the file's name", "getppid", "[stripped]",
	       "[stripped]", "[stripped]", "[stripped]", LAST);
	test_int((long long)http_native_lost(n, HTTP_LOST_SYMBOL), 5,
		 "which is counted");
	test_int(frames.f[1].kind, HTTP_UNKNOWN, "and is not known");
	finish(n);
	compile("mini", "");
	sh("cd %s && objcopy --only-keep-debug mini mini.debug && "
	   "strip mini && xz -k mini.debug && "
	   "objcopy --add-section .gnu_debugdata=mini.debug.xz mini",
	   dir);
	n = run("mini", "plain");
	resolve(n);
	expect("with .gnu_debugdata", "getppid", "leaf", "inner", "outer",
	       "main", LAST);
	finish(n);
}

static void outlives(void)
{
	struct http_native *n = run("nofp", "plain");

	end();
	test_int(resolve(n), 0, "a process that has ended");
	expect("all of its calls", "getppid", "leaf", "inner", "outer", "main",
	       "...", "_start", LAST);
	http_native_close(n, t.pid);
	test_int(resolve(n), -ESRCH, "forgotten, it is not known");
	test_int((long long)http_native_lost(n, HTTP_LOST_PROCESS), 1,
		 "which is counted");
	test_int(http_native_open(n, t.pid), -ESRCH, "nor can it be opened");
	http_native_free(n);
}

static void deleted(void)
{
	struct http_native *n;

	sh("cp %s/nofp %s/gone", dir, dir);
	{
		const char *const argv[] = { program("gone"), "plain", NULL };

		start(argv, false, NULL, NULL);
	}
	take();
	unlink(program("gone"));
	n = make();
	resolve(n);
	/* Only a privileged user gets at it. */
	if (geteuid())
		expect("a deleted file's name", "getppid", "[gone]", LAST);
	else
		expect("a deleted file", "getppid", "leaf", "inner", "outer",
		       "main", LAST);
	finish(n);
}

static void loads_late(void)
{
	char path[128];
	const char *const argv[] = { program("nofp"), "library", path, "late",
				     NULL };
	struct http_native *n = make();

	compile("late.so", "-shared -fPIC -DLIBRARY=late");
	snprintf(path, sizeof(path), "%s/late.so", dir);
	start(argv, false, NULL, NULL);
	test_int(http_native_open(n, t.pid), 0, "before a library is loaded");
	go_on();
	take();
	usleep(150 * 1000); /* it is not looked for more often */
	resolve(n);
	expect("after it was", "getppid", "leaf", "inner", "late", "library",
	       "main", LAST);
	test_int((long long)http_native_lost(n, HTTP_LOST_UNMAPPED), 0,
		 "nothing is lost");
	finish(n);
}

/* The same name, and in the process's namespace another file. */
static void other_namespace(void)
{
	char path[128], over[128];
	const char *const argv[] = { program("nofp"), "library", over, "both",
				     NULL };
	struct http_native *n = make();

	compile("hidden.so", "-shared -fPIC -DLIBRARY=both "
			     "-Wl,--defsym=wrong=both");
	compile("shown.so", "-shared -fPIC -DLIBRARY=both -Dinner=x");
	snprintf(path, sizeof(path), "%s/shown.so", dir);
	snprintf(over, sizeof(over), "%s/hidden.so", dir);
	/* In the host's, there is nothing of that name where the calls are. */
	sh("printf x >%s/empty && cp %s %s.keep && cp %s/empty %s", dir, over,
	   over, dir, over);
	start(argv, true, path, over);
	go_on();
	take();
	test_int(http_native_open(n, t.pid), 0, "in another mount namespace");
	resolve(n);
	expect("its own library, not the host's", "getppid", "leaf", "inner",
	       "both", "library", "main", LAST);
	finish(n);
}

static void made_code(void)
{
	struct http_native *n = run("fp", "jit");

	resolve(n);
	expect("code made at run time, without a map", "getppid", "leaf",
	       "inner", "[unknown]", "jit", "outer", "main", LAST);
	test_ok(http_native_lost(n, HTTP_LOST_JIT) == 1, "is counted");
	go_on();
	take();
	usleep(150 * 1000);
	resolve(n);
	expect("with one", "getppid", "leaf", "inner", "made", "jit", "outer",
	       "main", LAST);
	test_ok(frames.n > 3 && frames.f[3].kind == HTTP_JIT &&
			frames.f[3].line == 12,
		"its line");
	sh("rm -f /tmp/perf-%d.map", (int)t.pid);
	finish(n);
	n = run("nofp", "jit");
	resolve(n);
	expect("the same in a program without frame pointers", "getppid",
	       "leaf", "inner", "[unknown]", "jit", "outer", "main", LAST);
	finish(n);
}

/* Another program in the same process. */
static void executes(void)
{
	const char *const argv[] = { "/bin/sh", "-c", "exec \"$0\" plain",
				     program("nopie"), NULL };
	struct http_native *n = make();
	int status;

	memset(&t, 0, sizeof(t));
	fflush(stdout);
	t.pid = t.tid = fork();
	if (!t.pid) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		execv(argv[0], (char **)argv);
		_exit(127);
	}
	waitpid(t.pid, &status, 0);
	ptrace(PTRACE_SETOPTIONS, t.pid, NULL,
	       PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
	http_native_open(n, t.pid);
	go_on(); /* the shell may ask for its parent, too */
	take();
	resolve(n);
	while (!frames.n || strcmp(frames.f[1].name, "leaf")) {
		go_on();
		take();
		http_native_open(n, t.pid);
		resolve(n);
	}
	expect("a program that another one has become", "getppid", "leaf",
	       "inner", "outer", "main", LAST);
	finish(n);
}

static void stacks(void)
{
	if (!mkdtemp(dir))
		bail(dir);
	follows_calls();
	walks_only();
	goes_deep();
	other_ways();
	tells_lines();
	without_symbols();
	outlives();
	deleted();
	loads_late();
	other_namespace();
	made_code();
	executes();
	http_frames_free(&frames);
	sh("rm -rf %s", dir);
}
#else
/* Taking them without eBPF is written for x86-64. */
static void stacks(void)
{
}
#endif

static void names(void)
{
	static const char *const pairs[][2] = {
		{ "main", "main" },
		{ "memcpy@@GLIBC_2.14", "memcpy" },
		{ "_ZN3app6Server6handleERKNS_7RequestE",
		  "app::Server::handle" },
		{ "_ZN3std2io5Write9write_all17h0123456789abcdefE",
		  "std::io::Write::write_all" },
		{ "_RNvNtCs1234_7mycrate3foo3bar", "mycrate::foo::bar" },
		{ "main.(*Server).handle", "main.(*Server).handle" },
		{ "_Znonsense", "_Znonsense" },
		{ "", "" },
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		char *name = http_demangle(pairs[i][0]);

		test_str(name ? name : "", pairs[i][1], pairs[i][0]);
		free(name);
	}
	test_ok(http_symbol_is_eval("_PyEval_EvalFrameDefault"), "the loop");
	test_ok(http_symbol_is_eval("_PyEval_EvalFrameDefault.cold"),
		"a part of it");
	test_ok(!http_symbol_is_eval("_PyEval_EvalFrameDefaults"), "no part");
}

static void splices(void)
{
	static const __u64 ips[] = { 1, 3, 4, 4, 4, 5, 6 };
	struct http_chain dwarf = { .pc = { 1, 2, 3, 4, 4 },
				    .at = { true },
				    .n = 5 };
	static struct http_chain got;

	test_ok(http_chain_splice(&dwarf, ips, 7, &got), "two ways join");
	test_int((long long)got.n, 8, "where they meet");
	test_ok(got.pc[4] == 4 && got.pc[5] == 4 && got.pc[7] == 6,
		"in a recursive function by what came before");
	test_ok(got.at[0] && !got.at[1] && !got.at[7],
		"only the first is where it is");
	dwarf.complete = true;
	test_ok(http_chain_splice(&dwarf, ips, 7, &got) && got.n == 5,
		"one that is whole stays as it is");
	dwarf.complete = false;
	dwarf.pc[0] = 9;
	dwarf.n = 1;
	test_ok(!http_chain_splice(&dwarf, ips, 7, &got) && got.n == 7,
		"a leaf alone: the other one, and whether it is whole?");
	dwarf.pc[1] = 9;
	dwarf.n = 2;
	test_ok(!http_chain_splice(&dwarf, ips, 7, &got) && got.n == 2,
		"two that don't meet: what DWARF says");
	dwarf.n = 0;
	test_ok(!http_chain_splice(&dwarf, ips, 0, &got) && !got.n, "neither");
}

int main(void)
{
	names();
	splices();
	stacks();
	return test_done();
}
