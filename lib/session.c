// SPDX-License-Identifier: Apache-2.0
#include "session.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ESTABLISHED 1
#define SOCKETS_MAX 64
#define ANCESTORS_MAX 64

static int parse_end(const char *addr, unsigned port, struct nb_addr *ret,
		     uint16_t *ret_port)
{
	memset(ret, 0, sizeof(*ret));
	if (!port || port > UINT16_MAX)
		return -EINVAL;
	*ret_port = (uint16_t)port;
	ret->ip = strchr(addr, ':') ? 6 : 4;
	return inet_pton(ret->ip == 4 ? AF_INET : AF_INET6, addr, ret->bytes) ==
			       1
		       ? 0
		       : -EINVAL;
}

int nb_session_parse(const char *text, struct nb_session *ret)
{
	char remote[INET6_ADDRSTRLEN], local[INET6_ADDRSTRLEN];
	unsigned rport, lport;

	if (sscanf(text, "%45s %u %45s %u", remote, &rport, local, &lport) != 4)
		return -EINVAL;
	if (parse_end(remote, rport, &ret->remote, &ret->rport))
		return -EINVAL;
	return parse_end(local, lport, &ret->local, &ret->lport);
}

/* @hex: words of an address as they are in memory. */
static int parse_hex(const char *hex, int ip, struct nb_addr *ret)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	uint32_t word[4] = { 0 };
	size_t n = ip == 4 ? 1 : 4;

	if (strlen(hex) != 8 * n)
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		if (sscanf(hex + 8 * i, "%8" SCNx32, &word[i]) != 1)
			return -EINVAL;
	memset(ret, 0, sizeof(*ret));
	ret->ip = (uint8_t)ip;
	if (ip == 6 && !memcmp(word, mapped, sizeof(mapped))) {
		ret->ip = 4;
		word[0] = word[3];
		memset(&word[1], 0, 3 * sizeof(word[0]));
	}
	memcpy(ret->bytes, word, sizeof(ret->bytes));
	return 0;
}

int nb_session_parse_line(const char *line, int ip, struct nb_session *ret,
			  uint64_t *ret_inode)
{
	char local[33], remote[33];
	unsigned lport, rport, state;

	if (sscanf(line,
		   "%*s %32[0-9A-Fa-f]:%x %32[0-9A-Fa-f]:%x %x %*s %*s %*s %*s"
		   " %*s %" SCNu64,
		   local, &lport, remote, &rport, &state, ret_inode) != 6)
		return -EINVAL;
	if (state != ESTABLISHED || lport > UINT16_MAX || rport > UINT16_MAX)
		return -EINVAL;
	ret->lport = (uint16_t)lport;
	ret->rport = (uint16_t)rport;
	if (parse_hex(local, ip, &ret->local))
		return -EINVAL;
	return parse_hex(remote, ip, &ret->remote);
}

/* The sockets of the process @pid; returns how many. */
static size_t read_sockets(int pid, uint64_t *inodes)
{
	char path[64], link[64];
	size_t n = 0;
	ssize_t len;
	struct dirent *d;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	while (dir && n < SOCKETS_MAX && (d = readdir(dir))) {
		len = readlinkat(dirfd(dir), d->d_name, link, sizeof(link) - 1);
		link[len > 0 ? len : 0] = '\0';
		if (sscanf(link, "socket:[%" SCNu64 "]", &inodes[n]) == 1)
			n++;
	}
	if (dir)
		closedir(dir);
	return n;
}

/* The connection of the process' socket @want. */
static int find_in(int pid, int ip, uint64_t want, struct nb_session *ret)
{
	char path[64], line[512];
	bool found = false;
	uint64_t inode;
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%d/net/tcp%s", pid,
		 ip == 4 ? "" : "6");
	in = fopen(path, "re");
	while (in && !found && fgets(line, sizeof(line), in)) {
		if (nb_session_parse_line(line, ip, ret, &inode))
			continue;
		found = inode == want;
	}
	if (in)
		fclose(in);
	return found ? 0 : -ENOENT;
}

/* The parent of @pid, which is an sshd if *@ret_sshd; 0: it has none. */
static int parent_of(int pid, bool *ret_sshd)
{
	char path[64], line[512] = "", *comm, *rest;
	int parent = 0;
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	in = fopen(path, "re");
	if (in && !fgets(line, sizeof(line), in))
		line[0] = '\0';
	if (in)
		fclose(in);
	comm = strchr(line, '(');
	rest = strrchr(line, ')'); /* a name may have one of its own */
	*ret_sshd = comm && !strncmp(comm + 1, "sshd", 4);
	return rest && sscanf(rest + 1, " %*c %d", &parent) == 1 ? parent : 0;
}

int nb_session_find(struct nb_session *ret)
{
	const char *env = getenv("SSH_CONNECTION");
	uint64_t inodes[SOCKETS_MAX];
	int pid = getpid(), parent;
	bool is_sshd;

	if (env && !nb_session_parse(env, ret))
		return 0;
	for (int i = 0; pid > 1 && i < ANCESTORS_MAX; i++, pid = parent) {
		size_t n;

		parent = parent_of(pid, &is_sshd);
		n = is_sshd ? read_sockets(pid, inodes) : 0;
		/* The first one: others are what it forwards. */
		for (size_t k = 0; k < n; k++)
			if (!find_in(pid, 4, inodes[k], ret) ||
			    !find_in(pid, 6, inodes[k], ret))
				return 0;
	}
	return -ENOENT;
}
