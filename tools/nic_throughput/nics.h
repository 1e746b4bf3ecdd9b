/* SPDX-License-Identifier: Apache-2.0 */
/* The devices that are watched, and what they have done in an interval. */
#ifndef NB_NIC_NICS_H
#define NB_NIC_NICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "links.h"
#include "log.h"
#include "nic_throughput.h"
#include "opt.h"
#include "rates.h"

struct nb_prog;

/* A queue that has had a packet. */
struct nic_row {
	enum nic_direction direction;
	uint16_t queue;		  /* or NIC_NO_QUEUE */
	struct nic_counts total;  /* since the start */
	struct nic_counts before; /* the same, an interval ago */
	struct nic_counts delta;  /* in the interval */
};

/* One direction of a device. */
struct nic_side {
	struct nic_counts total;
	struct nic_counts delta;
	struct nic_stats bypassed; /* not seen, but counted by the interface */
	struct nic_stats stats;	   /* the interface's, an interval ago */
	struct nic_balance balance;
};

struct nic {
	struct nic_link link;	 /* as it was when it was last seen */
	bool gone;		 /* and here for the last time */
	bool fresh;		 /* there is no stats an interval ago */
	uint32_t scan;		 /* the last one that has found it */
	struct nic_device place; /* of its counters; queues 0: none */
	struct nic_row *rows;	 /* received first, by queue */
	size_t nrows;
	struct nic_side side[NIC_DIRECTIONS];
};

struct nics {
	struct nic *nic; /* by ifindex */
	size_t n;
	uint64_t duration_ns; /* of the interval */

	/* Of no use to others. */
	struct nic_links *links;
	const struct nb_prog *prog;
	int counts; /* the maps of these names */
	int places;
	uint64_t nplaces; /* the size of the latter */
	int cpus;
	struct nic_counts *percpu;
	uint64_t read_ns;
	uint32_t scan;
	uint32_t found[NB_LIST_MAX]; /* ifindex of each name; 0: none now */
};

/*
 * Find the devices that nic_args asks for. 0 or -errno, with the reason in
 * @why. The caller frees *nics with nics_free(), also after a failure; @links
 * must outlive it.
 */
int nics_find(struct nics *nics, struct nic_links *links, struct nb_error *why);
void nics_free(struct nics *nics);

/*
 * Count these devices by @prog, which must outlive *nics. 0 or -errno. What is
 * counted from now on belongs to the first interval, which nics_take() begins.
 */
int nics_count(struct nics *nics, const struct nb_prog *prog);

/*
 * Look which devices there are. Says what has come, gone or changed its name. 0
 * or -errno.
 */
int nics_scan(struct nics *nics);

/* End an interval, and begin another one. 0 or -errno. */
int nics_take(struct nics *nics);

/*
 * Forget the devices that have gone, when their last interval has been told. 0
 * or -errno.
 */
int nics_forget_gone(struct nics *nics);

#endif
