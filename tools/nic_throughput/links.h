/* SPDX-License-Identifier: Apache-2.0 */
/* The network devices of a namespace, by rtnetlink(7). */
#ifndef NB_NIC_LINKS_H
#define NB_NIC_LINKS_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "nic_throughput.h"

/* What an interface itself has counted. */
struct nic_stats {
	uint64_t packets;
	uint64_t bytes;
};

struct nic_link {
	uint32_t ifindex;
	char name[IF_NAMESIZE];
	bool by_skb;	 /* a device of software: its packets are skbs */
	uint32_t queues; /* as many as the direction with more has */
	struct nic_stats stats[NIC_DIRECTIONS];
};

struct nic_links;

/*
 * Open the network namespace @netns (a name as of nb_task_netns(), or NULL: the
 * one that the process is in), and keep it from going away; its inode number to
 * *ret_inode. 0 or -errno. The caller frees *ret with nic_links_free().
 */
int nic_links_open(const char *netns, uint32_t *ret_inode,
		   struct nic_links **ret);
void nic_links_free(struct nic_links *links);

/*
 * Call @fn with each device, in no order; @link lives for the call only. Not 0
 * ends it with that value. 0 or -errno.
 */
int nic_links_each(struct nic_links *links,
		   int (*fn)(void *ctx, const struct nic_link *link),
		   void *ctx);

/*
 * A descriptor that is readable after devices have come, gone or changed;
 * nic_links_seen() takes all that has been said of that.
 */
int nic_links_fd(const struct nic_links *links);
void nic_links_seen(struct nic_links *links);

#endif
