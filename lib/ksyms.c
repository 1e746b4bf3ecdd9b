// SPDX-License-Identifier: Apache-2.0
#include "ksyms.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Addresses that are remembered: what a kernel drops packets at is few. */
#define ROOM 1024

struct known {
	uint64_t addr;
	uint64_t start; /* of the function; 0: it is in none */
	char *name;
};

struct nb_ksyms {
	FILE *file;
	struct known known[ROOM];
	size_t n;
};

void nb_ksyms_free(struct nb_ksyms *k)
{
	if (!k)
		return;
	for (size_t i = 0; i < k->n; i++)
		free(k->known[i].name);
	if (k->file)
		fclose(k->file);
	free(k);
}

/* "ffffffff81000000 T _stext [module]": is it code? Of a data symbol, no. */
static int parse(const char *line, uint64_t *addr, char *name, size_t size)
{
	char *end, type;
	size_t len;

	*addr = strtoull(line, &end, 16);
	if (end == line || end[0] != ' ' || !end[1] || end[2] != ' ')
		return 0;
	type = end[1];
	len = strcspn(end + 3, "\t \n");
	if (len >= size)
		len = size - 1;
	memcpy(name, end + 3, len);
	name[len] = '\0';
	return strchr("tTwW", type) && len;
}

int nb_ksyms_new(struct nb_ksyms **ret)
{
	struct nb_ksyms *k = calloc(1, sizeof(*k));
	char line[1024], name[NB_KSYM_STRLEN];
	uint64_t addr, all = 0;
	int err = 0, code = 0;

	if (!k)
		return -ENOMEM;
	k->file = fopen("/proc/kallsyms", "re");
	if (!k->file)
		err = -errno;
	/* It may begin with some hundreds that are no code. */
	while (!err && !all && code < 64 &&
	       fgets(line, sizeof(line), k->file)) {
		if (!parse(line, &addr, name, sizeof(name)))
			continue;
		all |= addr;
		code++;
	}
	if (!err && !all)
		err = -EPERM;
	if (err)
		nb_ksyms_free(k);
	else
		*ret = k;
	return err;
}

static struct known *find(struct nb_ksyms *k, uint64_t addr)
{
	for (size_t i = 0; i < k->n; i++)
		if (k->known[i].addr == addr)
			return &k->known[i];
	return NULL;
}

/* Add those that are not there yet. Returns how many. */
static size_t add(struct nb_ksyms *k, const uint64_t *addr, size_t n)
{
	size_t before = k->n;

	for (size_t i = 0; i < n && k->n < ROOM; i++)
		if (!find(k, addr[i]))
			k->known[k->n++] = (struct known){ .addr = addr[i] };
	return k->n - before;
}

/* Where the function of each of the last @n begins. */
static void find_starts(struct nb_ksyms *k, size_t n)
{
	char line[1024], name[NB_KSYM_STRLEN];
	uint64_t start;

	rewind(k->file);
	while (fgets(line, sizeof(line), k->file)) {
		if (!parse(line, &start, name, sizeof(name)))
			continue;
		for (size_t i = k->n - n; i < k->n; i++)
			if (start <= k->known[i].addr &&
			    start > k->known[i].start)
				k->known[i].start = start;
	}
}

/* Look for the last @n: of each, the nearest function at or below. */
static void look_up(struct nb_ksyms *k, size_t n)
{
	char line[1024], name[NB_KSYM_STRLEN];
	uint64_t start;

	find_starts(k, n);
	rewind(k->file);
	while (fgets(line, sizeof(line), k->file)) {
		if (!parse(line, &start, name, sizeof(name)))
			continue;
		for (size_t i = k->n - n; i < k->n; i++)
			if (start == k->known[i].start && start &&
			    !k->known[i].name)
				k->known[i].name = strdup(name);
	}
}

size_t nb_ksyms_format(struct nb_ksyms *k, const uint64_t *addr, size_t n,
		       char *buf, size_t size)
{
	size_t added, len = 0;

	if (k->n + n > ROOM) {
		for (size_t i = 0; i < k->n; i++)
			free(k->known[i].name);
		k->n = 0;
	}
	added = add(k, addr, n);
	if (added)
		look_up(k, added);
	buf[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		const struct known *known = find(k, addr[i]);
		const char *gap = i ? ";" : "";
		char frame[NB_KSYM_STRLEN];
		size_t more;

		if (known && known->name)
			snprintf(frame, sizeof(frame), "%s%s+0x%" PRIx64, gap,
				 known->name, addr[i] - known->start);
		else
			snprintf(frame, sizeof(frame), "%s0x%" PRIx64, gap,
				 addr[i]);
		more = strlen(frame);
		if (len + more >= size)
			break;
		memcpy(buf + len, frame, more + 1);
		len += more;
	}
	return len;
}
