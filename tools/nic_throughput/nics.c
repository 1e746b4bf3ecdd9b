// SPDX-License-Identifier: Apache-2.0
#include "nics.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "clock.h"
#include "prog.h"

static struct nic *find(struct nics *nics, uint32_t ifindex)
{
	size_t low = 0, high = nics->n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (nics->nic[mid].link.ifindex == ifindex)
			return &nics->nic[mid];
		if (nics->nic[mid].link.ifindex < ifindex)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

/* ---- Which devices ---- */

static uint32_t end_of(const struct nic_device *place)
{
	return place->first + (uint32_t)place->queues * NIC_DIRECTIONS;
}

/* Is one of the devices' places in the way of @place? */
static bool is_taken(const struct nics *nics, const struct nic_device *place)
{
	for (size_t i = 0; i < nics->n; i++) {
		const struct nic_device *p = &nics->nic[i].place;

		if (p->queues && p->first < end_of(place) &&
		    place->first < end_of(p))
			return true;
	}
	return end_of(place) > nics->nplaces;
}

/* Is there room for the device? Those that come too late do without. */
static bool find_place(const struct nics *nics, struct nic_device *place)
{
	for (size_t i = 0; i < nics->n; i++) {
		const struct nic_device *p = &nics->nic[i].place;

		if (p->queues &&
		    p->ifindex % NIC_DEVICES == place->ifindex % NIC_DEVICES)
			return false;
	}
	/* At the beginning, or behind one of the others. */
	place->first = 0;
	if (!is_taken(nics, place))
		return true;
	for (size_t i = 0; i < nics->n; i++) {
		if (!nics->nic[i].place.queues ||
		    end_of(&nics->nic[i].place) > UINT16_MAX)
			continue;
		place->first = (uint16_t)end_of(&nics->nic[i].place);
		if (!is_taken(nics, place))
			return true;
	}
	return false;
}

/* Have the device counted. 0 or -errno. */
static int want(struct nics *nics, struct nic *nic)
{
	struct nic_device place = { .ifindex = nic->link.ifindex };
	const uint32_t at = place.ifindex % NIC_DEVICES;
	const uint8_t one = 1;
	int err = 0;

	if (!nics->prog)
		return 0;
	if (!nic_args.all)
		err = nb_prog_set(nics->prog, "wanted", &place.ifindex,
				  sizeof(place.ifindex), &one, sizeof(one));
	if (err || nic->link.queues >= NIC_NO_QUEUE / NIC_DIRECTIONS)
		return err;
	place.queues = (uint16_t)(nic->link.queues + 1);
	if (!find_place(nics, &place))
		return 0;
	nic->place = place;
	return nb_prog_set(nics->prog, "devices", &at, sizeof(at), &place,
			   sizeof(place));
}

/* Have it counted no more, and leave nothing of it. */
static int unwant(struct nics *nics, struct nic *nic)
{
	const struct nic_device none = { 0 };
	const uint32_t at = nic->link.ifindex % NIC_DEVICES;
	int map = nb_prog_map(nics->prog, "wanted"), err = 0;

	if (nic->place.queues)
		err = nb_prog_set(nics->prog, "devices", &at, sizeof(at), &none,
				  sizeof(none));
	if (map >= 0)
		bpf_map_delete_elem(map, &nic->link.ifindex);
	memset(nics->percpu, 0, (size_t)nics->cpus * sizeof(*nics->percpu));
	for (uint32_t i = 0; i < nic->place.queues * NIC_DIRECTIONS; i++) {
		const uint32_t place = nic->place.first + i;

		bpf_map_update_elem(nics->places, &place, nics->percpu,
				    BPF_ANY);
	}
	for (size_t i = 0; i < nic->nrows; i++) {
		const struct nic_key key = { nic->link.ifindex,
					     nic->rows[i].queue,
					     nic->rows[i].direction };

		/* Before 5.10 its place in the map would keep the values. */
		bpf_map_update_elem(nics->counts, &key, nics->percpu,
				    BPF_EXIST);
		bpf_map_delete_elem(nics->counts, &key);
	}
	return err;
}

/* Does somebody ask for @link, whose device is not known yet? */
static bool asked_for(struct nics *nics, const struct nic_link *link)
{
	for (size_t i = 0; i < nic_args.names.n; i++) {
		if (nics->found[i] ||
		    strcmp(nic_args.names.item[i], link->name))
			continue;
		nics->found[i] = link->ifindex;
		return true;
	}
	return nic_args.all;
}

static int add(struct nics *nics, const struct nic_link *link)
{
	struct nic *nic = realloc(nics->nic, (nics->n + 1) * sizeof(*nic));
	size_t at = nics->n;

	if (!nic)
		return -ENOMEM;
	nics->nic = nic;
	while (at && nic[at - 1].link.ifindex > link->ifindex)
		at--;
	memmove(&nic[at + 1], &nic[at], (nics->n - at) * sizeof(*nic));
	nics->n++;
	nic[at] = (struct nic){ .link = *link,
				.fresh = true,
				.scan = nics->scan };
	if (nics->prog)
		nb_note("device '%s' has appeared", link->name);
	return want(nics, &nic[at]);
}

static int on_link(void *ctx, const struct nic_link *link)
{
	struct nics *nics = ctx;
	struct nic *nic = find(nics, link->ifindex);

	if (!nic)
		return asked_for(nics, link) ? add(nics, link) : 0;
	if (strcmp(nic->link.name, link->name))
		nb_note("device '%s' is called '%s' now", nic->link.name,
			link->name);
	nic->link = *link;
	nic->scan = nics->scan;
	nic->gone = false;
	return 0;
}

static void lose(struct nics *nics, struct nic *nic)
{
	nic->gone = true;
	nb_note("device '%s' has gone", nic->link.name);
	for (size_t i = 0; i < nic_args.names.n; i++)
		if (nics->found[i] == nic->link.ifindex)
			nics->found[i] = 0;
}

/* 0, 1 when devices have gone, or -errno (-EAGAIN: the list keeps changing). */
static int scan_once(struct nics *nics)
{
	int err, lost = 0;

	nics->scan++;
	err = nic_links_each(nics->links, on_link, nics);
	if (err)
		return err;
	for (size_t i = 0; i < nics->n; i++) {
		if (nics->nic[i].scan == nics->scan || nics->nic[i].gone)
			continue;
		lose(nics, &nics->nic[i]);
		lost = 1;
	}
	return lost;
}

int nics_scan(struct nics *nics)
{
	int err = scan_once(nics);

	/* Another may have come in the place of the one that has gone. */
	if (err == 1)
		err = scan_once(nics);
	return err == 1 ? 0 : err;
}

static int add_name(void *ctx, const struct nic_link *link)
{
	struct nb_error *text = ctx;
	size_t at = strlen(text->text);

	if (at + strlen(link->name) + 5 < sizeof(text->text))
		sprintf(text->text + at, "%s%s", at ? ", " : "", link->name);
	else if (at + 5 < sizeof(text->text) && text->text[at - 1] != '.')
		strcpy(text->text + at, ", ...");
	return 0;
}

int nics_find(struct nics *nics, struct nic_links *links, struct nb_error *why)
{
	struct nb_error names = { "" };
	int err;

	memset(nics, 0, sizeof(*nics));
	nics->links = links;
	err = nics_scan(nics);
	for (size_t i = 0; i < nic_args.names.n && !err; i++) {
		const char *name = nic_args.names.item[i];

		if (nics->found[i] || !strcmp(name, "all"))
			continue;
		nic_links_each(links, add_name, &names);
		return nb_error_set(
			why, -ENODEV,
			"cannot use --name '%s': no such device (there are %.400s)",
			name, names.text);
	}
	if (err)
		return nb_error_set(why, err, "cannot list the devices: %s",
				    strerror(-err));
	return 0;
}

void nics_free(struct nics *nics)
{
	for (size_t i = 0; i < nics->n; i++)
		free(nics->nic[i].rows);
	free(nics->nic);
	free(nics->percpu);
}

/* ---- What they have done ---- */

/* The map @name, whose keys have @key_size bytes, or -errno. */
static int get_map(const struct nb_prog *prog, const char *name,
		   uint32_t key_size, struct bpf_map_info *info)
{
	__u32 len = sizeof(*info);
	int map = nb_prog_map(prog, name);

	memset(info, 0, sizeof(*info));
	if (map >= 0 && bpf_obj_get_info_by_fd(map, info, &len))
		return -errno;
	/* The image may be damaged. */
	if (map >= 0 && ((info->type != BPF_MAP_TYPE_PERCPU_HASH &&
			  info->type != BPF_MAP_TYPE_PERCPU_ARRAY) ||
			 info->key_size != key_size ||
			 info->value_size != sizeof(struct nic_counts)))
		return -EMSGSIZE;
	return map;
}

int nics_count(struct nics *nics, const struct nb_prog *prog)
{
	struct bpf_map_info info;
	int err = 0;

	nics->prog = prog;
	nics->cpus = libbpf_num_possible_cpus();
	if (nics->cpus < 0)
		return nics->cpus;
	nics->counts = get_map(prog, "counts", sizeof(struct nic_key), &info);
	if (nics->counts < 0)
		return nics->counts;
	nics->places = get_map(prog, "places", sizeof(uint32_t), &info);
	if (nics->places < 0)
		return nics->places;
	nics->nplaces = info.max_entries;
	nics->percpu = calloc((size_t)nics->cpus, sizeof(*nics->percpu));
	if (!nics->percpu)
		return -ENOMEM;
	for (size_t i = 0; i < nics->n && !err; i++)
		err = want(nics, &nics->nic[i]);
	return err;
}

static void sum(struct nic_counts *to, const struct nic_counts *n)
{
	to->packets += n->packets;
	to->bytes += n->bytes;
	to->skbs += n->skbs;
}

/*
 * How far *n has come since *before, which becomes *n. A packet that its driver
 * does not take is taken back: the counters may go back by that.
 */
static struct nic_counts advance(struct nic_counts *before,
				 const struct nic_counts *n)
{
	struct nic_counts delta = { 0 };

	if (n->skbs <= before->skbs || n->packets < before->packets ||
	    n->bytes < before->bytes)
		return delta;
	delta.packets = n->packets - before->packets;
	delta.bytes = n->bytes - before->bytes;
	delta.skbs = n->skbs - before->skbs;
	*before = *n;
	return delta;
}

static int compare(const struct nic_row *row, const struct nic_key *key)
{
	if (row->direction != key->direction)
		return row->direction < key->direction ? -1 : 1;
	return row->queue < key->queue ? -1 : row->queue > key->queue;
}

/* The queue's row, made if need be. NULL: out of memory. */
static struct nic_row *get_row(struct nic *nic, const struct nic_key *key)
{
	struct nic_row *rows;
	size_t at = 0;

	while (at < nic->nrows && compare(&nic->rows[at], key) < 0)
		at++;
	if (at < nic->nrows && !compare(&nic->rows[at], key))
		return &nic->rows[at];
	rows = realloc(nic->rows, (nic->nrows + 1) * sizeof(*rows));
	if (!rows)
		return NULL;
	nic->rows = rows;
	memmove(&rows[at + 1], &rows[at], (nic->nrows - at) * sizeof(*rows));
	nic->nrows++;
	rows[at] = (struct nic_row){ .direction = key->direction,
				     .queue = key->queue };
	return &rows[at];
}

/* Add to the queue's row what is at @key of @map. */
static int read_row(struct nics *nics, struct nic *nic, int map,
		    const void *key, const struct nic_key *queue)
{
	struct nic_counts total = { 0 };
	struct nic_row *row;

	if (bpf_map_lookup_elem(map, key, nics->percpu))
		return errno == ENOENT ? 0 : -errno;
	for (int i = 0; i < nics->cpus; i++)
		sum(&total, &nics->percpu[i]);
	if (!total.skbs)
		return 0;
	row = get_row(nic, queue);
	if (!row)
		return -ENOMEM;
	sum(&row->total, &total);
	sum(&nic->side[queue->direction].total, &total);
	return 0;
}

/* What is in the device's places. */
static int read_places(struct nics *nics, struct nic *nic)
{
	struct nic_key queue = { nic->link.ifindex, NIC_NO_QUEUE, 0 };
	int err = 0;

	for (size_t i = 0; i < nic->nrows; i++)
		nic->rows[i].total = (struct nic_counts){ 0 };
	for (int d = 0; d < NIC_DIRECTIONS; d++)
		nic->side[d].total = (struct nic_counts){ 0 };
	for (unsigned i = 0; i < nic->place.queues && !err; i++, queue.queue++)
		for (int d = 0; d < NIC_DIRECTIONS && !err; d++) {
			const uint32_t at =
				NIC_PLACE(&nic->place, queue.queue, d);

			queue.direction = (uint16_t)d;
			err = read_row(nics, nic, nics->places, &at, &queue);
		}
	return err;
}

/* Read all of what was counted since the start. 0 or -errno. */
static int read_counts(struct nics *nics)
{
	struct nic_key key, *last = NULL;
	int err = 0;

	for (size_t i = 0; i < nics->n && !err; i++)
		err = read_places(nics, &nics->nic[i]);
	while (!err && !bpf_map_get_next_key(nics->counts, last, &key)) {
		struct nic *nic = find(nics, key.ifindex);

		if (nic && key.direction < NIC_DIRECTIONS)
			err = read_row(nics, nic, nics->counts, &key, &key);
		last = &key;
	}
	return err;
}

/* The packets of @n as the interface counts them. */
static uint64_t like(const struct nic *nic, const struct nic_counts *n)
{
	return nic->link.by_skb ? n->skbs : n->packets;
}

/* What the interface has counted besides. @early is side->total, but read
 * before the interface's own count, as side->total was read after it. */
static void balance(const struct nics *nics, struct nic *nic,
		    struct nic_side *side, const struct nic_stats *now,
		    uint64_t early)
{
	uint64_t ahead = like(nic, &side->total) - early;
	uint64_t bytes = now->bytes - side->stats.bytes;

	side->bypassed = (struct nic_stats){ 0 };
	if (nic->fresh)
		side->balance =
			(struct nic_balance){ .carry = -(int64_t)ahead };
	else if (!nic->gone)
		side->bypassed.packets = nic_balance(
			&side->balance, now->packets - side->stats.packets,
			like(nic, &side->delta), ahead, (uint64_t)nics->cpus);
	if (side->bypassed.packets && bytes > side->delta.bytes)
		side->bypassed.bytes = bytes - side->delta.bytes;
	side->stats = *now;
}

/* The total is that of its rows, whatever is on its way. */
static void sum_rows(struct nic *nic, enum nic_direction direction)
{
	struct nic_side *side = &nic->side[direction];

	side->delta = (struct nic_counts){ 0 };
	for (size_t i = 0; i < nic->nrows; i++)
		if (nic->rows[i].direction == direction)
			sum(&side->delta, &nic->rows[i].delta);
}

static void end_interval(const struct nics *nics, struct nic *nic,
			 const uint64_t *early)
{
	for (size_t i = 0; i < nic->nrows; i++) {
		struct nic_row *row = &nic->rows[i];

		row->delta = advance(&row->before, &row->total);
	}
	for (int d = 0; d < NIC_DIRECTIONS; d++) {
		struct nic_side *side = &nic->side[d];

		sum_rows(nic, d);
		balance(nics, nic, side, &nic->link.stats[d], early[d]);
	}
	nic->fresh = false;
}

int nics_take(struct nics *nics)
{
	uint64_t(*early)[NIC_DIRECTIONS], now;
	size_t known = nics->n;
	uint32_t *ifindex;
	int err = read_counts(nics);

	early = calloc(known + 1, sizeof(*early));
	ifindex = calloc(known + 1, sizeof(*ifindex));
	if (!early || !ifindex)
		err = -ENOMEM;
	for (size_t i = 0; i < known && !err; i++) {
		ifindex[i] = nics->nic[i].link.ifindex;
		for (int d = 0; d < NIC_DIRECTIONS; d++)
			early[i][d] = like(&nics->nic[i],
					   &nics->nic[i].side[d].total);
	}
	if (!err)
		err = nics_scan(nics);
	if (!err)
		err = read_counts(nics);
	now = nb_clock_now();
	nics->duration_ns = now - nics->read_ns;
	nics->read_ns = now;
	/* Those that the scan has found may be anywhere between. */
	for (size_t i = 0, k = 0; i < nics->n && !err; i++) {
		bool was = k < known && ifindex[k] == nics->nic[i].link.ifindex;

		end_interval(nics, &nics->nic[i],
			     was ? early[k] : (uint64_t[2]){ 0 });
		k += was;
	}
	free(early);
	free(ifindex);
	return err;
}

int nics_forget_gone(struct nics *nics)
{
	size_t kept = 0;
	int err = 0;

	for (size_t i = 0; i < nics->n; i++) {
		struct nic *nic = &nics->nic[i];

		if (!nic->gone) {
			nics->nic[kept++] = *nic;
			continue;
		}
		if (!err)
			err = unwant(nics, nic);
		free(nic->rows);
	}
	nics->n = kept;
	return err;
}
