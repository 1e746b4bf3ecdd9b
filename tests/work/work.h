/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the workloads of connload share: options, the records that the client
 * and server processes leave in shared memory, and the protocol with the test.
 */
#ifndef WORK_H
#define WORK_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "die.h"

#define MAX_THREADS 64
#define MAX_COUNT 1000000
#define ACCEPT4_32 364 /* of i386 */
#define EXIT_SKIP 77   /* the kernel has no such thing */

/* Times NB_SLOW, for machines that are so many times slower. */
#define LIMIT_SECONDS (120 * slow) /* no workload outlives this */
#define BLOCKED_MS (5000 * slow)   /* for the acceptors to be in accept() */
#define QUIET_MS (10000 * slow)	   /* for the last socket to reach CLOSE */
#define SLACK_MS (250 * slow)	   /* a thread may not run for so long */
#define EARLY_US (2000 * slow)	   /* a client knows before the server */

struct opts {
	int ip;	     /* 4 or 6 */
	bool mapped; /* IPv6 sockets, IPv4 addresses */
	bool nonblock;
	bool fastopen;
	bool mptcp;
	bool rst;    /* close by RST */
	bool unspec; /* one socket, disconnected by connect(AF_UNSPEC) */
	bool again;  /* connect() while one is connected or under way, too */
	bool wait;   /* for a line on standard input */
	bool bind;   /* the source address */
	bool same_tuple;
	bool close; /* before the answer */
	bool abi32; /* the server's system calls are those of i386 */
	bool uring_connect;
	bool uring_async; /* connect in a worker */
	bool uring_recv;
	bool uring_mix; /* every other thread accepts without it */
	bool late;	/* connect when it goes */
	bool shared;	/* by all threads */
	bool inherit;	/* the sockets, from a parent */
	bool tls;
	unsigned count;
	unsigned threads;
	unsigned port;
	unsigned client_uid;
	unsigned accept_delay_ms;
	unsigned hold_ms;
	bool read;
	unsigned user_timeout_ms;
	unsigned seconds;
	unsigned backlog;
	size_t bytes_up;
	size_t bytes_down;
	size_t before;	  /* bytes each way that don't count */
	const char *send; /* the way to */
	const char *recv;
	const char *addr;	  /* of the server */
	const char *from;	  /* of the client */
	const char *server_netns; /* path; where the server's sockets are */
	const char *comm;
	const char *tag;
	const char *expect; /* errno's name */
	const char *uring;  /* how to accept */
};

/* One end of one connection. Times are CLOCK_MONOTONIC nanoseconds. */
struct side {
	pid_t pid;
	pid_t tid; /* 0: unknown */
	uid_t uid;
	ino_t netns; /* of the socket */
	char comm[16];
	struct sockaddr_in6 local;
	struct sockaddr_in6 remote;
	bool local_known;
	int64_t start;	 /* the call */
	int64_t done;	 /* its return, or the end of the handshake */
	int64_t closing; /* the last moment before the end may begin */
	uint64_t rx;
	uint64_t tx;
	size_t mapped;	/* of rx, by zero copy */
	char error[24]; /* empty: connected */
};

/* In memory that the processes of a workload share. */
struct shared {
	atomic_uint tickets;  /* accepts begun */
	atomic_uint connects; /* records used */
	atomic_uint accepts;
	atomic_uint closed; /* storm: accepted sockets done with */
	pid_t acceptors[MAX_THREADS];
	struct side *connect;
	struct side *accept;
};

static struct opts opts = {
	.ip = 4,
	.count = 1,
	.threads = 1,
	.backlog = SOMAXCONN,
};
static struct shared *shared;
static unsigned slow = 1;

static inline int64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

/* CLOCK_MONOTONIC to microseconds since the Epoch. */
static inline int64_t real_us(int64_t mono)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (ts.tv_sec * 1000000000LL + ts.tv_nsec - now() + mono) / 1000;
}

static inline void sleep_ms(unsigned ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

static inline void *share(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("cannot get memory: %s", strerror(errno));
	return p;
}

static inline void shared_init(void)
{
	shared = share(sizeof(*shared));
	shared->connect = share((2 * opts.count + 1) * sizeof(struct side));
	shared->accept = share((2 * opts.count + 1) * sizeof(struct side));
}

/*
 * Run @fn in a child that dies with its parent, and in any case in time. It
 * gets the reading end of the pipe @go (or -1), see wait_for_go().
 */
static inline pid_t spawn(void (*fn)(int go), const int *go)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		die("cannot fork: %s", strerror(errno));
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	alarm(LIMIT_SECONDS);
	if (go)
		close(go[1]);
	fn(go ? go[0] : -1);
	exit(0);
}

static inline void reap(pid_t pid, const char *what)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		die("cannot wait for the %s: %s", what, strerror(errno));
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SKIP)
		exit(EXIT_SKIP);
	if (status)
		die("the %s failed (status 0x%x)", what, status);
}

/* Tell the test that all is set up; with --wait, until it says go. */
static inline void ready(pid_t client, pid_t server, unsigned port)
{
	char line[16];

	printf("{\"ready\":true,\"client\":%d,\"server\":%d,\"port\":%u}\n",
	       client, server, port);
	fflush(stdout);
	if (opts.wait && !fgets(line, sizeof(line), stdin))
		die("nobody said go");
}

/*
 * Addresses. IPv4 ones are kept as sockaddr_in6 as well (mapped), so that a
 * record has one form.
 */
static inline void to_record(const struct sockaddr_storage *ss,
			     struct sockaddr_in6 *ret)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)ss;

	if (ss->ss_family == AF_INET6) {
		memcpy(ret, ss, sizeof(*ret));
		return;
	}
	memset(ret, 0, sizeof(*ret));
	ret->sin6_family = AF_INET6;
	ret->sin6_port = in->sin_port;
	ret->sin6_addr.s6_addr[10] = ret->sin6_addr.s6_addr[11] = 0xff;
	memcpy(ret->sin6_addr.s6_addr + 12, &in->sin_addr, 4);
}

/* The address @text, or loopback, for a socket of --ip; returns its length. */
static inline socklen_t make_addr(const char *text, unsigned port,
				  struct sockaddr_storage *ret)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;
	struct sockaddr_in *in = (struct sockaddr_in *)ret;
	char mapped[64];

	if (!text)
		text = opts.ip == 4 ? "127.0.0.1" : "::1";
	memset(ret, 0, sizeof(*ret));
	if (opts.ip == 4 && !opts.mapped) {
		in->sin_family = AF_INET;
		in->sin_port = htons((uint16_t)port);
		if (inet_pton(AF_INET, text, &in->sin_addr) != 1)
			die("'%s' is no IPv4 address", text);
		return sizeof(*in);
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons((uint16_t)port);
	if (opts.mapped) {
		snprintf(mapped, sizeof(mapped), "::ffff:%s", text);
		text = mapped;
	}
	if (inet_pton(AF_INET6, text, &in6->sin6_addr) != 1)
		die("'%s' is no IPv6 address", text);
	return sizeof(*in6);
}

static inline int new_socket(int flags)
{
	int family = opts.ip == 4 && !opts.mapped ? AF_INET : AF_INET6;
	int fd, one = 1, zero = 0;

	fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | flags,
		    opts.mptcp ? 262 : 0);
	if (fd < 0 && opts.mptcp) {
		fprintf(stderr, "connload: no MPTCP here: %s\n",
			strerror(errno));
		exit(EXIT_SKIP);
	}
	if (fd < 0)
		die("cannot make a socket: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
	return fd;
}

/* A socket that listens, or (@backlog < 0) only keeps others off its port. */
static inline int listen_on(int backlog, unsigned *ret_port)
{
	struct sockaddr_storage ss;
	socklen_t len = make_addr(opts.addr, opts.port, &ss);
	int fd = new_socket(0);

	if (bind(fd, (struct sockaddr *)&ss, len) ||
	    (backlog >= 0 && listen(fd, backlog)) ||
	    getsockname(fd, (struct sockaddr *)&ss, &len))
		die("cannot listen on port %u: %s", opts.port, strerror(errno));
	*ret_port = ntohs(((struct sockaddr_in *)&ss)->sin_port);
	return fd;
}

/* Close so that no TIME_WAIT keeps the port. */
static inline void linger_rst(int fd)
{
	struct linger rst = { 1, 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &rst, sizeof(rst));
}

/* The inode number of the network namespace that the process is in. */
static inline ino_t current_netns(void)
{
	struct stat st;

	if (stat("/proc/self/ns/net", &st))
		die("cannot read the namespace: %s", strerror(errno));
	return st.st_ino;
}

static inline void enter_netns(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die("cannot enter '%s': %s", path, strerror(errno));
	close(fd);
}

static inline void side_task(struct side *s)
{
	s->netns = current_netns();
	s->pid = getpid();
	s->tid = gettid();
	s->uid = getuid();
	prctl(PR_GET_NAME, s->comm);
}

static inline void side_local(struct side *s, int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	if (getsockname(fd, (struct sockaddr *)&ss, &len))
		return;
	to_record(&ss, &s->local);
	s->local_known = true;
}

/*
 * What the process is called, which is what its threads in the kernel count as:
 * of these neither the thread nor its name is of interest.
 */
static char leader_comm[16];

static inline void name_leader(const char *comm)
{
	snprintf(leader_comm, sizeof(leader_comm), "%s", comm);
	prctl(PR_SET_NAME, leader_comm);
}

/* As side_task(), of what the kernel does in one of its threads. */
static inline void side_worker(struct side *s)
{
	side_task(s);
	s->tid = 0;
	memcpy(s->comm, leader_comm, sizeof(s->comm));
}

/* A thread's name is part of the truth. */
static inline void name_thread(const char *prefix, long i)
{
	char comm[16];

	snprintf(comm, sizeof(comm), "%s%ld", prefix, i);
	prctl(PR_SET_NAME, opts.comm ? opts.comm : comm);
}

static inline void run_threads(void *(*fn)(void *), unsigned n)
{
	pthread_t threads[MAX_THREADS];

	for (unsigned i = 0; i < n; i++) {
		int err = pthread_create(&threads[i], NULL, fn,
					 (void *)(uintptr_t)i);

		if (err)
			die("cannot start a thread: %s", strerror(err));
	}
	for (unsigned i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
}

/* The parent lets its children start by closing its end of @go. */
static inline void wait_for_go(int go)
{
	char c;

	if (read(go, &c, 1) < 0)
		die("cannot wait: %s", strerror(errno));
}

/* Is @nr a system call in which a server waits for a connection? */
static inline bool waits(long nr)
{
#ifdef SYS_poll
	if (nr == SYS_poll)
		return true;
#endif
	if (opts.abi32 && nr == ACCEPT4_32)
		return true;
	return nr == SYS_accept || nr == SYS_accept4 || nr == SYS_ppoll ||
	       nr == SYS_io_uring_enter;
}

/* Wait until thread *@tid of @pid is inside such a system call. */
static inline void wait_blocked(pid_t pid, const pid_t *tid)
{
	int64_t end = now() + BLOCKED_MS * 1000000LL;
	char path[64];
	long nr;

	for (; now() < end; sleep_ms(1)) {
		FILE *f;
		int n;

		if (!*(const volatile pid_t *)tid)
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%d/syscall", pid,
			 *tid);
		f = fopen(path, "re");
		if (!f)
			continue;
		n = fscanf(f, "%ld", &nr);
		fclose(f);
		if (n == 1 && waits(nr))
			return;
	}
	die("the server is not ready");
}

/* Are there sockets with this port that have not come to their end yet? */
static inline bool port_busy(const char *path, unsigned port)
{
	unsigned lport, rport, state;
	char line[512];
	bool busy = false;
	FILE *f = fopen(path, "re");

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, " %*d: %*[^:]:%x %*[^:]:%x %x", &lport, &rport,
			   &state) != 3)
			continue;
		if ((lport == port || rport == port) &&
		    state != TCP_TIME_WAIT && state != TCP_LISTEN)
			busy = true;
	}
	if (f)
		fclose(f);
	return busy;
}

/* Wait until the kernel has ended every connection; returns the time. */
static inline int64_t wait_quiet(unsigned port)
{
	int64_t end = now() + QUIET_MS * 1000000LL;

	for (; now() < end; sleep_ms(1))
		if (!port_busy("/proc/net/tcp", port) &&
		    !port_busy("/proc/net/tcp6", port))
			return now();
	die("connections on port %u do not end", port);
}

#endif
