// SPDX-License-Identifier: Apache-2.0
#include "links.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "task.h"

#define BUFFER (64 * 1024) /* the kernel fills 32 kB of it at most */
#define TRIES 5		   /* of reading a list that changes meanwhile */

struct nic_links {
	int ask;    /* requests and their answers */
	int listen; /* what the kernel says unasked */
	uint32_t seq;
	char buffer[BUFFER] __attribute__((aligned(8)));
};

/* A netlink socket of @groups, or -errno. */
static int new_socket(unsigned groups, int flags)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK,
				    .nl_groups = groups };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | flags,
			NETLINK_ROUTE);
	int err;

	if (fd < 0)
		return -errno;
	if (!bind(fd, (struct sockaddr *)&addr, sizeof(addr)))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

/* A socket belongs to the namespace that it was made in. */
static int open_sockets(void *ctx)
{
	struct nic_links *l = ctx;

	l->listen = new_socket(RTMGRP_LINK, SOCK_NONBLOCK);
	if (l->listen < 0)
		return l->listen;
	l->ask = new_socket(0, 0);
	return l->ask < 0 ? l->ask : 0;
}

int nic_links_open(const char *netns, uint32_t *ret_inode,
		   struct nic_links **ret)
{
	struct nic_links *l = calloc(1, sizeof(*l));
	uint32_t own = 0;
	int fd, err;

	if (!l)
		return -ENOMEM;
	l->ask = l->listen = -1;
	err = nb_task_netns("/proc/thread-self/ns/net", &own);
	fd = nb_task_netns_open(netns ? netns : "/proc/thread-self/ns/net",
				ret_inode);
	if (fd < 0 || err)
		err = fd < 0 ? fd : err;
	else
		/* In one's own that takes no privilege. */
		err = *ret_inode == own ? open_sockets(l)
					: nb_task_in_netns(fd, open_sockets, l);
	if (fd >= 0)
		close(fd);
	if (err) {
		nic_links_free(l);
		return err;
	}
	*ret = l;
	return 0;
}

void nic_links_free(struct nic_links *l)
{
	if (!l)
		return;
	if (l->ask >= 0)
		close(l->ask);
	if (l->listen >= 0)
		close(l->listen);
	free(l);
}

static const char *attr_string(const struct rtattr *a)
{
	const char *s = RTA_DATA(a);

	return RTA_PAYLOAD(a) && !s[RTA_PAYLOAD(a) - 1] ? s : "";
}

static uint32_t attr_u32(const struct rtattr *a)
{
	uint32_t n = 0;

	if (RTA_PAYLOAD(a) >= sizeof(n))
		memcpy(&n, RTA_DATA(a), sizeof(n));
	return n;
}

/*
 * The kind of a device that the kernel has no hardware for. Those of the first
 * two are counted by the devices below them.
 */
static bool kind_by_skb(struct rtattr *info)
{
	int len = (int)RTA_PAYLOAD(info);

	for (struct rtattr *a = RTA_DATA(info); RTA_OK(a, len);
	     a = RTA_NEXT(a, len))
		if (a->rta_type == IFLA_INFO_KIND)
			return strcmp(attr_string(a), "bond") &&
			       strcmp(attr_string(a), "team");
	return false;
}

static void get_stats(const struct rtattr *a, struct nic_stats *stats)
{
	struct rtnl_link_stats64 s;

	if (RTA_PAYLOAD(a) < offsetof(struct rtnl_link_stats64, rx_errors))
		return;
	memcpy(&s, RTA_DATA(a), offsetof(struct rtnl_link_stats64, rx_errors));
	stats[NIC_RX] = (struct nic_stats){ s.rx_packets, s.rx_bytes };
	stats[NIC_TX] = (struct nic_stats){ s.tx_packets, s.tx_bytes };
}

/* 0, or -EBADMSG. */
static int get_link(struct nlmsghdr *h, struct nic_link *link)
{
	struct ifinfomsg *info = NLMSG_DATA(h);
	struct rtattr *a = IFLA_RTA(info);
	int len;

	if (h->nlmsg_len < NLMSG_LENGTH(sizeof(*info)))
		return -EBADMSG;
	memset(link, 0, sizeof(*link));
	link->ifindex = (uint32_t)info->ifi_index;
	link->by_skb = info->ifi_flags & IFF_LOOPBACK;
	for (len = (int)IFLA_PAYLOAD(h); RTA_OK(a, len); a = RTA_NEXT(a, len)) {
		switch (a->rta_type & NLA_TYPE_MASK) {
		case IFLA_IFNAME:
			strncpy(link->name, attr_string(a),
				sizeof(link->name) - 1);
			break;
		case IFLA_STATS64:
			get_stats(a, link->stats);
			break;
		case IFLA_NUM_TX_QUEUES:
		case IFLA_NUM_RX_QUEUES:
			if (attr_u32(a) > link->queues)
				link->queues = attr_u32(a);
			break;
		case IFLA_LINKINFO:
			link->by_skb |= kind_by_skb(a);
			break;
		}
	}
	return 0;
}

static int ask(struct nic_links *l)
{
	struct {
		struct nlmsghdr h;
		struct ifinfomsg info;
	} request = {
		.h = { .nlmsg_len = sizeof(request),
		       .nlmsg_type = RTM_GETLINK,
		       .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		       .nlmsg_seq = ++l->seq },
		.info = { .ifi_family = AF_UNSPEC },
	};

	return send(l->ask, &request, sizeof(request), 0) < 0 ? -errno : 0;
}

struct answer {
	int (*fn)(void *ctx, const struct nic_link *link);
	void *ctx;
	bool done;
	int err; /* not 0: the rest is only taken from the socket */
};

/* One message of the answer. */
static void take(const struct nic_links *l, struct nlmsghdr *h,
		 struct answer *to)
{
	struct nic_link link;

	if (h->nlmsg_seq != l->seq)
		return;
	if (h->nlmsg_flags & NLM_F_DUMP_INTR && !to->err)
		to->err = -EAGAIN;
	if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR) {
		to->done = true;
		if (h->nlmsg_type == NLMSG_ERROR && !to->err)
			to->err = ((struct nlmsgerr *)NLMSG_DATA(h))->error;
		return;
	}
	if (h->nlmsg_type != RTM_NEWLINK || to->err)
		return;
	to->err = get_link(h, &link);
	if (!to->err)
		to->err = to->fn(to->ctx, &link);
}

static int each_once(struct nic_links *l, struct answer *to)
{
	int err = ask(l);

	while (!err && !to->done) {
		ssize_t got = recv(l->ask, l->buffer, sizeof(l->buffer), 0);
		struct nlmsghdr *h = (struct nlmsghdr *)l->buffer;
		size_t n = (size_t)got;

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : -EBADMSG;
		for (; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n))
			take(l, h, to);
	}
	return err ? err : to->err;
}

int nic_links_each(struct nic_links *l,
		   int (*fn)(void *ctx, const struct nic_link *link), void *ctx)
{
	int err = -EAGAIN;

	/* Again when the list has changed; what @fn has seen is still true. */
	for (int i = 0; i < TRIES && err == -EAGAIN; i++)
		err = each_once(l, &(struct answer){ .fn = fn, .ctx = ctx });
	return err;
}

int nic_links_fd(const struct nic_links *l)
{
	return l->listen;
}

void nic_links_seen(struct nic_links *l)
{
	/* Not to miss what was said where there was no room is to look. */
	while (recv(l->listen, l->buffer, sizeof(l->buffer), 0) > 0 ||
	       errno == ENOBUFS)
		;
}
