// SPDX-License-Identifier: Apache-2.0
#include "rows.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "args.h"

#define RULE "------------------------------------------------------------"

static const char *const directions[] = { [NIC_RX] = "rx", [NIC_TX] = "tx" };

/* ---- Tables ---- */

static double per_second(const struct nics *nics, uint64_t n)
{
	return (double)n * 1e9 / (double)nics->duration_ns;
}

static void put_row(const struct nics *nics, const char *queue,
		    uint64_t packets, uint64_t bytes)
{
	char size[NIC_RATE_STRLEN], bps[NIC_RATE_STRLEN], pps[NIC_RATE_STRLEN];

	nic_rate_format(packets ? (double)bytes / (double)packets : 0,
			nic_args.raw, size);
	nic_rate_format(per_second(nics, bytes), nic_args.raw, bps);
	nic_rate_format(per_second(nics, packets), nic_args.raw, pps);
	printf(" %-10s %-10s %-10s %s\n", queue, size, bps, pps);
}

static void put_side(const struct nics *nics, const struct nic *nic,
		     enum nic_direction direction)
{
	const struct nic_side *side = &nic->side[direction];
	char queue[16];

	printf("%s\n", direction == NIC_TX ? "TX" : "RX");
	printf(" %-10s %-10s %-10s %s\n", "QueueID", "avg_size", "BPS", "PPS");
	for (size_t i = 0; i < nic->nrows; i++) {
		const struct nic_row *row = &nic->rows[i];

		if (row->direction != direction)
			continue;
		snprintf(queue, sizeof(queue), "%u", row->queue);
		put_row(nics, row->queue == NIC_NO_QUEUE ? "-" : queue,
			row->delta.packets, row->delta.bytes);
	}
	put_row(nics, "Total", side->delta.packets, side->delta.bytes);
	if (side->bypassed.packets)
		put_row(nics, "Bypassed", side->bypassed.packets,
			side->bypassed.bytes);
}

static void put_tables(const struct nics *nics)
{
	char stamp[32] = "";
	time_t now = time(NULL);
	struct tm tm;

	if (localtime_r(&now, &tm))
		asctime_r(&tm, stamp);
	fputs(stamp, stdout);
	for (size_t i = 0; i < nics->n; i++) {
		if (nic_args.all || nic_args.names.n > 1)
			printf("Device %s\n", nics->nic[i].link.name);
		put_side(nics, &nics->nic[i], NIC_TX);
		put_side(nics, &nics->nic[i], NIC_RX);
	}
	puts(RULE);
}

/* ---- JSON ---- */

/* clang-format off */
enum {
	COL_TIME, COL_DURATION, COL_NETNS, COL_IFINDEX, COL_NAME, COL_DIRECTION,
	COL_SCOPE, COL_QUEUE, COL_PACKETS, COL_BYTES, COL_SKBS, COLS
};

static const struct nb_col columns[COLS] = {
	[COL_TIME]      = { NULL, "time", 0 },
	[COL_DURATION]  = { NULL, "duration_us", 0 },
	[COL_NETNS]     = { NULL, "netns", 0 },
	[COL_IFINDEX]   = { NULL, "ifindex", 0 },
	[COL_NAME]      = { NULL, "name", 0 },
	[COL_DIRECTION] = { NULL, "direction", 0 },
	[COL_SCOPE]     = { NULL, "scope", 0 },
	[COL_QUEUE]     = { NULL, "queue", 0 },
	[COL_PACKETS]   = { NULL, "packets", 0 },
	[COL_BYTES]     = { NULL, "bytes", 0 },
	[COL_SKBS]      = { NULL, "skbs", 0 },
};
/* clang-format on */

/* The objects of one side; @cells has what they share. */
static int put_objects(struct nb_table *json, const struct nic *nic,
		       enum nic_direction direction, struct nb_cell *cells)
{
	const struct nic_side *side = &nic->side[direction];
	int err = 0;

	cells[COL_DIRECTION] = nb_cell_str(directions[direction]);
	cells[COL_SCOPE] = nb_cell_str("queue");
	for (size_t i = 0; i < nic->nrows && !err; i++) {
		const struct nic_row *row = &nic->rows[i];

		if (row->direction != direction)
			continue;
		cells[COL_QUEUE] = row->queue == NIC_NO_QUEUE
					   ? nb_cell_none()
					   : nb_cell_u64(row->queue);
		cells[COL_PACKETS] = nb_cell_u64(row->delta.packets);
		cells[COL_BYTES] = nb_cell_u64(row->delta.bytes);
		cells[COL_SKBS] = nb_cell_u64(row->delta.skbs);
		err = nb_table_row(json, cells);
	}
	cells[COL_SCOPE] = nb_cell_str("total");
	cells[COL_QUEUE] = nb_cell_none();
	cells[COL_PACKETS] = nb_cell_u64(side->delta.packets);
	cells[COL_BYTES] = nb_cell_u64(side->delta.bytes);
	cells[COL_SKBS] = nb_cell_u64(side->delta.skbs);
	if (!err)
		err = nb_table_row(json, cells);
	if (err || !side->bypassed.packets)
		return err;
	cells[COL_SCOPE] = nb_cell_str("bypassed");
	cells[COL_PACKETS] = nb_cell_u64(side->bypassed.packets);
	cells[COL_BYTES] = nb_cell_u64(side->bypassed.bytes);
	cells[COL_SKBS] = nb_cell_none();
	return nb_table_row(json, cells);
}

static int put_json(struct nb_table *json, const struct nics *nics,
		    uint32_t netns)
{
	struct nb_cell cells[COLS];
	struct timespec now;
	int err = 0;

	clock_gettime(CLOCK_REALTIME, &now);
	cells[COL_TIME] = nb_cell_time((uint64_t)now.tv_sec * 1000000000 +
				       (uint64_t)now.tv_nsec);
	/* A number of microseconds as it is, in both forms. */
	cells[COL_DURATION] = nb_cell_u64(nics->duration_ns / 1000);
	cells[COL_NETNS] = nb_cell_u64(netns);
	for (size_t i = 0; i < nics->n && !err; i++) {
		const struct nic *nic = &nics->nic[i];

		cells[COL_IFINDEX] = nb_cell_u64(nic->link.ifindex);
		cells[COL_NAME] = nb_cell_str(nic->link.name);
		err = put_objects(json, nic, NIC_TX, cells);
		if (!err)
			err = put_objects(json, nic, NIC_RX, cells);
	}
	return err ? err : nb_table_flush(json);
}

int nic_rows_new(struct nb_table **ret)
{
	const struct nb_table_opts opts = { .json = true };

	*ret = NULL;
	return nic_args.json ? nb_table_new(columns, COLS, &opts, stdout, ret)
			     : 0;
}

int nic_rows_print(struct nb_table *json, const struct nics *nics,
		   uint32_t netns)
{
	if (json)
		return put_json(json, nics, netns);
	errno = 0;
	put_tables(nics);
	if (!fflush(stdout) && !ferror(stdout))
		return 0;
	return errno ? -errno : -EIO;
}
