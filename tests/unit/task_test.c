// SPDX-License-Identifier: Apache-2.0
#include "task.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "test.h"

static void users(void)
{
	uint32_t uid = 99;

	test_ok(!nb_task_uid("0", &uid) && uid == 0, "user 0");
	test_ok(!nb_task_uid("65534", &uid) && uid == 65534, "user 65534");
	test_ok(!nb_task_uid("root", &uid) && uid == 0, "user root");
	test_int(nb_task_uid("no-such-user", &uid), -ENOENT, "no such user");
	test_int(nb_task_uid("4294967295", &uid), -ENOENT,
		 "the number that stands for no user");
	test_int(nb_task_uid("-1", &uid), -ENOENT, "a negative user");
}

static void namespaces(void)
{
	struct stat st;
	uint32_t inode = 0;

	stat("/proc/self/ns/net", &st);
	test_int(nb_task_netns("/proc/self/ns/net", &inode), 0, "by path");
	test_int(inode, (long long)st.st_ino, "its inode number");
	test_ok(!nb_task_netns("4026531833", &inode) && inode == 4026531833,
		"by number");
	test_int(nb_task_netns("no-such-ns", &inode), -ENOENT, "no such name");
	test_int(nb_task_netns("/proc/self/ns/mnt", &inode), -EINVAL,
		 "a namespace of another kind");
	test_int(nb_task_netns("/etc/passwd", &inode), -EINVAL,
		 "a file that is no namespace");
	test_int(nb_task_netns("/no/such/file", &inode), -ENOENT,
		 "a path that is not there");
}

static pid_t thread_id;

static void *be_thread(void *fd)
{
	char c;

	thread_id = (pid_t)syscall(SYS_gettid);
	return (void *)(read(*(int *)fd, &c, 1) < 0 ? 1UL : 0);
}

static void processes(void)
{
	struct pollfd p = { .events = POLLIN };
	int pipes[2];
	pthread_t thread;
	pid_t pid;

	if (pipe(pipes))
		abort();
	pid = fork();
	if (pid == 0) {
		for (;;)
			pause();
	}
	p.fd = nb_task_watch(pid);
	test_ok(p.fd >= 0, "a process can be watched");
	test_ok(fcntl(p.fd, F_GETFD) & FD_CLOEXEC, "close-on-exec");
	test_int(poll(&p, 1, 0), 0, "while it lives nothing is readable");
	kill(pid, SIGKILL);
	test_int(poll(&p, 1, 5000), 1, "its end is");
	close(p.fd);
	waitpid(pid, NULL, 0);
	test_int(nb_task_watch(pid), -ESRCH, "a process that is gone");

	pthread_create(&thread, NULL, be_thread, &pipes[0]);
	while (!__atomic_load_n(&thread_id, __ATOMIC_ACQUIRE))
		sched_yield();
	test_int(nb_task_watch(thread_id), -EINVAL, "a thread is refused");
	close(pipes[1]);
	pthread_join(thread, NULL);
}

int main(void)
{
	users();
	namespaces();
	processes();
	return test_done();
}
