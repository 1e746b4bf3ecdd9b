// SPDX-License-Identifier: Apache-2.0
/*
 * connload: a known workload of TCP connections, which tells the truth about
 * it on standard output, one JSON object a line (work.h).
 *
 *	connload abi32 | bytes | crowd | pairs | fail | other | rr | storm
 *		[--option [VALUE]]...
 *
 * The first line says that everything is set up and the server is inside
 * accept(); with --wait the workload begins when a line is read from standard
 * input. Exit status: 0; 1; 77 when the kernel has no such thing.
 */
#include "work.h"

#include "bytes.h"
#include "crowd.h"
#include "fail.h"
#include "other.h"
#include "pairs.h"
#include "rr.h"
#include "storm.h"

enum kind { FLAG, NUMBER, SIZE, STRING };

static const char *ip = "4";

static const struct {
	const char *name;
	enum kind kind;
	void *out;
} table[] = {
	{ "ip", STRING, &ip },
	{ "count", NUMBER, &opts.count },
	{ "threads", NUMBER, &opts.threads },
	{ "wait", FLAG, &opts.wait },
	{ "addr", STRING, &opts.addr },
	{ "from", STRING, &opts.from },
	{ "port", NUMBER, &opts.port },
	{ "comm", STRING, &opts.comm },
	{ "tag", STRING, &opts.tag },
	{ "uid", NUMBER, &opts.client_uid },
	/* pairs */
	{ "server-netns", STRING, &opts.server_netns },
	{ "nonblock", FLAG, &opts.nonblock },
	{ "fastopen", FLAG, &opts.fastopen },
	{ "mptcp", FLAG, &opts.mptcp },
	{ "rst", FLAG, &opts.rst },
	{ "abi32", FLAG, &opts.abi32 },
	{ "unspec", FLAG, &opts.unspec },
	{ "again", FLAG, &opts.again },
	{ "backlog", NUMBER, &opts.backlog },
	{ "accept-delay", NUMBER, &opts.accept_delay_ms },
	{ "hold", NUMBER, &opts.hold_ms },
	{ "read", FLAG, &opts.read }, /* crowd */
	{ "bytes-up", SIZE, &opts.bytes_up },
	{ "bytes-down", SIZE, &opts.bytes_down },
	/* bytes */
	{ "send", STRING, &opts.send },
	{ "recv", STRING, &opts.recv },
	{ "before", SIZE, &opts.before },
	{ "late", FLAG, &opts.late },
	{ "shared", FLAG, &opts.shared },
	{ "inherit", FLAG, &opts.inherit },
	{ "tls", FLAG, &opts.tls },
	/* pairs and fail: io_uring */
	{ "uring", STRING, &opts.uring },
	{ "uring-connect", FLAG, &opts.uring_connect },
	{ "uring-async", FLAG, &opts.uring_async },
	{ "uring-recv", FLAG, &opts.uring_recv },
	{ "uring-mix", FLAG, &opts.uring_mix },
	/* fail */
	{ "expect", STRING, &opts.expect },
	{ "bind", FLAG, &opts.bind },
	{ "same-tuple", FLAG, &opts.same_tuple },
	{ "close", FLAG, &opts.close },
	{ "user-timeout", NUMBER, &opts.user_timeout_ms },
	/* crowd and storm */
	{ "seconds", NUMBER, &opts.seconds },
};

static size_t number(const char *s, size_t max)
{
	char *end;
	size_t n = strtoul(s, &end, 10);

	if (*s < '0' || *s > '9' || *end || n > max)
		die("'%s' is no number up to %zu", s, max);
	return n;
}

static void parse(int argc, char **argv)
{
	size_t n = sizeof(table) / sizeof(*table), i;

	for (int arg = 2; arg < argc; arg++) {
		for (i = 0; i < n; i++)
			if (!strncmp(argv[arg], "--", 2) &&
			    !strcmp(argv[arg] + 2, table[i].name))
				break;
		if (i == n || (table[i].kind != FLAG && arg + 1 == argc))
			die("what is '%s'?", argv[arg]);
		if (table[i].kind == FLAG)
			*(bool *)table[i].out = true;
		else if (table[i].kind == NUMBER)
			*(unsigned *)table[i].out =
				(unsigned)number(argv[++arg], UINT32_MAX);
		else if (table[i].kind == SIZE)
			*(size_t *)table[i].out = number(argv[++arg], 1 << 30);
		else
			*(const char **)table[i].out = argv[++arg];
	}
	opts.mapped = !strcmp(ip, "mapped");
	if (strcmp(ip, "4") && strcmp(ip, "6") && !opts.mapped)
		die("--ip '%s' is none of 4, 6, mapped", ip);
	opts.ip = strcmp(ip, "6") ? 4 : 6;
	if (opts.seconds && strcmp(argv[1], "crowd"))
		opts.count = UINT32_MAX - MAX_THREADS;
	else if (!opts.count || opts.count > MAX_COUNT)
		die("--count goes from 1 to %d", MAX_COUNT);
	if (!opts.threads || opts.threads > MAX_THREADS ||
	    (opts.threads > opts.count && strcmp(argv[1], "bytes")))
		die("--threads goes from 1 to %d or --count", MAX_THREADS);
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	const char *times = getenv("NB_SLOW");

	if (times)
		slow = (unsigned)number(times, 100);
	if (!slow)
		die("NB_SLOW is 0");
	parse(argc, argv);
	alarm(LIMIT_SECONDS);
	if (!strcmp(mode, "abi32"))
		return abi32_main();
	if (!strcmp(mode, "bytes"))
		return bytes_main();
	if (!strcmp(mode, "crowd"))
		return crowd_main();
	if (!strcmp(mode, "rr"))
		return rr_main();
	if (!strcmp(mode, "pairs"))
		return pairs_main();
	if (!strcmp(mode, "fail"))
		return fail_main();
	if (!strcmp(mode, "other"))
		return other_main();
	if (!strcmp(mode, "storm"))
		return storm_main();
	die("'%s' is none of abi32, bytes, crowd, pairs, fail, other, rr, storm",
	    mode);
}
