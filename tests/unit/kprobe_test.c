// SPDX-License-Identifier: Apache-2.0
/* Probes on functions, where the kernel has them; and that it has none. */
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../lib/kprobe.h"
#include "test.h"

#define SLEEPERS 5
#define FUNC "hrtimer_nanosleep" /* what nanosleep(2) comes to */

static struct nb_kernel *kernel;

/* Does tracefs' kprobe_events have something with @what in it? */
static bool listed(const char *what)
{
	char buf[1 << 16];
	int fd = openat(nb_kernel_tracefs(kernel), "kprobe_events",
			O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	buf[n > 0 ? n : 0] = '\0';
	return strstr(buf, what);
}

static void *sleeper(void *arg)
{
	struct timespec t = { .tv_nsec = 300000000 };

	(void)arg;
	nanosleep(&t, NULL);
	return NULL;
}

/* So many calls of the function at once. */
static void sleep_together(void)
{
	pthread_t threads[SLEEPERS];

	for (int i = 0; i < SLEEPERS; i++)
		pthread_create(&threads[i], NULL, sleeper, NULL);
	for (int i = 0; i < SLEEPERS; i++)
		pthread_join(threads[i], NULL);
}

static void counts_misses(void)
{
	struct nb_kprobes probes = { 0 };
	int fd = nb_kprobe_open(kernel, &probes, FUNC, true, 1);

	test_ok(fd >= 0, "a return of which one call may be under way");
	test_int((long long)probes.n, 1, "has a name");
	test_ok(listed(probes.name[0]), "which tracefs lists");
	ioctl(fd, PERF_EVENT_IOC_ENABLE, 0);
	test_int((long long)nb_kprobes_missed(&probes), 0, "nothing is missed");
	sleep_together();
	/* Somebody else on this machine may sleep as well. */
	test_ok(nb_kprobes_missed(&probes) >= SLEEPERS - 1,
		"but those that come while another is under way");
	close(fd);
	nb_kprobes_remove(&probes);
	test_ok(!listed("netbcc/"), "removed, its name is gone");
	nb_kprobes_remove(&probes);

	fd = nb_kprobe_open(kernel, &probes, FUNC, true, 1000);
	ioctl(fd, PERF_EVENT_IOC_ENABLE, 0);
	sleep_together();
	test_int((long long)nb_kprobes_missed(&probes), 0,
		 "with room for all nothing is missed");
	close(fd);
	nb_kprobes_remove(&probes);
}

static void unnamed(void)
{
	struct nb_kprobes probes = { 0 };
	int fd = nb_kprobe_open(kernel, &probes, FUNC, false, 1000);
	int ret = nb_kprobe_open(kernel, &probes, FUNC, true, 0);

	test_ok(fd >= 0 && ret >= 0, "an entry, and a return as it may be");
	test_ok(!probes.n && !listed("netbcc/"), "have no name");
	close(fd);
	close(ret);
	test_int(nb_kprobe_open(kernel, &probes, "no_such_function", false, 0),
		 -ENOENT, "a function that there is not");
	test_int(nb_kprobe_open(kernel, &probes, "no_such_function", true, 9),
		 -ENOENT, "nor its return");
	test_ok(!probes.n && !listed("no_such"), "nothing is left of that");
}

static void leftovers(void)
{
	struct nb_kprobes probes = { 0 };
	int pipes[2], status, fd;
	char name[64] = "";
	pid_t pid;

	if (pipe(pipes))
		exit(1);
	pid = fork();
	if (pid == 0) {
		nb_kprobe_open(kernel, &probes, FUNC, true, 7);
		if (write(pipes[1], probes.name[0], sizeof(name)) < 0)
			_exit(1);
		pause();
	}
	if (read(pipes[0], name, sizeof(name)) < 0)
		exit(1);
	nb_kprobes_clean(kernel);
	test_ok(*name && listed(name), "what another uses stays");
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	test_ok(listed(name), "it is killed: its name is left");
	nb_kprobes_clean(kernel);
	test_ok(!listed("netbcc/"), "until somebody cleans up");

	fd = nb_kprobe_open(kernel, &probes, FUNC, true, 7);
	nb_kprobes_clean(kernel);
	test_ok(fd >= 0 && listed(probes.name[0]), "one's own stays, too");
	close(fd);
	nb_kprobes_remove(&probes);
}

int main(void)
{
	struct nb_kprobes probes = { 0 };

	if (nb_kernel_new(&kernel))
		return 1;
	if (geteuid()) {
		test_ok(true, "needs root # SKIP");
	} else if (nb_kprobe_possible(kernel)) {
		counts_misses();
		unnamed();
		leftovers();
	} else {
		test_ok(access("/sys/bus/event_source/devices/kprobe", F_OK),
			"a kernel without kprobes");
		test_ok(nb_kprobe_open(kernel, &probes, FUNC, false, 0) < 0,
			"has none on an entry");
		test_ok(nb_kprobe_open(kernel, &probes, FUNC, true, 9) < 0,
			"nor on a return");
		nb_kprobes_clean(kernel);
		nb_kprobes_remove(&probes);
	}
	nb_kernel_free(kernel);
	return test_done();
}
