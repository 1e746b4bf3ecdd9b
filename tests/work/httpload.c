// SPDX-License-Identifier: Apache-2.0
/*
 * httpload server [LATE] | client PORT MS... | redirected LATE MS... | reads
 * COUNT: an HTTP server that is as slow as it is asked to be, or works as long
 * ("/work?ms=..."), and a client, with functions of known names on their
 * stacks. The first line is {"ready":PID,"port":PORT}; then the truth, one JSON
 * object a call. The server looks for a request LATE milliseconds after it
 * could have. The client begins when a line is read from standard input. Or
 * both, where requests do not come by TCP, as on sockets in a sockmap; only the
 * server tells. Or, how many nanoseconds a read takes, of a connection where
 * there is nothing to read. Built with frame pointers and, as httpload_nofp,
 * without.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "die.h"
#include "sockmap.h"

#define NAMED __attribute__((noinline, noclone))

/* What follows a call keeps it from being the last thing that is done, after
 * which its caller would not be on the stack. */
#define STAY() __asm__ volatile("" ::: "memory")

#define ROOM 4096

static uint64_t ns_of(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint64_t now(void)
{
	return ns_of(CLOCK_MONOTONIC);
}

static void say_ready(unsigned port)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("{\"ready\":%d,\"port\":%u}\n", getpid(), port);
}

static void tell(const char *role, int fd, const char *path, uint64_t start,
		 uint64_t first, uint64_t last)
{
	struct sockaddr_in us, them;
	socklen_t len = sizeof(us);

	getsockname(fd, (struct sockaddr *)&us, &len);
	getpeername(fd, (struct sockaddr *)&them, &len);
	if (!strcmp(role, "server")) {
		struct sockaddr_in other = us;

		us = them; /* as the request goes */
		them = other;
	}
	printf("{\"role\":\"%s\",\"pid\":%d,\"tid\":%d,\"ip\":4,"
	       "\"saddr\":\"127.0.0.1\",\"daddr\":\"127.0.0.1\","
	       "\"sport\":%u,\"dport\":%u,\"method\":\"GET\",\"path\":\"%s\","
	       "\"status\":200,\"latency_us\":%.3f,\"duration_us\":%.3f}\n",
	       role, getpid(), getpid(), ntohs(us.sin_port),
	       ntohs(them.sin_port), path, (double)(first - start) / 1e3,
	       (double)(last - start) / 1e3);
}

NAMED static void slow_query(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&t, &t) && errno == EINTR)
		;
	STAY();
}

/* So long on a processor. */
NAMED static void hard_work(long ms)
{
	uint64_t end = ns_of(CLOCK_THREAD_CPUTIME_ID) + (uint64_t)ms * 1000000;

	while (ns_of(CLOCK_THREAD_CPUTIME_ID) < end)
		;
	STAY();
}

NAMED static void handle_request(int fd, char *text, uint64_t start)
{
	static const char answer[] =
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nslow\n";
	char *path = text + strlen("GET "), *end = strchr(path, ' ');
	uint64_t first;
	long ms;

	if (!end || !strstr(path, "ms="))
		die("no request: %s", text);
	*end = '\0';
	ms = strtol(strstr(path, "ms=") + 3, NULL, 10);
	if (strncmp(path, "/work", strlen("/work")))
		slow_query(ms);
	else
		hard_work(ms);
	first = now();
	if (send(fd, answer, strlen(answer), MSG_NOSIGNAL) < 0)
		die("cannot send: %s", strerror(errno));
	tell("server", fd, path, start, first, first);
	STAY();
}

/* As recv(2), @late milliseconds later. */
static ssize_t recv_late(int fd, char *text, size_t size, long late)
{
	if (late)
		usleep((unsigned)late * 1000);
	return recv(fd, text, size, 0);
}

NAMED static void serve_connection(int fd, long late)
{
	char text[ROOM];
	ssize_t n;

	while ((n = recv_late(fd, text, sizeof(text) - 1, late)) > 0) {
		uint64_t start = now();

		text[n] = '\0';
		handle_request(fd, text, start);
	}
	close(fd);
	STAY();
}

static int listen_anywhere(struct sockaddr_in *addr)
{
	socklen_t len = sizeof(*addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*addr = (struct sockaddr_in){ .sin_family = AF_INET };
	addr->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)addr, len) ||
	    listen(fd, 100) || getsockname(fd, (struct sockaddr *)addr, &len))
		die("cannot listen: %s", strerror(errno));
	return fd;
}

static void __attribute__((noreturn)) server(long late)
{
	struct sockaddr_in addr;
	int fd = listen_anywhere(&addr);

	say_ready(ntohs(addr.sin_port));
	for (;;)
		serve_connection(accept4(fd, NULL, NULL, SOCK_CLOEXEC), late);
}

NAMED static void send_request(int fd, const char *path)
{
	char text[ROOM];
	int len = snprintf(text, sizeof(text),
			   "GET %s HTTP/1.1\r\nHost: test\r\n\r\n", path);

	if (send(fd, text, (size_t)len, MSG_NOSIGNAL) != len)
		die("cannot send: %s", strerror(errno));
	STAY();
}

NAMED static void make_call(int fd, const char *ms)
{
	char path[64], text[ROOM];
	uint64_t start, first;

	snprintf(path, sizeof(path), "/slow?ms=%s", ms);
	start = now();
	send_request(fd, path);
	if (recv(fd, text, sizeof(text), 0) <= 0)
		die("cannot receive: %s", strerror(errno));
	first = now();
	tell("client", fd, path, start, first, first);
	STAY();
}

static int connect_to(const struct sockaddr_in *addr)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0 || connect(fd, (struct sockaddr *)addr, sizeof(*addr)))
		die("cannot connect: %s", strerror(errno));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static void wait_for_line(void)
{
	char line[8];

	if (read(STDIN_FILENO, line, sizeof(line)) < 0)
		die("cannot read: %s", strerror(errno));
}

static int client(char **argv)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				    .sin_port = htons((uint16_t)atoi(*argv)) };
	int fd = connect_to(&addr);

	say_ready(0);
	wait_for_line();
	while (*++argv)
		make_call(fd, *argv);
	return 0;
}

/* Both ends of one connection, whose client says nothing. */
static int redirected(long late, char **argv)
{
	struct sockaddr_in addr;
	int listener = listen_anywhere(&addr), asks = connect_to(&addr);
	int answers = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	sockmap_redirect(asks, answers);
	say_ready(ntohs(addr.sin_port));
	wait_for_line();
	if (!fork()) {
		if (!freopen("/dev/null", "w", stdout))
			die("no /dev/null: %s", strerror(errno));
		for (; *argv; argv++)
			make_call(asks, *argv);
		return 0;
	}
	close(asks);
	serve_connection(answers, late);
	return 0;
}

static int reads(long count)
{
	struct sockaddr_in addr;
	int listener = listen_anywhere(&addr), fd = connect_to(&addr);
	uint64_t start = now();
	char c;

	for (long i = 0; i < count; i++)
		if (recv(fd, &c, 1, MSG_DONTWAIT) >= 0)
			die("there was something to read");
	printf("{\"ns\":%.1f}\n", (double)(now() - start) / (double)count);
	close(listener);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "reads"))
		return reads(atol(argv[2]));
	if (argc >= 2 && !strcmp(argv[1], "server"))
		server(argc > 2 ? atol(argv[2]) : 0);
	if (argc > 3 && !strcmp(argv[1], "client"))
		return client(argv + 2);
	if (argc > 3 && !strcmp(argv[1], "redirected"))
		return redirected(atol(argv[2]), argv + 3);
	die("server [LATE], client PORT MS..., redirected LATE MS..., or reads COUNT");
}
