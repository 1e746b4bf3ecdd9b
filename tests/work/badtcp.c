// SPDX-License-Identifier: Apache-2.0
/*
 * badtcp CASE [--ip 4|6] [--count N] [--wait]: bad TCP packets, over loopback,
 * with the truth about them. The first line says that all is set up; with
 * --wait the packets come when a line is read from standard input. Then there
 * is a line for each kind of row that is due, {"end":true}, and it stays until
 * the end of standard input, as its own end makes more packets. "badtcp flood"
 * sends bad checksums as fast as it can and says how many; "badtcp flood-live"
 * puts them into the kernel without sending, several times as fast; "badtcp
 * flood-peers" sends them from peers that change. "badtcp peers --rounds N"
 * sends from other ones after each further line. Exit status: 0; 1; 77 when the
 * kernel has no such thing.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <linux/userfaultfd.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "die.h"
#include "inject.h"
#include "packet.h"

#define INJECT_AT_ONCE 1024

#define EXIT_SKIP 77
#define CLIENT4 "127.0.0.1"
#define SERVER4 "127.0.0.2"
#define CLIENT6 "::1"
#define SERVER6 "2001:db8:2::2" /* tests/helper.bash adds it */
#define MAX_PAIRS 4096
#define TCP_LISTEN_STATE 10
#define LIMIT_SECONDS 600
#define WAIT_MS 10000

/* A connection: its server's end belongs to another process. */
struct pair {
	int client;
	int server;
	struct ends ends; /* from the client to the server */
	uint32_t rcv_nxt; /* of the server */
	uint32_t snd_nxt;
	uint32_t tsval; /* the client's clock */
};

static int ip = 4;
static unsigned count = 10;
static unsigned rounds = 1;
static unsigned seconds = 2;
static bool wait_for_go;
static pid_t server_pid;
static int raw_fd;

static void __attribute__((noreturn)) skip(const char *why)
{
	fprintf(stderr, "badtcp: the kernel has no %s: %s\n", why,
		strerror(errno));
	exit(EXIT_SKIP);
}

static socklen_t to_addr(const char *text, uint16_t port,
			 struct sockaddr_storage *ret)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;
	struct sockaddr_in *in = (struct sockaddr_in *)ret;

	memset(ret, 0, sizeof(*ret));
	if (ip == 4) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		inet_pton(AF_INET, text, &in->sin_addr);
		return sizeof(*in);
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	inet_pton(AF_INET6, text, &in6->sin6_addr);
	return sizeof(*in6);
}

static uint16_t port_of(int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	if (getsockname(fd, (struct sockaddr *)&ss, &len))
		die("cannot read a port: %s", strerror(errno));
	return ntohs(((struct sockaddr_in *)&ss)->sin_port);
}

static int new_socket(void)
{
	int fd = socket(ip == 4 ? AF_INET : AF_INET6,
			SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("cannot make a socket: %s", strerror(errno));
	return fd;
}

/* No timers, and nothing sent again, when the processes have ended. */
static void forget_at_end(int fd)
{
	struct linger rst = { 1, 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &rst, sizeof(rst));
}

/* A socket bound to the client's address or the server's. */
static int bound(bool client)
{
	const char *text = client    ? ip == 4 ? CLIENT4 : CLIENT6
			   : ip == 4 ? SERVER4
				     : SERVER6;
	struct sockaddr_storage ss;
	socklen_t len = to_addr(text, 0, &ss);
	int fd = new_socket(), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	forget_at_end(fd);
	if (bind(fd, (struct sockaddr *)&ss, len))
		die("cannot bind to %s: %s", text, strerror(errno));
	return fd;
}

/* Let no other socket of the client's have its port any more. */
static void hold(uint16_t port)
{
	struct sockaddr_storage ss;
	socklen_t len = to_addr(ip == 4 ? CLIENT4 : CLIENT6, port, &ss);

	if (bind(new_socket(), (struct sockaddr *)&ss, len))
		die("cannot hold port %u: %s", port, strerror(errno));
}

static int listener_at(int fd, int backlog)
{
	if (listen(fd, backlog))
		die("cannot listen: %s", strerror(errno));
	return fd;
}

static int listener(int backlog)
{
	return listener_at(bound(false), backlog);
}

static void connect_to(int fd, uint16_t port)
{
	struct sockaddr_storage ss;
	socklen_t len = to_addr(ip == 4 ? SERVER4 : SERVER6, port, &ss);

	if (connect(fd, (struct sockaddr *)&ss, len) && errno != EINPROGRESS)
		die("cannot connect: %s", strerror(errno));
}

static struct ends ends_of(uint16_t sport, uint16_t dport)
{
	struct ends e = { .ip = ip, .sport = sport, .dport = dport };
	int family = ip == 4 ? AF_INET : AF_INET6;

	inet_pton(family, ip == 4 ? CLIENT4 : CLIENT6, e.saddr);
	inet_pton(family, ip == 4 ? SERVER4 : SERVER6, e.daddr);
	return e;
}

static struct ends turned(const struct ends *e)
{
	struct ends t = { .ip = e->ip, .sport = e->dport, .dport = e->sport };

	memcpy(t.saddr, e->daddr, 16);
	memcpy(t.daddr, e->saddr, 16);
	return t;
}

/*
 * How far a socket has received and sent, and, unless @window is NULL, how far
 * its window goes: by TCP_REPAIR, without a packet.
 */
static void read_socket(int fd, uint32_t *rcv_nxt, uint32_t *snd_nxt,
			uint32_t *window)
{
	int on = 1, off = -1, queue;
	struct tcp_repair_window w;
	socklen_t len = sizeof(*rcv_nxt), wlen = sizeof(w);

	if (setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)))
		skip("TCP_REPAIR");
	queue = 1;
	setsockopt(fd, IPPROTO_TCP, TCP_REPAIR_QUEUE, &queue, sizeof(queue));
	getsockopt(fd, IPPROTO_TCP, TCP_QUEUE_SEQ, rcv_nxt, &len);
	queue = 2;
	setsockopt(fd, IPPROTO_TCP, TCP_REPAIR_QUEUE, &queue, sizeof(queue));
	getsockopt(fd, IPPROTO_TCP, TCP_QUEUE_SEQ, snd_nxt, &len);
	if (window) {
		if (getsockopt(fd, IPPROTO_TCP, TCP_REPAIR_WINDOW, &w, &wlen))
			skip("TCP_REPAIR_WINDOW");
		*window = w.rcv_wup + w.rcv_wnd;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &off, sizeof(off));
}

static void read_numbers(struct pair *p)
{
	socklen_t len = sizeof(p->tsval);

	read_socket(p->server, &p->rcv_nxt, &p->snd_nxt, NULL);
	getsockopt(p->client, IPPROTO_TCP, TCP_TIMESTAMP, &p->tsval, &len);
}

/* What the client's end alone is to have. */
static int clients[MAX_PAIRS];
static unsigned nclients;

static void make_pair(int listen_fd, struct pair *p)
{
	p->client = clients[nclients++] = bound(true);
	connect_to(p->client, port_of(listen_fd));
	p->server = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
	if (p->server < 0)
		die("cannot accept: %s", strerror(errno));
	p->ends = ends_of(port_of(p->client), port_of(listen_fd));
	forget_at_end(p->server);
	read_numbers(p);
}

/* Let a socket get nothing. */
static void close_ears(int fd)
{
	struct sock_filter none = { BPF_RET | BPF_K, 0, 0, 0 };
	struct sock_fprog filter = { 1, &none };

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter,
		       sizeof(filter)))
		skip("SO_ATTACH_FILTER");
}

/* What a server does besides having its sockets; NULL: nothing. */
static void (*serve)(void);

/*
 * From here on the server is another process. It alone has what the parent
 * closes, and not what is the client's.
 */
static void split(void)
{
	pid_t parent = getpid();
	int named[2];
	char c;

	fflush(stdout);
	if (pipe2(named, O_CLOEXEC))
		die("cannot make a pipe: %s", strerror(errno));
	server_pid = fork();
	if (server_pid < 0)
		die("cannot fork: %s", strerror(errno));
	if (server_pid) {
		/* Packets that come before it has its name are not its. */
		close(named[1]);
		if (read(named[0], &c, 1))
			die("cannot read from the server");
		close(named[0]);
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "badserver");
	if (getppid() != parent)
		_exit(1);
	for (unsigned i = 0; i < nclients; i++)
		close(clients[i]);
	close(named[0]);
	close(named[1]);
	if (serve)
		serve();
	for (;;)
		pause();
}

static void ready(void)
{
	char line[16];

	printf("{\"ready\":true,\"client\":%d,\"server\":%d}\n", getpid(),
	       server_pid);
	fflush(stdout);
	if (wait_for_go && !fgets(line, sizeof(line), stdin))
		die("nobody said go");
}

static void send_packet(const struct ends *e, const struct packet *k)
{
	uint8_t buf[2048];
	size_t n = make_packet(e, k, buf);
	struct sockaddr_storage ss;
	char text[64];
	socklen_t len;

	inet_ntop(ip == 4 ? AF_INET : AF_INET6, e->daddr, text, sizeof(text));
	len = to_addr(text, 0, &ss);
	if (sendto(raw_fd, buf, n, 0, (struct sockaddr *)&ss, len) !=
	    (ssize_t)n)
		die("cannot send: %s", strerror(errno));
}

/* A row that is due @n times: @state "" and @pid 0 for none. */
static void due(const char *reason, const struct ends *e, bool ports,
		const char *state, pid_t pid, uint64_t n)
{
	int family = ip == 4 ? AF_INET : AF_INET6;
	char from[64], to[64];

	inet_ntop(family, e->saddr, from, sizeof(from));
	inet_ntop(family, e->daddr, to, sizeof(to));
	printf("{\"reason\":\"%s\",\"ip\":%d,\"saddr\":\"%s\",\"daddr\":\"%s\",",
	       reason, ip, from, to);
	if (ports)
		printf("\"sport\":%u,\"dport\":%u,", e->sport, e->dport);
	else
		printf("\"sport\":null,\"dport\":null,");
	printf(*state ? "\"state\":\"%s\"," : "\"state\":null%s,", state);
	if (pid)
		printf("\"pid\":%d,\"comm\":\"%s\",", pid,
		       pid == server_pid ? "badserver" : "badtcp");
	else
		printf("\"pid\":null,\"comm\":null,");
	printf("\"count\":%llu}\n", (unsigned long long)n);
}

/* ---- The cases ---- */

/* One connection that gets the same packet again and again. */
struct plain {
	const char *name;
	const char *reason;
	const char *state;    /* NULL: the kernel has no socket yet */
	struct packet packet; /* seq and ack are added to what is right */
	bool before_lookup;   /* not with the socket */
};

static const struct plain plains[] = {
	/* Small ones are checked before the socket is looked for. */
	{ "csum",
	  "TCP_CSUM",
	  NULL,
	  { .flags = F_ACK | F_PSH, .data = 10, .bad_csum = true } },
	{ "csum-large",
	  "TCP_CSUM",
	  "ESTABLISHED",
	  { .flags = F_ACK | F_PSH, .data = 1000, .bad_csum = true } },
	{ "doff-small", "BAD_DOFF", NULL, { .flags = F_ACK, .doff = 4 } },
	{ "doff-large", "BAD_DOFF", NULL, { .flags = F_ACK, .doff = 15 } },
	{ "short", "PKT_TOO_SMALL", NULL, { .flags = F_ACK, .truncate = 12 } },
	{ "shorter", "PKT_TOO_SMALL", NULL, { .flags = F_ACK, .truncate = 2 } },
	{ "seq-high",
	  "TCP_INVALID_SEQUENCE",
	  "ESTABLISHED",
	  { .flags = F_ACK | F_PSH, .seq = 1 << 30, .data = 10 } },
	{ "seq-old",
	  "TCP_OLD_SEQUENCE",
	  "ESTABLISHED",
	  { .flags = F_ACK | F_PSH, .seq = -1000U, .data = 10 } },
	{ "keepalive",
	  "TCP_OLD_SEQUENCE",
	  "ESTABLISHED",
	  { .flags = F_ACK, .seq = -1U } },
	{ "syn", "TCP_INVALID_SYN", "ESTABLISHED", { .flags = F_SYN } },
	{ "rst-inexact",
	  "TCP_RESET",
	  "ESTABLISHED",
	  { .flags = F_RST, .seq = 5 } },
	{ "no-flags", "TCP_FLAGS", "ESTABLISHED", { .data = 10 } },
	{ "ack-future",
	  "TCP_ACK_UNSENT_DATA",
	  "ESTABLISHED",
	  { .flags = F_ACK, .ack = 100000 } },
	{ "ack-old",
	  "TCP_TOO_OLD_ACK",
	  "ESTABLISHED",
	  { .flags = F_ACK, .ack = -(1U << 30) } },
	{ "paws",
	  "TCP_RFC7323_PAWS",
	  "ESTABLISHED",
	  { .flags = F_ACK | F_PSH,
	    .data = 10,
	    .timestamp = true,
	    .tsval = -100000U } },
	{ "minttl",
	  "TCP_MINTTL",
	  "ESTABLISHED",
	  { .flags = F_ACK, .ttl = 10 } },
	{ "filter",
	  "SOCKET_FILTER",
	  "ESTABLISHED",
	  { .flags = F_ACK | F_PSH, .data = 10 } },
	{ "md5-missing",
	  "TCP_MD5NOTFOUND",
	  "ESTABLISHED",
	  { .flags = F_ACK | F_PSH, .data = 10 } },
	{ "md5-unexpected",
	  "TCP_MD5UNEXPECTED",
	  "ESTABLISHED",
	  { .flags = F_ACK | F_PSH,
	    .data = 10,
	    .option = 19,
	    .option_len = 18 } },
	{ "md5-wrong",
	  "TCP_MD5FAILURE",
	  "ESTABLISHED",
	  { .flags = F_ACK | F_PSH,
	    .data = 10,
	    .option = 19,
	    .option_len = 18 } },
};

static void want_md5(const struct pair *p)
{
	struct tcp_md5sig md5 = { .tcpm_keylen = 6, .tcpm_key = "secret" };
	struct sockaddr_storage ss;
	socklen_t len = to_addr(ip == 4 ? CLIENT4 : CLIENT6, 0, &ss);

	memcpy(&md5.tcpm_addr, &ss, len);
	if (setsockopt(p->server, IPPROTO_TCP, TCP_MD5SIG, &md5, sizeof(md5)))
		skip("TCP_MD5SIG");
}

/* What else a case wants of the server's end. */
static void set_up(const struct plain *c, const struct pair *p)
{
	int ttl = 64;

	if (!strcmp(c->name, "minttl") &&
	    setsockopt(p->server, ip == 4 ? IPPROTO_IP : IPPROTO_IPV6,
		       ip == 4 ? IP_MINTTL : 73 /* IPV6_MINHOPCOUNT */, &ttl,
		       sizeof(ttl)))
		skip("IP_MINTTL");
	if (!strcmp(c->name, "filter"))
		close_ears(p->server);
	if (!strcmp(c->name, "md5-missing") || !strcmp(c->name, "md5-wrong"))
		want_md5(p);
}

static void run_plain(const struct plain *c)
{
	struct packet k = c->packet;
	struct pair p;
	int fd = listener(16);

	make_pair(fd, &p);
	set_up(c, &p);
	split();
	close(p.server);
	k.seq += p.rcv_nxt;
	k.ack += p.snd_nxt;
	k.tsval += p.tsval;
	ready();
	for (unsigned i = 0; i < count; i++)
		send_packet(&p.ends, &k);
	due(c->reason, &p.ends, k.truncate == 0 || k.truncate >= 4,
	    c->state ? c->state : "", c->state ? server_pid : 0, count);
}

/* To nobody; the resets that answer it are for nobody, too. */
static void run_nobody(unsigned flags, bool bad_csum, bool fragment)
{
	int from = bound(true), to = bound(false);
	struct ends e = ends_of(port_of(from), port_of(to)), back = turned(&e);
	struct packet k = { .flags = flags,
			    .bad_csum = bad_csum,
			    .fragment = fragment };

	split();
	ready();
	for (unsigned i = 0; i < count; i++)
		send_packet(&e, &k);
	due(bad_csum ? "TCP_CSUM" : "NO_SOCKET", &e, true, "", 0, count);
	if (!bad_csum && !(flags & F_RST))
		due("NO_SOCKET", &back, true, "", 0, count);
}

/* To a socket that listens. */
static void run_listen(const char *reason, unsigned flags)
{
	int from = bound(true), fd = listener(16);
	struct ends e = ends_of(port_of(from), port_of(fd)), back = turned(&e);
	struct packet k = { .flags = flags, .seq = 1000, .ack = 2000 };

	split();
	close(fd);
	ready();
	for (unsigned i = 0; i < count; i++)
		send_packet(&e, &k);
	due(reason, &e, true, "LISTEN", server_pid, count);
	if (flags & F_ACK) {
		due("RESET_SENT", &back, true, "LISTEN", server_pid, count);
		due("NO_SOCKET", &back, true, "", 0, count);
	}
}

/* Resets that are believed: one a connection. */
static void run_resets(void)
{
	static struct pair pairs[MAX_PAIRS];
	int fd = listener(16);

	for (unsigned i = 0; i < count; i++)
		make_pair(fd, &pairs[i]);
	split();
	for (unsigned i = 0; i < count; i++)
		close(pairs[i].server);
	ready();
	for (unsigned i = 0; i < count; i++) {
		struct packet k = { .flags = F_RST, .seq = pairs[i].rcv_nxt };

		send_packet(&pairs[i].ends, &k);
		due("RESET_RECEIVED", &pairs[i].ends, true, "ESTABLISHED",
		    server_pid, 1);
	}
}

/* Closed with bytes that nobody has read: resets, by the process itself. */
static void run_aborts(void)
{
	static struct pair pairs[MAX_PAIRS];
	int fd = listener(16);

	for (unsigned i = 0; i < count; i++)
		make_pair(fd, &pairs[i]);
	for (unsigned i = 0; i < count; i++)
		if (write(pairs[i].server, "unread", 6) != 6)
			die("cannot write: %s", strerror(errno));
	split();
	for (unsigned i = 0; i < count; i++)
		close(pairs[i].server);
	ready();
	for (unsigned i = 0; i < count; i++) {
		close(pairs[i].client);
		due("RESET_SENT", &pairs[i].ends, true, "CLOSE", getpid(), 1);
		due("RESET_RECEIVED", &pairs[i].ends, true, "ESTABLISHED",
		    server_pid, 1);
	}
}

/* Close, and send nothing again or any more. */
static void vanish(int fd)
{
	int on = 1;

	if (setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)))
		skip("TCP_REPAIR");
	close(fd);
}

/* A number of /proc/net/netstat. */
static uint64_t counter(const char *name)
{
	FILE *f = fopen("/proc/self/net/netstat", "re");
	static char names[16384], values[16384];
	char *n, *v, *save_n, *save_v;
	uint64_t ret = 0;

	if (!f || !fgets(names, sizeof(names), f) ||
	    !fgets(values, sizeof(values), f))
		die("cannot read counters: %s", strerror(errno));
	fclose(f);
	n = strtok_r(names, " \n", &save_n);
	v = strtok_r(values, " \n", &save_v);
	for (; n && v; n = strtok_r(NULL, " \n", &save_n),
		       v = strtok_r(NULL, " \n", &save_v))
		if (!strcmp(n, name))
			ret = strtoull(v, NULL, 10);
	return ret;
}

/* Of this network namespace. */
static void set_sysctl(const char *name, const char *value)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		skip(path);
	close(fd);
}

/* A window that is closed, and data for it. */
static void run_zero_window(void)
{
	int fd = bound(false), small = 2048, nodelay = 1;
	struct packet k = { .flags = F_ACK | F_PSH, .data = 10 };
	uint64_t zero, beyond;
	char buf[4096];
	struct pair p;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	if (listen(fd, 16))
		die("cannot listen: %s", strerror(errno));
	make_pair(fd, &p);
	setsockopt(p.client, IPPROTO_TCP, TCP_NODELAY, &nodelay,
		   sizeof(nodelay));
	memset(buf, 'x', sizeof(buf));
	/* Until it takes no more for half a second. */
	for (;;) {
		struct pollfd out = { .fd = p.client, .events = POLLOUT };

		if (poll(&out, 1, 500) <= 0)
			break;
		if (send(p.client, buf, sizeof(buf), MSG_DONTWAIT) < 0 &&
		    errno != EAGAIN)
			die("cannot send: %s", strerror(errno));
	}
	read_numbers(&p);
	split();
	close(p.server);
	k.seq = p.rcv_nxt;
	k.ack = p.snd_nxt;
	ready();
	zero = counter("TCPZeroWindowDrop");
	beyond = counter("BeyondWindow");
	for (unsigned i = 0; i < count; i++)
		send_packet(&p.ends, &k);
	zero = counter("TCPZeroWindowDrop") - zero;
	beyond = counter("BeyondWindow") - beyond;
	if (zero + beyond != count)
		die("%llu and %llu were dropped", (unsigned long long)zero,
		    (unsigned long long)beyond);
	/* Since 6.17 the end comes first. */
	due(zero ? "TCP_ZEROWINDOW" : "TCP_INVALID_END_SEQUENCE", &p.ends, true,
	    "ESTABLISHED", server_pid, count);
}

/*
 * More handshakes that end than a listener has room for. With TCP_DEFER_ACCEPT
 * they end with the first data.
 */
static void run_overflow(bool at_syn)
{
	int fd = listener(4), defer = 30, one = 1;
	int pending[3], full[5], late;
	struct ends e;
	uint64_t before;

	setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &defer, sizeof(defer));
	for (int i = 0; i < 3; i++) {
		pending[i] = clients[nclients++] = bound(true);
		connect_to(pending[i], port_of(fd));
	}
	for (int i = 0; i < 5; i++) {
		full[i] = bound(true);
		connect_to(full[i], port_of(fd));
		if (send(full[i], "x", 1, 0) != 1)
			die("cannot send: %s", strerror(errno));
	}
	late = clients[nclients++] = bound(true);
	fcntl(late, F_SETFL, O_NONBLOCK);
	setsockopt(late, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	split();
	ready();
	before = counter("ListenOverflows");
	if (at_syn) {
		connect_to(late, port_of(fd));
		e = ends_of(port_of(late), port_of(fd));
		close(late);
		due("TCP_LISTEN_OVERFLOW", &e, true, "LISTEN", getpid(),
		    counter("ListenOverflows") - before);
		return;
	}
	if (send(pending[0], "x", 1, 0) != 1)
		die("cannot send: %s", strerror(errno));
	e = ends_of(port_of(pending[0]), port_of(fd));
	vanish(pending[0]);
	due("TCP_LISTEN_OVERFLOW", &e, true, "LISTEN", getpid(),
	    counter("ListenOverflows") - before);
}

/* Without SYN cookies: more handshakes under way than there may be. */
static void run_queue_full(void)
{
	int fd = listener(2), defer = 30;
	uint64_t before, dropped, all = 0;
	struct ends e;

	set_sysctl("ipv4/tcp_syncookies", "0");
	setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &defer, sizeof(defer));
	for (int i = 0; i < 2; i++)
		connect_to(bound(true), port_of(fd));
	split();
	ready();
	for (unsigned i = 0; i < count; i++) {
		int late = bound(true);

		fcntl(late, F_SETFL, O_NONBLOCK);
		before = counter("TCPReqQFullDrop");
		connect_to(late, port_of(fd));
		e = ends_of(port_of(late), port_of(fd));
		/* How many there may be, kernels differ by one about. */
		dropped = counter("TCPReqQFullDrop") - before;
		if (dropped) {
			due("SYN_QUEUE_FULL", &e, true, "LISTEN", getpid(), 1);
			close(late); /* not to try again */
		}
		all += dropped;
	}
	if (all < count - 1)
		die("only %llu were dropped", (unsigned long long)all);
}

/*
 * More than may wait for a process that has the socket to itself: it copies
 * into memory that is not there yet, and that nobody provides (userfaultfd).
 */
static int slow_server;
static void *hole; /* at the same place in both processes */

#define FAULT_FD 100 /* the server's */

static void serve_slowly(void)
{
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdio_api api = { .api = UFFD_API };
	int fault = (int)syscall(SYS_userfaultfd, O_CLOEXEC);

	reg.range.start = (uintptr_t)hole;
	reg.range.len = 4096;
	if (fault >= 0 && dup2(fault, FAULT_FD) == FAULT_FD &&
	    !ioctl(fault, UFFDIO_API, &api) &&
	    !ioctl(fault, UFFDIO_REGISTER, &reg))
		recv(slow_server, hole, 1, 0);
}

/* Provide the memory. */
static void end_fault(void)
{
	struct uffdio_zeropage zero = {
		.range = { .start = (uintptr_t)hole, .len = 4096 },
	};
	int pidfd = (int)syscall(SYS_pidfd_open, server_pid, 0);
	int fault = (int)syscall(SYS_pidfd_getfd, pidfd, FAULT_FD, 0);

	if (fault < 0 || ioctl(fault, UFFDIO_ZEROPAGE, &zero))
		die("cannot end the fault: %s", strerror(errno));
	close(fault);
	close(pidfd);
}

/* Until @pid sleeps in a function with this in its name. */
static void await_sleep(pid_t pid, const char *in)
{
	char path[32], buf[64] = "";

	snprintf(path, sizeof(path), "/proc/%d/wchan", pid);
	for (unsigned i = 0; i < WAIT_MS && !strstr(buf, in); i++) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);

		if (fd >= 0)
			close(fd);
		buf[n > 0 ? n : 0] = '\0';
		usleep(1000);
	}
	if (!strstr(buf, in))
		die("the server waits in '%s', not in %s", buf, in);
}

/* A connection whose server does not get out of a recv(). */
static void make_slow_pair(int listen_fd, struct pair *p)
{
	int small = 4096;

	make_pair(listen_fd, p);
	setsockopt(p->server, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	setsockopt(p->server, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	if (send(p->client, "x", 1, 0) != 1)
		die("cannot send: %s", strerror(errno));
	hole = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (hole == MAP_FAILED)
		die("cannot map: %s", strerror(errno));
	slow_server = p->server;
	serve = serve_slowly;
	split();
	close(p->server);
	await_sleep(server_pid, "userfault");
	p->rcv_nxt++;
}

static void run_backlog(void)
{
	struct packet k = { .flags = F_ACK | F_PSH, .data = MAX_DATA };
	int fd = listener(16);
	uint64_t before, dropped;
	struct pair p;

	make_slow_pair(fd, &p);
	k.seq = p.rcv_nxt;
	k.ack = p.snd_nxt;
	ready();
	before = counter("TCPBacklogDrop");
	for (unsigned i = 0; i < 50 * count; i++)
		send_packet(&p.ends, &k);
	dropped = counter("TCPBacklogDrop") - before;
	if (!dropped)
		die("none was dropped");
	due("SOCKET_BACKLOG", &p.ends, true, "ESTABLISHED", server_pid,
	    dropped);
}

/* Data that waits behind a reset until the process lets go of the socket. */
static void run_close(void)
{
	struct packet k = { .flags = F_RST };
	int fd = listener(16);
	struct pair p;

	make_slow_pair(fd, &p);
	ready();
	k.seq = p.rcv_nxt;
	send_packet(&p.ends, &k);
	k = (struct packet){ .flags = F_ACK | F_PSH,
			     .data = 10,
			     .seq = p.rcv_nxt,
			     .ack = p.snd_nxt };
	for (unsigned i = 0; i < count; i++)
		send_packet(&p.ends, &k);
	end_fault();
	await_sleep(server_pid, "pause"); /* done with it */
	due("RESET_RECEIVED", &p.ends, true, "ESTABLISHED", server_pid, 1);
	due("TCP_CLOSE", &p.ends, true, "CLOSE", server_pid, count);
}

/* Until all that was sent by @fd is acknowledged. */
static void await_acks(int fd)
{
	int left = 1;

	for (unsigned i = 0; i < WAIT_MS; i++) {
		if (ioctl(fd, SIOCOUTQ, &left) || !left)
			break;
		usleep(1000);
	}
	if (left)
		die("%d bytes are not acknowledged", left);
}

/*
 * Data that the window has room for, and the buffer has not any more. That
 * closes the window: one a connection.
 */
static void run_memory(void)
{
	struct packet k = { .flags = F_ACK | F_PSH, .data = MAX_DATA };
	static struct pair pairs[MAX_PAIRS];
	int fd = listener(16), small = 2048;
	uint64_t before, dropped;
	static char buf[60000];

	for (unsigned i = 0; i < count; i++) {
		make_pair(fd, &pairs[i]);
		if (send(pairs[i].client, buf, sizeof(buf), 0) != sizeof(buf))
			die("cannot send: %s", strerror(errno));
	}
	for (unsigned i = 0; i < count; i++) {
		await_acks(pairs[i].client);
		setsockopt(pairs[i].server, SOL_SOCKET, SO_RCVBUF, &small,
			   sizeof(small));
		read_numbers(&pairs[i]);
	}
	split();
	for (unsigned i = 0; i < count; i++)
		close(pairs[i].server);
	ready();
	before = counter("TCPRcvQDrop");
	for (unsigned i = 0; i < count; i++) {
		k.seq = pairs[i].rcv_nxt;
		k.ack = pairs[i].snd_nxt;
		send_packet(&pairs[i].ends, &k);
		due("PROTO_MEM", &pairs[i].ends, true, "ESTABLISHED",
		    server_pid, 1);
	}
	dropped = counter("TCPRcvQDrop") - before;
	if (dropped != count)
		die("%llu were dropped", (unsigned long long)dropped);
}

/* More out of order than there is room for: the last is thrown away for the
 * next. */
static void run_disorder(void)
{
	struct packet k = { .flags = F_ACK | F_PSH, .data = 1 };
	int fd = listener(16), small = 2048;
	uint64_t dropped, pruned;
	struct pair p;

	make_pair(fd, &p);
	setsockopt(p.server, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	split();
	close(p.server);
	k.ack = p.snd_nxt;
	ready();
	dropped = counter("TCPOFODrop");
	pruned = counter("OfoPruned");
	/* From behind, with gaps. */
	for (unsigned i = 0; i < 10 * count; i++) {
		k.seq = p.rcv_nxt + 2 * (10 * count - i);
		send_packet(&p.ends, &k);
	}
	dropped = counter("TCPOFODrop") - dropped;
	pruned = counter("OfoPruned") - pruned;
	if (dropped)
		due("PROTO_MEM", &p.ends, true, "ESTABLISHED", server_pid,
		    dropped);
	if (!pruned)
		die("none was thrown away");
	/* At least: kernels before 6.13 or so take several at once. */
	due("TCP_OFO_QUEUE_PRUNE", &p.ends, true, "ESTABLISHED", server_pid,
	    pruned);
}

static void run_command(const char *command)
{
	if (system(command)) /* NOLINT(cert-env33-c) */
		die("'%s' failed", command);
}

/* In the clear, where a policy wants IPsec. */
static void run_policy(void)
{
	struct packet k = { .flags = F_ACK | F_PSH, .data = 10 };
	int fd = listener(16);
	struct pair p;

	/* As connections take it over when they are made. */
	run_command("echo 0 >/proc/sys/net/ipv4/conf/lo/disable_policy");
	make_pair(fd, &p);
	split();
	close(p.server);
	k.seq = p.rcv_nxt;
	k.ack = p.snd_nxt;
	run_command(ip == 4 ? "ip xfrm policy add src " CLIENT4 " dst " SERVER4
			      " dir in tmpl proto esp mode transport"
			    : "ip xfrm policy add src " CLIENT6 " dst " SERVER6
			      " dir in tmpl proto esp mode transport");
	ready();
	for (unsigned i = 0; i < count; i++)
		send_packet(&p.ends, &k);
	due("XFRM_POLICY", &p.ends, true, "ESTABLISHED", server_pid, count);
}

/* Data for connections that the server's program has closed. */
static void run_closed(void)
{
	struct packet k = { .flags = F_ACK | F_PSH, .data = 10 };
	static struct pair pairs[MAX_PAIRS];
	struct linger wait = { 0, 0 };
	int fd = listener(16);

	for (unsigned i = 0; i < count; i++) {
		make_pair(fd, &pairs[i]);
		setsockopt(pairs[i].server, SOL_SOCKET, SO_LINGER, &wait,
			   sizeof(wait));
		close(pairs[i].server);
		pairs[i].snd_nxt++;
	}
	split();
	ready();
	for (unsigned i = 0; i < count; i++) {
		struct ends back = turned(&pairs[i].ends);

		k.seq = pairs[i].rcv_nxt;
		k.ack = pairs[i].snd_nxt;
		send_packet(&pairs[i].ends, &k);
		due("TIME_WAIT", &pairs[i].ends, true, "TIME_WAIT", 0, 1);
		due("RESET_SENT", &back, true, "TIME_WAIT", 0, 1);
		due("RESET_RECEIVED", &back, true, "CLOSE_WAIT", getpid(), 1);
	}
}

/* Handshakes that nobody has begun: the kernel answers their answer by RST. */
static void run_embryos(void)
{
	int fd = listener(64);
	uint16_t port = port_of(fd);
	struct packet k = { .flags = F_SYN, .seq = 1000 };

	split();
	close(fd);
	ready();
	for (unsigned i = 0; i < count; i++) {
		struct ends e = ends_of(port_of(bound(true)), port);
		struct ends back = turned(&e);

		send_packet(&e, &k);
		due("NO_SOCKET", &back, true, "", 0, 1);
		due("RESET_RECEIVED", &e, true, "LISTEN", server_pid, 1);
	}
}

/* Data for connections that the server's program has shut down. */
static void run_shut_down(void)
{
	struct packet k = { .flags = F_ACK | F_PSH, .data = 10 };
	static struct pair pairs[MAX_PAIRS];
	int fd = listener(16);

	for (unsigned i = 0; i < count; i++)
		make_pair(fd, &pairs[i]);
	split();
	for (unsigned i = 0; i < count; i++)
		shutdown(pairs[i].server, SHUT_RDWR);
	for (unsigned i = 0; i < count; i++)
		close(pairs[i].server);
	ready();
	for (unsigned i = 0; i < count; i++) {
		struct ends *e = &pairs[i].ends, back = turned(e);

		k.seq = pairs[i].rcv_nxt;
		k.ack = pairs[i].snd_nxt + 1;
		send_packet(e, &k);
		/* For the kernel that is a reset, although none has come. */
		due("RESET_OR_DATA", e, true, "FIN_WAIT2", server_pid, 1);
		due("TCP_ABORT_ON_DATA", e, true, "CLOSE", server_pid, 1);
		due("RESET_SENT", &back, true, "CLOSE", server_pid, 1);
		due("RESET_RECEIVED", &back, true, "CLOSE_WAIT", getpid(), 1);
	}
}

/* Where the window ends: one a connection, as the answer may move that.
 * @unread: while something waits to be read. */
static void run_over_window(const char *reason, bool unread)
{
	struct packet k = { .flags = F_ACK | F_PSH, .data = 10 };
	static struct pair pairs[MAX_PAIRS];
	static uint32_t end[MAX_PAIRS];
	int fd = listener(16);

	for (unsigned i = 0; i < count; i++) {
		make_pair(fd, &pairs[i]);
		if (unread && send(pairs[i].client, "x", 1, 0) != 1)
			die("cannot send: %s", strerror(errno));
		if (unread)
			await_acks(pairs[i].client);
		read_socket(pairs[i].server, &pairs[i].rcv_nxt,
			    &pairs[i].snd_nxt, &end[i]);
	}
	split();
	for (unsigned i = 0; i < count; i++)
		close(pairs[i].server);
	ready();
	for (unsigned i = 0; i < count; i++) {
		k.seq = end[i];
		k.ack = pairs[i].snd_nxt;
		send_packet(&pairs[i].ends, &k);
		due(reason, &pairs[i].ends, true, "ESTABLISHED", server_pid, 1);
	}
}

/*
 * Within a handshake that waits for its first data: what does not fit is for
 * the listener. @k: seq, ack and tsval are added to what is right.
 */
static void run_handshake(const char *reason, struct packet k)
{
	int fd = listener(64), client = bound(true), defer = 30;
	uint32_t rcv_nxt, snd_nxt, tsval;
	socklen_t len = sizeof(tsval);
	struct ends e;

	setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &defer, sizeof(defer));
	clients[nclients++] = client;
	connect_to(client, port_of(fd));
	e = ends_of(port_of(client), port_of(fd));
	read_socket(client, &rcv_nxt, &snd_nxt, NULL);
	getsockopt(client, IPPROTO_TCP, TCP_TIMESTAMP, &tsval, &len);
	split();
	close(fd);
	k.seq += snd_nxt;
	k.ack += rcv_nxt;
	k.tsval += tsval | 1; /* which the kernel has taken away */
	ready();
	for (unsigned i = 0; i < count; i++)
		send_packet(&e, &k);
	due(reason, &e, true, "LISTEN", server_pid, count);
}

/*
 * To a connection that was made by the data in its SYN (TCP Fast Open), and
 * whose handshake does not end: the client does not hear the answer.
 */
static void run_fast_open(const char *reason, struct packet k)
{
	struct packet syn = { .flags = F_SYN, .seq = 1000, .data = 10 };
	int fd = bound(false), client = listener_at(bound(true), 16);
	int queue = 16, server;
	uint32_t rcv_nxt, snd_nxt;
	struct ends e;

	/* For client and server, without cookies. */
	set_sysctl("ipv4/tcp_fastopen", "519");
	if (setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN, &queue, sizeof(queue)))
		skip("TCP_FASTOPEN");
	listener_at(fd, 16);
	close_ears(client);
	clients[nclients++] = client;
	e = ends_of(port_of(client), port_of(fd));
	send_packet(&e, &syn);
	server = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	if (server < 0)
		die("cannot accept: %s", strerror(errno));
	forget_at_end(server);
	read_socket(server, &rcv_nxt, &snd_nxt, NULL);
	if (rcv_nxt != syn.seq + 1 + syn.data)
		die("the data in the SYN was not taken");
	split();
	close(server);
	k.seq += k.flags & F_SYN ? syn.seq : rcv_nxt;
	k.ack += snd_nxt;
	ready();
	for (unsigned i = 0; i < count; i++)
		send_packet(&e, &k);
	due(reason, &e, true, "SYN_RECV", server_pid, count);
}

/*
 * Handshakes that end with a SYN cookie. @refused: with a good one, but what is
 * to be made of the listener finds no memory for its filter. Otherwise
 * acknowledgements that are of no cookie.
 */
static void run_cookies(bool refused)
{
	static struct sock_filter all[64] = { [63] = { BPF_RET | BPF_K, 0, 0,
						       0xffff } };
	struct sock_fprog filter = { 64, all };
	struct packet k = { .flags = F_ACK, .seq = 1000, .ack = 2000 };
	int fd = listener(64), client;
	struct ends e, back;

	/* An earlier one may have been here. */
	if (refused)
		set_sysctl("core/optmem_max", "131072");
	for (size_t i = 0; i < 63; i++)
		all[i] = (struct sock_filter){ BPF_LD | BPF_IMM, 0, 0, 0 };
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter,
		       sizeof(filter)))
		skip("SO_ATTACH_FILTER");
	set_sysctl("ipv4/tcp_syncookies", "2");
	/* There has to have been one. */
	connect_to(bound(true), port_of(fd));
	if (refused)
		set_sysctl("core/optmem_max", "64");
	split();
	ready();
	client = bound(true);
	e = ends_of(port_of(client), port_of(fd));
	back = turned(&e);
	for (unsigned i = 0; i < count && !refused; i++)
		send_packet(&e, &k);
	if (!refused) {
		due("TCP_FLAGS", &e, true, "LISTEN", getpid(), count);
		due("RESET_SENT", &back, true, "LISTEN", getpid(), count);
		due("NO_SOCKET", &back, true, "", 0, count);
		return;
	}
	for (unsigned i = 0; i < count; i++) {
		client = bound(true);
		connect_to(client, port_of(fd));
		e = ends_of(port_of(client), port_of(fd));
		vanish(client);
		hold(e.sport);
		due("COOKIE_FAILED", &e, true, "LISTEN", getpid(), 1);
	}
}

/* Handshakes whose end a listener takes for nothing. */
static void run_defer(void)
{
	int fd = listener(64), defer = 30;

	setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &defer, sizeof(defer));
	split();
	ready();
	if (count > 32)
		die("no more than 32");
	for (unsigned i = 0; i < count; i++) {
		int client = bound(true);
		struct ends e;

		connect_to(client, port_of(fd));
		e = ends_of(port_of(client), port_of(fd));
		vanish(client);
		/* The next one must be another's. */
		hold(e.sport);
		due("DEFER_ACCEPT", &e, true, "LISTEN", getpid(), 1);
	}
}

/* A connect whose SYN nobody gets is answered, but the answer is for another
 * SYN. */
static void run_syn_sent(void)
{
	struct packet k = { .flags = F_SYN | F_ACK };
	int fd = listener(16), client = bound(true);
	struct ends e = ends_of(port_of(client), port_of(fd)),
		    back = turned(&e);

	close_ears(fd);
	fcntl(client, F_SETFL, O_NONBLOCK);
	connect_to(client, port_of(fd));
	ready();
	for (unsigned i = 0; i < count; i++)
		send_packet(&back, &k);
	due("TCP_INVALID_ACK_SEQUENCE", &back, true, "SYN_SENT", getpid(),
	    count);
}

/* Acknowledgements, when the client has closed its side. */
static void run_closing(void)
{
	struct packet k = { .flags = F_ACK };
	int fd = listener(16);
	struct pair p;

	make_pair(fd, &p);
	split();
	close(p.server);
	k.seq = p.rcv_nxt + 1;
	k.ack = p.snd_nxt;
	ready();
	if (shutdown(p.client, SHUT_WR))
		die("cannot shut down: %s", strerror(errno));
	for (unsigned i = 0; i < count; i++)
		send_packet(&p.ends, &k);
	due("CLOSING_ACK", &p.ends, true, "CLOSE_WAIT", server_pid, count);
}

/* To a connection that is over; @paws: with a timestamp that is, too; @data:
 * more than was ever sent. */
static void run_time_wait(const char *reason, bool paws, unsigned data)
{
	struct packet k = { .flags = F_ACK, .timestamp = paws, .data = data };
	struct linger wait = { 0, 0 };
	int fd = listener(16);
	struct pair p;

	make_pair(fd, &p);
	/* Not forgotten. */
	setsockopt(p.server, SOL_SOCKET, SO_LINGER, &wait, sizeof(wait));
	setsockopt(p.client, SOL_SOCKET, SO_LINGER, &wait, sizeof(wait));
	close(p.server);
	close(p.client);
	split();
	k.seq = p.rcv_nxt + 1;
	k.ack = p.snd_nxt + 1;
	k.tsval = p.tsval - 100000;
	ready();
	for (unsigned i = 0; i < count; i++)
		send_packet(&p.ends, &k);
	due(reason, &p.ends, true, "TIME_WAIT", 0, count);
}

/* Let @e's source be the @n'th of many addresses that nobody has to have. */
static void set_peer(struct ends *e, unsigned n)
{
	const uint8_t net6[16] = { 0x20, 0x01, 0x0d, 0xb8, 0, 3 };

	memcpy(e->saddr, net6, sizeof(net6));
	if (ip == 4)
		put32(e->saddr, 0x7f010000 + n);
	else
		put32(e->saddr + 12, n);
}

/* Three packets for a listener from each of @count peers, others each round. */
static void run_peers(void)
{
	struct packet k = { .flags = F_RST, .seq = 1000 };
	int fd = listener(16);
	struct ends e = ends_of(port_of(bound(true)), port_of(fd));
	char line[16];

	split();
	close(fd);
	ready();
	for (unsigned round = 0; round < rounds; round++) {
		if (round && !fgets(line, sizeof(line), stdin))
			die("nobody said go on");
		for (unsigned i = 0; i < 3 * count; i++) {
			set_peer(&e, round * count + i % count);
			send_packet(&e, &k);
		}
	}
	for (unsigned i = 0; i < rounds * count; i++) {
		set_peer(&e, i);
		due("TCP_RESET", &e, true, "LISTEN", server_pid, 3);
	}
}

#define PEERS_AT_ONCE 512

/* For the @nth time: from some of the peers, others after a while. */
static unsigned long send_from_peers(const struct ends *e,
				     const struct packet *k, unsigned nth)
{
	static uint8_t bufs[64][128];
	struct mmsghdr msgs[64];
	struct iovec iov[64];
	struct sockaddr_storage ss;
	socklen_t len = to_addr(ip == 4 ? SERVER4 : SERVER6, 0, &ss);
	struct ends from = *e;
	int n;

	memset(msgs, 0, sizeof(msgs));
	for (unsigned i = 0; i < 64; i++) {
		set_peer(&from, nth / PEERS_AT_ONCE * PEERS_AT_ONCE / 2 +
					(nth * 64 + i) % PEERS_AT_ONCE);
		iov[i].iov_base = bufs[i];
		iov[i].iov_len = make_packet(&from, k, bufs[i]);
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
		msgs[i].msg_hdr.msg_name = &ss;
		msgs[i].msg_hdr.msg_namelen = len;
	}
	n = sendmmsg(raw_fd, msgs, 64, 0);
	return n > 0 ? (unsigned long)n : 0;
}

/* Bad checksums by a raw socket; how many there were. */
static unsigned long send_many(const uint8_t *buf, size_t buf_len)
{
	struct mmsghdr msgs[64];
	struct iovec iov = { (void *)buf, buf_len };
	struct sockaddr_storage ss;
	socklen_t len = to_addr(ip == 4 ? SERVER4 : SERVER6, 0, &ss);
	int n;

	memset(msgs, 0, sizeof(msgs));
	for (int i = 0; i < 64; i++) {
		msgs[i].msg_hdr.msg_iov = &iov;
		msgs[i].msg_hdr.msg_iovlen = 1;
		msgs[i].msg_hdr.msg_name = &ss;
		msgs[i].msg_hdr.msg_namelen = len;
	}
	n = sendmmsg(raw_fd, msgs, 64, 0);
	return n > 0 ? (unsigned long)n : 0;
}

/* Bad checksums from two processes, as fast as they can; @live: or as fast as
 * the kernel can; @peers: from peers that change. */
static void run_flood(bool live, bool peers)
{
	int from = bound(true), to = bound(false);
	struct ends e = ends_of(port_of(from), port_of(to));
	struct packet k = { .flags = F_ACK, .bad_csum = true };
	static uint8_t buf[2048];
	static struct inject in;
	size_t len = make_packet(&e, &k, buf);
	unsigned long *sent = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct timespec ts;
	unsigned nth = 0;
	time_t end;
	pid_t child;
	int err;

	if (live && inject_open(&in, buf, len))
		die("cannot load an XDP program: %s", strerror(errno));
	server_pid = getpid();
	ready();
	clock_gettime(CLOCK_MONOTONIC, &ts);
	end = ts.tv_sec + (time_t)seconds;
	child = fork();
	while (ts.tv_sec < end) {
		if (live) {
			err = inject(&in, INJECT_AT_ONCE);
			if (err)
				die("cannot inject: %s", strerror(-err));
			sent[child == 0] += INJECT_AT_ONCE;
		} else if (peers) {
			sent[child == 0] += send_from_peers(&e, &k, nth++);
		} else {
			sent[child == 0] += send_many(buf, len);
		}
		clock_gettime(CLOCK_MONOTONIC, &ts);
	}
	if (!child)
		_exit(0);
	waitpid(child, NULL, 0);
	count = (unsigned)(sent[0] + sent[1]);
	due("TCP_CSUM", &e, true, "", 0, count);
}

static const struct {
	const char *name;
	const char *reason;
	unsigned flags;
} listens[] = {
	{ "listen-fin", "TCP_FLAGS", F_FIN },
	{ "listen-synfin", "TCP_FLAGS", F_SYN | F_FIN },
	{ "listen-rst", "TCP_RESET", F_RST },
	{ "listen-ack", "TCP_FLAGS", F_ACK },
};

/* In a handshake, or @fast: in one by TCP Fast Open. */
static const struct {
	const char *name;
	const char *reason;
	struct packet packet;
	bool fast;
} handshakes[] = {
	{ "handshake-tsecr",
	  "TCP_RFC7323_TSECR",
	  { .flags = F_ACK | F_PSH,
	    .data = 10,
	    .timestamp = true,
	    .tsecr = 1 } },
	{ "handshake-paws",
	  "TCP_RFC7323_PAWS",
	  { .flags = F_ACK | F_PSH,
	    .data = 10,
	    .timestamp = true,
	    .tsval = -100000U } },
	{ "handshake-window",
	  "TCP_OVERWINDOW",
	  { .flags = F_ACK | F_PSH, .data = 10, .seq = 1 << 30 } },
	{ "fastopen",
	  "TCP_FASTOPEN",
	  { .flags = F_PSH, .data = 10 },
	  .fast = true },
	{ "fastopen-window",
	  "TCP_OVERWINDOW",
	  { .flags = F_ACK | F_PSH, .data = 10, .seq = 1 << 30 },
	  .fast = true },
	{ "fastopen-syn",
	  "TCP_OLD_SEQUENCE",
	  { .flags = F_SYN, .data = 10 },
	  .fast = true },
};

static void run(const char *name)
{
	for (size_t i = 0; i < sizeof(handshakes) / sizeof(handshakes[0]); i++)
		if (!strcmp(name, handshakes[i].name)) {
			(handshakes[i].fast ? run_fast_open : run_handshake)(
				handshakes[i].reason, handshakes[i].packet);
			return;
		}
	for (size_t i = 0; i < sizeof(plains) / sizeof(plains[0]); i++)
		if (!strcmp(name, plains[i].name)) {
			run_plain(&plains[i]);
			return;
		}
	for (size_t i = 0; i < sizeof(listens) / sizeof(listens[0]); i++)
		if (!strcmp(name, listens[i].name)) {
			run_listen(listens[i].reason, listens[i].flags);
			return;
		}
	if (!strcmp(name, "nobody"))
		run_nobody(F_SYN, false, false);
	else if (!strcmp(name, "nobody-rst"))
		run_nobody(F_RST, false, false);
	else if (!strcmp(name, "csum-nobody"))
		run_nobody(F_SYN, true, false);
	else if (!strcmp(name, "nobody-fragment"))
		run_nobody(F_RST, false, true);
	else if (!strcmp(name, "embryo"))
		run_embryos();
	else if (!strcmp(name, "shut-down"))
		run_shut_down();
	else if (!strcmp(name, "rst"))
		run_resets();
	else if (!strcmp(name, "abort"))
		run_aborts();
	else if (!strcmp(name, "zero-window"))
		run_zero_window();
	else if (!strcmp(name, "overflow"))
		run_overflow(false);
	else if (!strcmp(name, "overflow-syn"))
		run_overflow(true);
	else if (!strcmp(name, "queue-full"))
		run_queue_full();
	else if (!strcmp(name, "backlog"))
		run_backlog();
	else if (!strcmp(name, "close"))
		run_close();
	else if (!strcmp(name, "over-window"))
		run_over_window("TCP_OVERWINDOW", false);
	else if (!strcmp(name, "over-window-unread"))
		run_over_window("TCP_INVALID_END_SEQUENCE", true);
	else if (!strcmp(name, "cookie"))
		run_cookies(true);
	else if (!strcmp(name, "cookie-wrong"))
		run_cookies(false);
	else if (!strcmp(name, "memory"))
		run_memory();
	else if (!strcmp(name, "disorder"))
		run_disorder();
	else if (!strcmp(name, "policy"))
		run_policy();
	else if (!strcmp(name, "closed"))
		run_closed();
	else if (!strcmp(name, "closing-ack"))
		run_closing();
	else if (!strcmp(name, "defer"))
		run_defer();
	else if (!strcmp(name, "syn-sent"))
		run_syn_sent();
	else if (!strcmp(name, "time-wait"))
		run_time_wait("TIME_WAIT", false, 0);
	else if (!strcmp(name, "time-wait-paws"))
		run_time_wait("TCP_RFC7323_TW_PAWS", true, 10);
	else if (!strcmp(name, "time-wait-late"))
		run_time_wait("TW_PAWS_DUPLICATE", true, 0);
	else if (!strcmp(name, "flood"))
		run_flood(false, false);
	else if (!strcmp(name, "flood-live"))
		run_flood(true, false);
	else if (!strcmp(name, "flood-peers"))
		run_flood(false, true);
	else if (!strcmp(name, "peers"))
		run_peers();
	else
		die("'%s' is no case", name);
}

int main(int argc, char **argv)
{
	char line[16];
	int one = 1;

	if (argc < 2)
		die("which case?");
	for (int i = 2; i < argc; i++) {
		if (!strcmp(argv[i], "--wait"))
			wait_for_go = true;
		else if (!strcmp(argv[i], "--ip") && i + 1 < argc)
			ip = atoi(argv[++i]);
		else if (!strcmp(argv[i], "--count") && i + 1 < argc)
			count = (unsigned)atoi(argv[++i]);
		else if (!strcmp(argv[i], "--rounds") && i + 1 < argc)
			rounds = (unsigned)atoi(argv[++i]);
		else if (!strcmp(argv[i], "--seconds") && i + 1 < argc)
			seconds = (unsigned)atoi(argv[++i]);
		else
			die("'%s' is no option", argv[i]);
	}
	if ((ip != 4 && ip != 6) || !count || count > MAX_PAIRS || !seconds ||
	    seconds > 60)
		die("--ip is 4 or 6, --count goes to %d, --seconds to 60",
		    MAX_PAIRS);
	alarm(LIMIT_SECONDS);
	raw_fd = socket(ip == 4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC,
			IPPROTO_RAW);
	if (raw_fd < 0)
		die("cannot make a raw socket: %s", strerror(errno));
	if (ip == 4)
		setsockopt(raw_fd, IPPROTO_IP, IP_HDRINCL, &one, sizeof(one));
	run(argv[1]);
	puts("{\"end\":true}");
	fflush(stdout);
	if (wait_for_go && !fgets(line, sizeof(line), stdin))
		die("nobody said when to end");
	return 0;
}
