/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's own counters of bad packets, of one network namespace. */
#ifndef NB_TCP_INERRS_COUNTERS_H
#define NB_TCP_INERRS_COUNTERS_H

#include <stdint.h>
#include <stdio.h>

#include "tcp_inerrs.h"

#define ERR_COUNTERS_MAX 48

/* Zero-initialise; err_counters_close() at the end. */
struct err_counters {
	FILE *snmp;
	FILE *netstat;
	uint64_t base[ERR_COUNTERS_MAX];
	uint64_t end[ERR_COUNTERS_MAX];
};

/*
 * Open those of the namespace @netns (as nb_task_netns_open()), or of the
 * command's own when that is NULL, and put its inode number into *@ret. 0 or
 * -errno.
 */
int err_counters_open(struct err_counters *counters, const char *netns,
		      uint32_t *ret);
void err_counters_close(struct err_counters *counters);

/* From here on, and up to here. */
void err_counters_start(struct err_counters *counters);
void err_counters_stop(struct err_counters *counters);

/*
 * Say on standard error, unless quiet, by how much each grew then, and how many
 * packets the command has seen for which the kernel counts there: @seen is by
 * enum err_reason. Those of which there is neither are left out.
 */
void err_counters_report(const struct err_counters *counters,
			 const uint64_t *seen);

/*
 * The value of @name in the text of /proc/net/snmp or netstat: two lines for
 * each @group ("Tcp", "TcpExt"), first names and then numbers. 0 or -ENOENT.
 */
int err_counters_find(const char *text, const char *group, const char *name,
		      uint64_t *ret);

#endif
