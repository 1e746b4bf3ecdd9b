/* SPDX-License-Identifier: Apache-2.0 */
/* Test Anything Protocol in a few functions: "ok 1 - name", "1..N" at the end.
 */
#ifndef NB_TEST_H
#define NB_TEST_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned test_count, test_failures;

/* @text, with what would end the line or move the cursor as \xNN. */
static inline void test_put(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			printf("\\x%02x", (unsigned char)*text);
		else
			putchar(*text);
	}
}

/* One result. Returns @good, so that a diagnostic may follow. */
static inline bool test_ok(bool good, const char *name)
{
	test_failures += !good;
	printf("%s %u - ", good ? "ok" : "not ok", ++test_count);
	test_put(name);
	putchar('\n');
	return good;
}

static inline void test_show(const char *label, const char *text)
{
	printf("# %s: \"", label);
	test_put(text);
	printf("\"\n");
}

static inline bool test_str(const char *got, const char *want, const char *name)
{
	if (test_ok(!strcmp(got, want), name))
		return true;
	test_show("want", want);
	test_show("got ", got);
	return false;
}

static inline bool test_int(long long got, long long want, const char *name)
{
	if (test_ok(got == want, name))
		return true;
	printf("# want: %lld\n# got : %lld\n", want, got);
	return false;
}

/* What a process of its own has printed, and its wait status. */
struct test_run {
	int status;
	char out[8192];
	char err[8192];
};

static inline void test_slurp(int fd, char *buf, size_t size)
{
	ssize_t n = pread(fd, buf, size - 1, 0);

	buf[n > 0 ? n : 0] = '\0';
	close(fd);
}

/* Call @fn in a process of its own, which ends with status 0 if it returns. */
static inline void test_fork(void (*fn)(void *), void *ctx,
			     struct test_run *ret)
{
	int out = memfd_create("out", MFD_CLOEXEC);
	int err = memfd_create("err", MFD_CLOEXEC);
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		if (dup2(out, STDOUT_FILENO) < 0 ||
		    dup2(err, STDERR_FILENO) < 0)
			_exit(99);
		fn(ctx);
		exit(0);
	}
	if (pid < 0 || waitpid(pid, &ret->status, 0) != pid) {
		perror("fork");
		exit(1);
	}
	test_slurp(out, ret->out, sizeof(ret->out));
	test_slurp(err, ret->err, sizeof(ret->err));
}

/* Did it exit with @status, having printed @out and @err and nothing else? */
static inline void test_ran(const struct test_run *run, int status,
			    const char *out, const char *err, const char *name)
{
	if (test_ok(WIFEXITED(run->status) &&
			    WEXITSTATUS(run->status) == status &&
			    !strcmp(run->out, out) && !strcmp(run->err, err),
		    name))
		return;
	printf("# want status: %d\n# got wait status: 0x%x\n", status,
	       (unsigned)run->status);
	test_show("want stdout", out);
	test_show("got  stdout", run->out);
	test_show("want stderr", err);
	test_show("got  stderr", run->err);
}

/* The plan. Returns what main() returns. */
static inline int test_done(void)
{
	printf("1..%u\n", test_count);
	return test_failures ? 1 : 0;
}

#endif
