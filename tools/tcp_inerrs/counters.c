// SPDX-License-Identifier: Apache-2.0
#include "counters.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "task.h"

#define TEXT_MAX (1 << 16)
#define OF(reason) (1ULL << ERR_##reason)

/*
 * Which reasons count where; 0: what is in no hook's reach (net/ipv4/proc.c has
 * the names).
 */
/* clang-format off */
static const struct {
	const char *name;
	uint64_t reasons;
	bool is_snmp;
} all[] = {
	{ "InErrs", OF(TCP_CSUM) | OF(BAD_DOFF) | OF(TCP_INVALID_SYN), true },
	{ "InCsumErrors", OF(TCP_CSUM), true },
	{ "ListenOverflows", OF(TCP_LISTEN_OVERFLOW) },
	{ "ListenDrops", 0 },
	{ "TCPReqQFullDrop", OF(SYN_QUEUE_FULL) },
	{ "TCPReqQFullDoCookies", 0 },
	{ "SyncookiesFailed", 0 },
	{ "EmbryonicRsts", 0 },
	{ "PAWSActive", 0 },
	{ "PAWSEstab", OF(TCP_RFC7323_PAWS) | OF(PAWS_DUPLICATE) },
	{ "PAWSOldAck", OF(TCP_RFC7323_PAWS_ACK) },
	{ "PAWSTimewait", OF(TCP_RFC7323_TW_PAWS) | OF(TW_PAWS_DUPLICATE) },
	{ "TSEcrRejected", OF(TCP_RFC7323_TSECR) },
	{ "TCPBacklogDrop", OF(SOCKET_BACKLOG) },
	{ "TCPMinTTLDrop", OF(TCP_MINTTL) },
	{ "TCPMD5NotFound", OF(TCP_MD5NOTFOUND) },
	{ "TCPMD5Unexpected", OF(TCP_MD5UNEXPECTED) },
	{ "TCPMD5Failure", OF(TCP_MD5FAILURE) },
	{ "TCPAORequired", OF(TCP_AONOTFOUND) },
	{ "TCPAOKeyNotFound", OF(TCP_AOKEYNOTFOUND) | OF(TCP_AOUNEXPECTED) },
	{ "TCPAOBad", OF(TCP_AOFAILURE) },
	{ "BeyondWindow", OF(TCP_INVALID_END_SEQUENCE) | OF(TCP_INVALID_SEQUENCE) },
	{ "TCPZeroWindowDrop", OF(TCP_ZEROWINDOW) },
	{ "TCPRcvQDrop+TCPOFODrop", OF(PROTO_MEM) },
	{ "TCPOFOMerge", OF(TCP_OFOMERGE) },
	{ "TCPSYNChallenge", OF(TCP_INVALID_SYN) },
	{ "TCPFastOpenListenOverflow", 0 },
	{ "PFMemallocDrop", 0 },
};
/* clang-format on */

#define N (sizeof(all) / sizeof(all[0]))
_Static_assert(N <= ERR_COUNTERS_MAX, "there is room for all");

/* The line after @line, or NULL. */
static const char *next_line(const char *line)
{
	const char *end = strchr(line, '\n');

	return end && end[1] ? end + 1 : NULL;
}

static bool is_of(const char *line, const char *group, size_t len)
{
	return line && !strncmp(line, group, len) && line[len] == ':';
}

int err_counters_find(const char *text, const char *group, const char *name,
		      uint64_t *ret)
{
	size_t len = strlen(group), name_len = strlen(name);
	const char *names = text, *values;

	while (names && !is_of(names, group, len))
		names = next_line(names);
	values = names ? next_line(names) : NULL;
	if (!is_of(values, group, len))
		return -ENOENT;
	names += len + 1;
	values += len + 1;
	for (;;) {
		size_t n;

		names += strspn(names, " ");
		values += strspn(values, " ");
		n = strcspn(names, " \n");
		if (!n || !strcspn(values, " \n"))
			return -ENOENT;
		if (n == name_len && !memcmp(names, name, n)) {
			*ret = strtoull(values, NULL, 10);
			return 0;
		}
		names += n;
		values += strcspn(values, " \n");
	}
}

/* All of @file, in @text of TEXT_MAX bytes. */
static void read_all(FILE *file, char *text)
{
	size_t n = 0;

	if (file) {
		/* What was read before is not to be read again. */
		fseek(file, 0, SEEK_SET);
		n = fread(text, 1, TEXT_MAX - 1, file);
	}
	text[n] = '\0';
}

/* One counter, or the sum of two ("A+B"). */
static uint64_t value_of(const char *text, const char *group, const char *name)
{
	size_t len = strcspn(name, "+");
	uint64_t one = 0, other = 0;
	char first[64];

	snprintf(first, sizeof(first), "%.*s", (int)len, name);
	err_counters_find(text, group, first, &one);
	if (name[len])
		err_counters_find(text, group, name + len + 1, &other);
	return one + other;
}

static void read_counters(const struct err_counters *c, uint64_t *ret)
{
	char *snmp = malloc(TEXT_MAX), *netstat = malloc(TEXT_MAX);

	memset(ret, 0, ERR_COUNTERS_MAX * sizeof(*ret));
	if (snmp && netstat) {
		read_all(c->snmp, snmp);
		read_all(c->netstat, netstat);
		for (size_t i = 0; i < N; i++)
			ret[i] = value_of(all[i].is_snmp ? snmp : netstat,
					  all[i].is_snmp ? "Tcp" : "TcpExt",
					  all[i].name);
	}
	free(snmp);
	free(netstat);
}

/* Of the namespace in which they are opened, for good. */
static int open_files(void *ctx)
{
	struct err_counters *c = ctx;

	c->snmp = fopen("/proc/thread-self/net/snmp", "re");
	c->netstat =
		c->snmp ? fopen("/proc/thread-self/net/netstat", "re") : NULL;
	return c->netstat ? 0 : -errno;
}

int err_counters_open(struct err_counters *counters, const char *netns,
		      uint32_t *ret)
{
	int fd, err;

	if (!netns) {
		err = nb_task_netns("/proc/thread-self/ns/net", ret);
		return err ? err : open_files(counters);
	}
	fd = nb_task_netns_open(netns, ret);
	if (fd < 0)
		return fd;
	err = nb_task_in_netns(fd, open_files, counters);
	close(fd);
	return err;
}

void err_counters_close(struct err_counters *counters)
{
	if (counters->snmp)
		fclose(counters->snmp);
	if (counters->netstat)
		fclose(counters->netstat);
	memset(counters, 0, sizeof(*counters));
}

void err_counters_start(struct err_counters *counters)
{
	read_counters(counters, counters->base);
}

void err_counters_stop(struct err_counters *counters)
{
	read_counters(counters, counters->end);
}

void err_counters_report(const struct err_counters *counters,
			 const uint64_t *seen)
{
	if (!counters->netstat)
		return;
	for (size_t i = 0; i < N; i++) {
		uint64_t grown = counters->end[i] - counters->base[i], mine = 0;

		for (unsigned r = 0; r < ERR_REASONS; r++)
			if (all[i].reasons >> r & 1)
				mine += seen[r];
		if (!all[i].reasons && grown)
			nb_note("kernel's %s: %" PRIu64
				", not seen packet by packet",
				all[i].name, grown);
		else if (grown || mine)
			nb_note("kernel's %s: %" PRIu64 ", seen: %" PRIu64,
				all[i].name, grown, mine);
	}
}
