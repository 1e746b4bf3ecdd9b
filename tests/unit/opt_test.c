// SPDX-License-Identifier: Apache-2.0
#include "opt.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>

#include "log.h"
#include "test.h"

static struct {
	bool ip4, ip6, both;
	uint32_t pid, any, rate;
	uint64_t big;
	const char *path, *device;
	struct nb_ports lports, rports;
	unsigned direction;
	struct nb_list names;
} args;

static const char *const words[] = { "connect", "accept", NULL };

/* clang-format off */
static const struct nb_opt opts[] = {
	{ NB_FLAG, '4', "ipv4", .help = "only IPv4", .out = &args.ip4 },
	{ NB_FLAG, '6', "ipv6", .help = "only IPv6", .out = &args.ip6 },
	{ NB_FLAG, 0, "both", .legacy = "46",
	  .help = "what -46 once meant", .out = &args.both },
	{ NB_U32, 'p', "pid", .arg = "PID", .help = "only this process",
	  .out = &args.pid, .min = 1, .max = 100 },
	{ NB_U32, 'a', "any", .arg = "NUMBER", .out = &args.any },
	{ NB_U64, 'b', "big", .arg = "N",
	  .help = "a long text, the first line of which is as long as can "
		  "be; that is why it is continued in the next one, and in "
		  "one more after that", .out = &args.big },
	{ NB_STR, 0, "path-of-something", .arg = "PATH", .help = "a path",
	  .out = &args.path },
	{ NB_PORTS, 'P', "sport", .legacy = "sp", .arg = "LIST",
	  .help = "only these local ports", .out = &args.lports },
	{ NB_PORTS, 0, "dport", .legacy = "dp", .arg = "LIST",
	  .help = "remote ones", .out = &args.rports },
	{ NB_CHOICE, 'r', "direction", .arg = "WORD",
	  .help = "only that direction", .out = &args.direction,
	  .choices = words },
	{ NB_LIST, 'n', "name", .arg = "NAME", .out = &args.names },
	{ NB_STR, 'd', "dev", .arg = "DEV", .out = &args.device },
	{ NB_U32, 's', "sample", .arg = "RATE", .out = &args.rate, .min = 1,
	  .bare = "16" },
};
/* clang-format on */

static const char *const examples[] = {
	"tcpnone            everything",
	"tcpnone -p 1 -46   what init does",
	NULL,
};

static const struct nb_cmd cmd = {
	.name = "tcpnone",
	.about = "Show nothing.",
	.examples = examples,
	.opts = opts,
	.nopts = sizeof(opts) / sizeof(opts[0]),
};

static const char help[] =
	"Usage: tcpnone [OPTION]...\n"
	"Show nothing.\n"
	"\n"
	"Options:\n"
	"  -4, --ipv4              only IPv4\n"
	"  -6, --ipv6              only IPv6\n"
	"  -46, --both             what -46 once meant\n"
	"  -p, --pid PID           only this process\n"
	"  -b, --big N             a long text, the first line of which is as long as can\n"
	"                          be; that is why it is continued in the next one, and\n"
	"                          in one more after that\n"
	"      --path-of-something PATH\n"
	"                          a path\n"
	"  -P, -sp, --sport LIST   only these local ports\n"
	"  -dp, --dport LIST       remote ones\n"
	"  -r, --direction WORD    only that direction\n"
	"  -q, --quiet             print errors and data only\n"
	"  -v, --verbose           say how things are done\n"
	"  -V, --version           print the version and exit\n"
	"  -h, --help              print this help and exit\n"
	"\n"
	"Examples:\n"
	"  tcpnone            everything\n"
	"  tcpnone -p 1 -46   what init does\n";

static void print_ports(const char *name, const struct nb_ports *ports)
{
	for (size_t i = 0; i < ports->n; i++)
		printf("%s%u", i ? "," : name, ports->port[i]);
}

/* What the command line @ctx has set, as text. */
static void parse(void *ctx)
{
	char **argv = ctx;
	int argc = 0;

	while (argv[argc])
		argc++;
	nb_opt_parse(&cmd, argc, argv);
	printf("%s%s%s", args.ip4 ? " 4" : "", args.ip6 ? " 6" : "",
	       args.both ? " both" : "");
	if (args.pid)
		printf(" pid=%u", args.pid);
	if (args.any)
		printf(" any=%u", args.any);
	if (args.rate)
		printf(" rate=%u", args.rate);
	if (args.big)
		printf(" big=%" PRIu64, args.big);
	if (args.path)
		printf(" path=%s", args.path);
	if (args.device)
		printf(" dev=%s", args.device);
	print_ports(" sport=", &args.lports);
	print_ports(" dport=", &args.rports);
	if (args.direction)
		printf(" direction=%u", args.direction);
	for (size_t i = 0; i < args.names.n; i++)
		printf("%s%s", i ? "," : " name=", args.names.item[i]);
	nb_verbose("verbose");
	printf(nb_log_is_quiet() ? " quiet\n" : "\n");
}

#define ARGV(...) \
	((const char *[]){ "tcpnone", __VA_ARGS__ __VA_OPT__(, ) NULL })

static void joined(const char *const *argv, char *buf, size_t size)
{
	int at = snprintf(buf, size, "line:");

	for (; *argv && at < (int)size; argv++)
		at += snprintf(buf + at, size - (size_t)at, " %s", *argv);
}

static void sets(const char *const *argv, const char *want)
{
	struct test_run run;
	char name[256], out[256];

	joined(argv, name, sizeof(name));
	snprintf(out, sizeof(out), "%s\n", want);
	test_fork(parse, (void *)argv, &run);
	test_ran(&run, 0, out, "", name);
}

/* Exit status 2, one line, nothing on standard output. */
static void misuse(const char *const *argv, const char *want)
{
	struct test_run run;
	char name[256], err[1024];

	joined(argv, name, sizeof(name));
	snprintf(err, sizeof(err), "tcpnone: %s (try --help)\n", want);
	test_fork(parse, (void *)argv, &run);
	test_ran(&run, 2, "", err, name);
}

static void prints(const char *const *argv, const char *want)
{
	struct test_run run;
	char name[256];

	joined(argv, name, sizeof(name));
	test_fork(parse, (void *)argv, &run);
	test_ran(&run, 0, want, "", name);
}

static void good_lines(void)
{
	sets(ARGV(), "");
	sets((const char *[]){ NULL }, "");
	sets(ARGV("-4"), " 4");
	sets(ARGV("--ipv6"), " 6");
	sets(ARGV("-p", "7"), " pid=7");
	sets(ARGV("-p7"), " pid=7");
	sets(ARGV("--pid", "7"), " pid=7");
	sets(ARGV("--pid=7"), " pid=7");
	sets(ARGV("-p", "1", "-p", "100"), " pid=100");
	sets(ARGV("-64"), " 4 6");
	sets(ARGV("-64p7"), " 4 6 pid=7");
	sets(ARGV("-64p", "7"), " 4 6 pid=7");
	sets(ARGV("-64q"), " 4 6 quiet");
	sets(ARGV("-46"), " both");
	sets(ARGV("-sp", "80"), " sport=80");
	sets(ARGV("-P", "80,81", "-sp", "81,82"), " sport=80,81,82");
	sets(ARGV("-s"), " rate=16");
	sets(ARGV("-s", "4"), " rate=4");
	sets(ARGV("-s8"), " rate=8");
	sets(ARGV("-s", "-4"), " 4 rate=16");
	sets(ARGV("-4s"), " 4 rate=16");
	sets(ARGV("-s4"), " rate=4");
	sets(ARGV("-sq6"), " 6 rate=16 quiet");
	sets(ARGV("-s", "-sp", "80"), " rate=16 sport=80");
	sets(ARGV("-sp80"), " sport=80");
	sets(ARGV("-sp80,81", "-dp7"), " sport=80,81 dport=7");
	sets(ARGV("-dp4p1"), " dev=p4p1");
	sets(ARGV("-dppp0"), " dev=ppp0");
	sets(ARGV("-d80"), " dev=80");
	sets(ARGV("-sp80", "-s", "-p7"), " pid=7 rate=16 sport=80");
	sets(ARGV("--sample"), " rate=16");
	sets(ARGV("--sample", "2", "-4"), " 4 rate=2");
	sets(ARGV("--sample=2"), " rate=2");
	sets(ARGV("-dp", "1,65535"), " dport=1,65535");
	sets(ARGV("--sport=9", "--dport", "10"), " sport=9 dport=10");
	sets(ARGV("-a", "0"), "");
	sets(ARGV("-a", "4294967295"), " any=4294967295");
	sets(ARGV("-b18446744073709551615"), " big=18446744073709551615");
	sets(ARGV("-p", "0042"), " pid=42");
	sets(ARGV("--path-of-something", "--ipv4"), " path=--ipv4");
	sets(ARGV("--path-of-something=a=b"), " path=a=b");
	sets(ARGV("-r", "connect"), " direction=1");
	sets(ARGV("--direction=accept"), " direction=2");
	sets(ARGV("-n", "a"), " name=a");
	sets(ARGV("-n", "a", "--name=b", "-na", "-4nc"), " 4 name=a,b,c");
	sets(ARGV("-n", "a,b"), " name=a,b");
	sets(ARGV("-4", "--"), " 4");
	sets(ARGV("-v", "-q"), " quiet");
}

static void bad_options(void)
{
	misuse(ARGV("--prot"), "unknown option '--prot'");
	misuse(ARGV("--prot=80"), "unknown option '--prot'");
	misuse(ARGV("--pi", "7"), "unknown option '--pi'");
	misuse(ARGV("--pids", "7"), "unknown option '--pids'");
	misuse(ARGV("--=7"), "unknown option '--'");
	misuse(ARGV("--sp", "7"), "unknown option '--sp'");
	misuse(ARGV("-x"), "unknown option '-x'");
	misuse(ARGV("-4x"), "unknown option '-4x'");
	misuse(ARGV("-dport", "80"), "unexpected argument '80'");
	misuse(ARGV("-4", "x"), "unexpected argument 'x'");
	misuse(ARGV(""), "unexpected argument ''");
	misuse(ARGV("-"), "unexpected argument '-'");
	misuse(ARGV("--", "-4"), "unexpected argument '-4'");
	misuse(ARGV("-x\n\033[2J"), "unknown option '-x??[2J'");
	misuse(ARGV("--ipv4=yes"),
	       "cannot use '--ipv4=yes': it takes no value");
	misuse(ARGV("--ipv4="), "cannot use '--ipv4=': it takes no value");
	misuse(ARGV("--help=me"), "cannot use '--help=me': it takes no value");
}

static void bad_values(void)
{
	misuse(ARGV("-p"), "cannot use '-p': no value");
	misuse(ARGV("-4p"), "cannot use '-p': no value");
	misuse(ARGV("--pid"), "cannot use '--pid': no value");
	misuse(ARGV("-sp"), "cannot use '-sp': no value");
	misuse(ARGV("-sp0"), "cannot use '-sp 0': not between 1 and 65535");
	misuse(ARGV("-sp80,"), "cannot use '-sp 80,': not a number");
	misuse(ARGV("-sp,"), "cannot use '-sp ,': not a number");
	misuse(ARGV("-sp80x"), "cannot use '-p 80x': not a number");
	misuse(ARGV("-sp=80"), "cannot use '-sp =80': not a number");
	misuse(ARGV("-dp=80"), "cannot use '-dp =80': not a number");
	misuse(ARGV("-467"), "unknown option '-467'");
	misuse(ARGV("-s", "0"),
	       "cannot use '-s 0': not between 1 and 4294967295");
	misuse(ARGV("-sx"), "unknown option '-sx'");
	misuse(ARGV("-s", "x"), "unexpected argument 'x'");
	misuse(ARGV("--sample="), "cannot use '--sample': empty value");
	misuse(ARGV("-p", ""), "cannot use '-p': empty value");
	misuse(ARGV("--pid="), "cannot use '--pid': empty value");
	misuse(ARGV("--path-of-something", ""),
	       "cannot use '--path-of-something': empty value");
	misuse(ARGV("-p", "8o"), "cannot use '-p 8o': not a number");
	misuse(ARGV("--pid=8o"), "cannot use '--pid 8o': not a number");
	misuse(ARGV("-p=8"), "cannot use '-p =8': not a number");
	misuse(ARGV("-p", "-1"), "cannot use '-p -1': not a number");
	misuse(ARGV("-p", "+1"), "cannot use '-p +1': not a number");
	misuse(ARGV("-p", " 1"), "cannot use '-p  1': not a number");
	misuse(ARGV("-p", "0x1"), "cannot use '-p 0x1': not a number");
	misuse(ARGV("-p", "0"), "cannot use '-p 0': not between 1 and 100");
	misuse(ARGV("-p", "101"), "cannot use '-p 101': not between 1 and 100");
	misuse(ARGV("-a", "4294967296"),
	       "cannot use '-a 4294967296': not between 0 and 4294967295");
	misuse(ARGV("-b", "18446744073709551616"),
	       "cannot use '-b 18446744073709551616': not between 0 and "
	       "18446744073709551615");
	misuse(ARGV("--sport", "8o"), "cannot use '--sport 8o': not a number");
	misuse(ARGV("-sp", "80,"), "cannot use '-sp 80,': not a number");
	misuse(ARGV("-P", "80,0"),
	       "cannot use '-P 80,0': not between 1 and 65535");
	misuse(ARGV("-P65536"),
	       "cannot use '-P 65536': not between 1 and 65535");
	misuse(ARGV("-r", "up"),
	       "cannot use '-r up': not one of connect, accept");
	misuse(ARGV("-r", "conn"),
	       "cannot use '-r conn': not one of connect, accept");
	misuse(ARGV("-n"), "cannot use '-n': no value");
	misuse(ARGV("-n", ""), "cannot use '-n': empty value");
	misuse(ARGV("-r", "Connect"),
	       "cannot use '-r Connect': not one of connect, accept");
}

static void full_list(void)
{
	static char words_of[NB_LIST_MAX + 1][8];
	const char *argv[2 * NB_LIST_MAX + 4] = { "tcpnone" };
	struct test_run run;
	size_t n = 1;

	for (int i = 0; i <= NB_LIST_MAX; i++) {
		sprintf(words_of[i], "w%d", i);
		argv[n++] = "-n";
		argv[n++] = words_of[i];
	}
	test_fork(parse, argv, &run);
	test_ran(&run, 2, "",
		 "tcpnone: cannot use '-n w64': more than 64 of these"
		 " (try --help)\n",
		 "one word more than there is room for");
	argv[n - 1] = "w0";
	test_fork(parse, argv, &run);
	test_ok(WIFEXITED(run.status) && !WEXITSTATUS(run.status) &&
			strstr(run.out, ",w63\n"),
		"a full list, and a word that it has");
}

/* The reason is what must not be lost of a long line. */
static void long_value(void)
{
	char value[5000], want[1024];

	memset(value, '1', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	snprintf(want, sizeof(want), "cannot use '-p %.500s': %s", value,
		 "not between 1 and 100");
	misuse(ARGV("-p", value), want);
}

static void wrong_use(void *ctx)
{
	(void)ctx;
	nb_log_tool("tcpnone");
	printf("%s", "");
	nb_opt_misuse("cannot use '%s %d': %s", "-n", 5, "no such thing");
}

static void full_disk(void *ctx)
{
	if (!freopen("/dev/full", "w", stdout))
		_exit(98);
	parse(ctx);
}

static void closed_output(void *ctx)
{
	close(STDOUT_FILENO);
	parse(ctx);
}

static void texts(void)
{
	struct test_run run;

	prints(ARGV("-h"), help);
	prints(ARGV("--help"), help);
	prints(ARGV("-4h", "nonsense"), help);
	prints(ARGV("-V"), "tcpnone " NB_VERSION " (netbcc)\n");
	prints(ARGV("--version", "-p"), "tcpnone " NB_VERSION " (netbcc)\n");
	misuse(ARGV("--prot", "-h"), "unknown option '--prot'");

	test_fork(full_disk, ARGV("-h"), &run);
	test_ran(&run, 1, "",
		 "tcpnone: cannot write the help: No space left on device\n",
		 "--help on a full disk");
	test_fork(full_disk, ARGV("-V"), &run);
	test_ran(&run, 1, "",
		 "tcpnone: cannot write the version: No space left on device\n",
		 "--version on a full disk");
	test_fork(closed_output, ARGV("-h"), &run);
	test_ran(&run, 1, "",
		 "tcpnone: cannot write the help: Bad file descriptor\n",
		 "--help without standard output");
	test_fork(wrong_use, NULL, &run);
	test_ran(&run, 2, "",
		 "tcpnone: cannot use '-n 5': no such thing (try --help)\n",
		 "misuse that the command itself finds");
	test_fork(parse, ARGV("-v", "-4"), &run);
	test_ran(&run, 0, " 4\n", "tcpnone: verbose\n", "-v");
}

static void parse_u64(const char *s, uint64_t min, uint64_t max, int err,
		      uint64_t want)
{
	uint64_t n = 4711;
	char name[128];

	snprintf(name, sizeof(name), "parse '%s', %" PRIu64 " to %" PRIu64, s,
		 min, max);
	if (!test_ok(nb_parse_u64(s, min, max, &n) == err &&
			     n == (err ? 4711 : want),
		     name))
		printf("# got %" PRIu64 "\n", n);
}

static void u64_values(void)
{
	parse_u64("0", 0, UINT64_MAX, 0, 0);
	parse_u64("18446744073709551615", 0, UINT64_MAX, 0, UINT64_MAX);
	parse_u64("18446744073709551616", 0, UINT64_MAX, -ERANGE, 0);
	parse_u64("18446744073709551620", 0, UINT64_MAX, -ERANGE, 0);
	parse_u64("99999999999999999999999", 0, UINT64_MAX, -ERANGE, 0);
	parse_u64("99999999999999999999999x", 0, UINT64_MAX, -EINVAL, 0);
	parse_u64("00000000000000000000000007", 0, UINT64_MAX, 0, 7);
	parse_u64("4", 5, 6, -ERANGE, 0);
	parse_u64("5", 5, 6, 0, 5);
	parse_u64("6", 5, 6, 0, 6);
	parse_u64("7", 5, 6, -ERANGE, 0);
	parse_u64("", 0, UINT64_MAX, -EINVAL, 0);
	parse_u64(" 5", 0, UINT64_MAX, -EINVAL, 0);
	parse_u64("5 ", 0, UINT64_MAX, -EINVAL, 0);
	parse_u64("5k", 0, UINT64_MAX, -EINVAL, 0);
	parse_u64("-0", 0, UINT64_MAX, -EINVAL, 0);
	parse_u64("/", 0, UINT64_MAX, -EINVAL, 0);
	parse_u64(":", 0, UINT64_MAX, -EINVAL, 0);
	parse_u64("1\n", 0, UINT64_MAX, -EINVAL, 0);
	parse_u64("\xd9\xa1", 0, UINT64_MAX, -EINVAL, 0);
}

static void port_lists(void)
{
	static const struct {
		const char *s;
		int err;
	} bad[] = {
		{ "", -EINVAL },	{ ",", -EINVAL },
		{ ",80", -EINVAL },	{ "80,", -EINVAL },
		{ "80,,81", -EINVAL },	{ "80 ,81", -EINVAL },
		{ "80-81", -EINVAL },	{ "0", -ERANGE },
		{ "1,65536", -ERANGE }, { "65616", -ERANGE },
	};
	static struct nb_ports ports = { { 7 }, 1 };
	char name[64], text[8 * (NB_PORTS_MAX + 1)], *p = text;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(name, sizeof(name), "bad list '%s'", bad[i].s);
		test_ok(nb_parse_ports(bad[i].s, &ports) == bad[i].err &&
				ports.n == 1 && ports.port[0] == 7,
			name);
	}
	for (int i = 1; i < NB_PORTS_MAX; i++)
		p += sprintf(p, "%d,", 7 + i);
	strcpy(p, "7");
	test_int(nb_parse_ports(text, &ports), 0, "a full list");
	test_int((long long)ports.n, NB_PORTS_MAX, "has all of them, once");
	test_int(nb_parse_ports("7,8", &ports), 0, "what is there still fits");
	test_int(nb_parse_ports("6", &ports), -E2BIG, "one more doesn't");
	test_int((long long)ports.n, NB_PORTS_MAX, "and changes nothing");
}

static struct {
	uint32_t interval;
	uint32_t count;
} timing;

static void parse_args(void *ctx)
{
	static const struct nb_opt positional[] = {
		{ NB_U32, .arg = "INTERVAL", .help = "seconds",
		  .out = &timing.interval, .min = 1, .max = 60 },
		{ NB_U32, .arg = "COUNT", .help = "how often",
		  .out = &timing.count, .min = 1 },
	};
	static const struct nb_cmd with_args = {
		.name = "tcpnone",
		.about = "Show nothing.",
		.opts = opts,
		.nopts = 1,
		.args = positional,
		.nargs = 2,
	};
	char **argv = ctx;
	int argc = 0;

	while (argv[argc])
		argc++;
	nb_opt_parse(&with_args, argc, argv);
	printf("%u %u%s\n", timing.interval, timing.count,
	       args.ip4 ? " 4" : "");
}

static void with_args(const char *const *argv, int status, const char *out,
		      const char *err)
{
	struct test_run run;
	char name[256];

	joined(argv, name, sizeof(name));
	test_fork(parse_args, (void *)(uintptr_t)argv, &run);
	test_ran(&run, status, out, err, name);
}

static void arguments(void)
{
#define TRY " (try --help)\n"
	with_args(ARGV(), 0, "0 0\n", "");
	with_args(ARGV("5"), 0, "5 0\n", "");
	with_args(ARGV("5", "2"), 0, "5 2\n", "");
	with_args(ARGV("5", "-4", "2"), 0, "5 2 4\n", "");
	with_args(ARGV("--", "5", "2"), 0, "5 2\n", "");
	with_args(ARGV("5", "--", "2"), 0, "5 2\n", "");
	with_args(
		ARGV("61"), 2, "",
		"tcpnone: cannot use 'INTERVAL 61': not between 1 and 60" TRY);
	with_args(ARGV("5", "x"), 2, "",
		  "tcpnone: cannot use 'COUNT x': not a number" TRY);
	with_args(ARGV("5", ""), 2, "",
		  "tcpnone: cannot use 'COUNT': empty value" TRY);
	with_args(ARGV("5", "2", "1"), 2, "",
		  "tcpnone: unexpected argument '1'" TRY);
	with_args(ARGV("5", "--", "2", "-4"), 2, "",
		  "tcpnone: unexpected argument '-4'" TRY);
	with_args(ARGV("-"), 2, "",
		  "tcpnone: cannot use 'INTERVAL -': not a number" TRY);
	with_args(ARGV("--help"), 0,
		  "Usage: tcpnone [OPTION]... [INTERVAL [COUNT]]\n"
		  "Show nothing.\n"
		  "\n"
		  "Arguments:\n"
		  "  INTERVAL                seconds\n"
		  "  COUNT                   how often\n"
		  "\n"
		  "Options:\n"
		  "  -4, --ipv4              only IPv4\n"
		  "  -q, --quiet             print errors and data only\n"
		  "  -v, --verbose           say how things are done\n"
		  "  -V, --version           print the version and exit\n"
		  "  -h, --help              print this help and exit\n",
		  "");
}

int main(void)
{
	arguments();
	good_lines();
	bad_options();
	bad_values();
	long_value();
	full_list();
	texts();
	u64_values();
	port_lists();
	return test_done();
}
