// SPDX-License-Identifier: Apache-2.0
/*
 * Of code that was made where other code was before, what is there now: the
 * lines of a perf map as if painted one over another.
 */
#include <errno.h>
#include <stdlib.h>

#include "perfmap.h"

/* Those over the place that has been reached, the latest one on top. */
struct heap {
	const struct http_jit **item;
	size_t n;
};

static void swap(struct heap *h, size_t a, size_t b)
{
	const struct http_jit *item = h->item[a];

	h->item[a] = h->item[b];
	h->item[b] = item;
}

static void push(struct heap *h, const struct http_jit *jit)
{
	size_t i = h->n++;

	h->item[i] = jit;
	while (i && h->item[(i - 1) / 2]->turn < h->item[i]->turn) {
		swap(h, i, (i - 1) / 2);
		i = (i - 1) / 2;
	}
}

static void pop(struct heap *h)
{
	size_t i = 0, child;

	h->item[0] = h->item[--h->n];
	while ((child = 2 * i + 1) < h->n) {
		if (child + 1 < h->n &&
		    h->item[child + 1]->turn > h->item[child]->turn)
			child++;
		if (h->item[child]->turn <= h->item[i]->turn)
			return;
		swap(h, i, child);
		i = child;
	}
}

static int compare(const void *a, const void *b)
{
	const struct http_jit *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->turn < y->turn ? -1 : x->turn > y->turn;
}

/* Put that part of @jit behind the others, or make the last one longer. */
static void emit(struct http_perfmap *out, const struct http_jit *jit,
		 uint64_t start, uint64_t end)
{
	struct http_jit *last = out->n ? &out->jit[out->n - 1] : NULL;

	if (last && last->turn == jit->turn && last->end == start) {
		last->end = end;
		return;
	}
	out->jit[out->n] = *jit;
	out->jit[out->n].start = start;
	out->jit[out->n++].end = end;
}

/* From the sorted map->jit to out->jit, with room for two of each. */
static void paint(const struct http_perfmap *map, struct heap *heap,
		  struct http_perfmap *out)
{
	uint64_t at = 0, next;
	size_t i = 0;

	for (;;) {
		while (heap->n && heap->item[0]->end <= at)
			pop(heap);
		if (!heap->n && i == map->n)
			return;
		if (!heap->n)
			at = map->jit[i].start;
		while (i < map->n && map->jit[i].start == at)
			push(heap, &map->jit[i++]);
		next = heap->item[0]->end;
		if (i < map->n && map->jit[i].start < next)
			next = map->jit[i].start;
		emit(out, heap->item[0], at, next);
		at = next;
	}
}

int http_perfmap_sort(struct http_perfmap *map)
{
	struct http_perfmap out = { .n = 0 };
	struct heap heap = { .n = 0 };

	out.room = 2 * map->n + 1;
	out.jit = malloc(out.room * sizeof(*out.jit));
	heap.item = malloc((map->n + 1) * sizeof(*heap.item));
	if (!out.jit || !heap.item) {
		free(out.jit);
		free(heap.item);
		return -ENOMEM;
	}
	if (map->n)
		qsort(map->jit, map->n, sizeof(*map->jit), compare);
	paint(map, &heap, &out);
	free(heap.item);
	free(map->jit);
	map->jit = out.jit;
	map->n = out.n;
	map->room = out.room;
	map->sorted = map->n;
	return 0;
}
