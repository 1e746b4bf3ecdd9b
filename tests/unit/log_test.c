// SPDX-License-Identifier: Apache-2.0
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "test.h"

static void say_all(void *level)
{
	nb_log_tool("tcpnone");
	if (level)
		nb_log_level(*(enum nb_log_level *)level);
	nb_error("cannot use '%s': %d", "x", 5);
	nb_note("a note");
	nb_verbose("two\nlines");
	printf("%s quiet=%d\n", nb_log_name(), nb_log_is_quiet());
}

static void levels(void)
{
	enum nb_log_level level;
	struct test_run run;

	test_fork(say_all, NULL, &run);
	test_ran(&run, 0, "tcpnone quiet=0\n",
		 "tcpnone: cannot use 'x': 5\ntcpnone: a note\n",
		 "errors and notes unless told otherwise");
	level = NB_LOG_QUIET;
	test_fork(say_all, &level, &run);
	test_ran(&run, 0, "tcpnone quiet=1\n", "tcpnone: cannot use 'x': 5\n",
		 "quiet: errors only");
	level = NB_LOG_VERBOSE;
	test_fork(say_all, &level, &run);
	test_ran(&run, 0, "tcpnone quiet=0\n",
		 "tcpnone: cannot use 'x': 5\ntcpnone: a note\n"
		 "tcpnone: two\nlines\n",
		 "verbose: everything, in lines");
}

static void say_hostile(void *ctx)
{
	(void)ctx;
	nb_log_tool("t");
	nb_log_level(NB_LOG_VERBOSE);
	nb_error("%s", "a\nb\033[2Jc\177d\te\rf");
	nb_note("\xc2\x9b"
		"2J \xc3\xa4 \xc2\xa0 \xc2");
	nb_verbose("a\033b\nc\r");
	nb_error("%s", "");
}

static void hostile(void)
{
	struct test_run run;

	test_fork(say_hostile, NULL, &run);
	test_ran(&run, 0, "",
		 "t: a?b?[2Jc?d?e?f\n"
		 "t: ??2J \xc3\xa4 \xc2\xa0 \xc2\n"
		 "t: a?b\nc?\n"
		 "t: \n",
		 "control characters become '?'");
}

/* A datagram socket keeps writes apart: how many are there? */
static void one_write(void)
{
	char text[20000], got[sizeof(text) + 10];
	int saved = dup(STDERR_FILENO), fd[2], size = 1 << 20;
	ssize_t first, second;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	if (saved < 0 ||
	    socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fd)) {
		test_ok(false, "a pair of sockets");
		return;
	}
	setsockopt(fd[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	nb_log_tool("t");
	dup2(fd[1], STDERR_FILENO);
	errno = EXDEV;
	nb_error("%s", text);
	if (test_int(errno, EXDEV, "errno survives a message"))
		errno = 0;
	nb_error("second");
	dup2(saved, STDERR_FILENO);
	first = recv(fd[0], got, sizeof(got), MSG_DONTWAIT);
	test_int(first, (long long)sizeof(text) + 3,
		 "a long line in one write");
	second = recv(fd[0], got, sizeof(got) - 1, MSG_DONTWAIT);
	got[second > 0 ? second : 0] = '\0';
	test_str(got, "t: second\n", "the next one in another");
	close(fd[0]);
	close(fd[1]);
	close(saved);
}

static void reasons(void)
{
	struct nb_error why;
	char text[2 * sizeof(why.text)];

	test_int(nb_error_set(&why, -ENOENT, "no %s %d", "map", 3), -ENOENT,
		 "nb_error_set() returns its error");
	test_str(why.text, "no map 3", "and keeps the reason");
	memset(text, 'y', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	nb_error_set(&why, 0, "%s", text);
	test_int((long long)strlen(why.text), (long long)sizeof(why.text) - 1,
		 "a long reason is cut");
}

int main(void)
{
	test_str(nb_log_name(), "netbcc", "a name before there is one");
	levels();
	hostile();
	one_write();
	reasons();
	return test_done();
}
