// SPDX-License-Identifier: Apache-2.0
#include "stacks.h"

#include <search.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* What tsearch(3) and malloc(3) take for each, about. */
#define NODE_BYTES 64

static int compare_texts(const char *a, const char *b)
{
	if (!a || !b)
		return !!a - !!b;
	return strcmp(a, b);
}

static int compare_shared(const void *a, const void *b)
{
	const struct http_shared *x = a, *y = b;
	int diff = strcmp(x->name, y->name);

	if (!diff)
		diff = compare_texts(x->file, y->file);
	if (!diff)
		diff = (x->line > y->line) - (x->line < y->line);
	return diff;
}

static int compare_stacked(const void *a, const void *b)
{
	const struct http_stacked *x = a, *y = b;
	int diff = memcmp(&x->whose, &y->whose, sizeof(x->whose));

	if (!diff)
		diff = (x->n > y->n) - (x->n < y->n);
	if (!diff)
		diff = memcmp(x->frame, y->frame, x->n * sizeof(x->frame[0]));
	return diff;
}

/* Make room in the array *@list for one more than @n. */
static bool grow(void *list, uint32_t n)
{
	void **old = list, *new;

	if (n & (n - 1))
		return true; /* it grows when it has 0, 1, 2, 4, ... */
	new = realloc(*old, (n ? 2 * (size_t)n : 1) * sizeof(void *));
	if (new)
		*old = new;
	return new;
}

static bool has_room(struct http_stacks *stacks, size_t bytes)
{
	return stacks->bytes + bytes + NODE_BYTES <= stacks->max_bytes;
}

/* A copy of @key and its texts, in one piece. */
static struct http_shared *copy_shared(const struct http_shared *key,
				       const char *text, size_t *ret_bytes)
{
	size_t name = strlen(key->name) + 1, shown = strlen(text) + 1;
	size_t file = key->file ? strlen(key->file) + 1 : 0;
	struct http_shared *f;
	char *to;

	*ret_bytes = sizeof(*f) + name + shown + file;
	f = malloc(*ret_bytes);
	if (!f)
		return NULL;
	*f = *key;
	to = (char *)(f + 1);
	f->name = memcpy(to, key->name, name);
	f->text = memcpy(to + name, text, shown);
	if (file)
		f->file = memcpy(to + name + shown, key->file, file);
	return f;
}

/* The shared frame that is like @frame; NULL when there is no room for it. */
static const struct http_shared *share(struct http_stacks *stacks,
				       const struct http_frame *frame)
{
	const struct http_shared key = { .id = stacks->nshared,
					 .line = frame->line,
					 .name = frame->name,
					 .file = frame->file };
	struct http_shared *f, **found;
	char text[HTTP_FRAME_STRLEN];
	size_t bytes;

	found = tfind(&key, &stacks->shared_tree, compare_shared);
	if (found)
		return *found;
	http_frame_format(frame, text);
	f = copy_shared(&key, text, &bytes);
	if (!f)
		return NULL;
	if (!has_room(stacks, bytes) ||
	    !grow(&stacks->shared, stacks->nshared) ||
	    !tsearch(f, &stacks->shared_tree, compare_shared)) {
		free(f);
		return NULL;
	}
	stacks->bytes += bytes + NODE_BYTES;
	stacks->shared[stacks->nshared++] = f;
	return f;
}

/* That stack as shared frames, in @ret, which has room for two more. */
static bool share_all(struct http_stacks *stacks,
		      const struct http_frames *frames,
		      struct http_stacked *ret)
{
	static const struct http_frame none = { .name = "[no stack]" };
	static const struct http_frame more = { .name = "[more]" };

	ret->n = 0;
	for (size_t i = 0; i < frames->n; i++)
		ret->frame[ret->n++] = share(stacks, &frames->f[i]);
	if (!frames->n)
		ret->frame[ret->n++] = share(stacks, &none);
	if (frames->truncated)
		ret->frame[ret->n++] = share(stacks, &more);
	for (uint32_t i = 0; i < ret->n; i++)
		if (!ret->frame[i])
			return false;
	return true;
}

/* The one like @key, an old or a new one; NULL when there is no room. */
static struct http_stacked *find(struct http_stacks *stacks,
				 const struct http_stacked *key)
{
	size_t bytes = sizeof(*key) + key->n * sizeof(key->frame[0]);
	struct http_stacked **found, *s;

	found = tfind(key, &stacks->stacked_tree, compare_stacked);
	if (found)
		return *found;
	if (!has_room(stacks, bytes))
		return NULL;
	s = malloc(bytes);
	if (!s)
		return NULL;
	memcpy(s, key, bytes);
	if (!grow(&stacks->stacked, stacks->nstacked) ||
	    !tsearch(s, &stacks->stacked_tree, compare_stacked)) {
		free(s);
		return NULL;
	}
	stacks->bytes += bytes + NODE_BYTES;
	stacks->stacked[stacks->nstacked++] = s;
	s->id = stacks->nstacked;
	return s;
}

uint32_t http_stacks_add(struct http_stacks *stacks,
			 const struct http_whose *whose,
			 const struct http_frames *frames, uint64_t us)
{
	struct {
		struct http_stacked key;
		const struct http_shared *frame[HTTP_FRAMES_MAX + 2];
	} room = { .key.whose = *whose };
	_Static_assert(offsetof(struct http_stacked, frame) ==
			       sizeof(struct http_stacked),
		       "the frames follow the key");
	struct http_stacked *s = NULL;

	if (share_all(stacks, frames, &room.key))
		s = find(stacks, &room.key);
	if (s) {
		s->us += us;
		return s->id;
	}
	stacks->others_us[whose->server] += us;
	stacks->others++;
	return 0;
}

static void keep(void *node)
{
	(void)node;
}

void http_stacks_free(struct http_stacks *stacks)
{
	tdestroy(stacks->shared_tree, keep);
	tdestroy(stacks->stacked_tree, keep);
	for (uint32_t i = 0; i < stacks->nshared; i++)
		free((void *)stacks->shared[i]);
	for (uint32_t i = 0; i < stacks->nstacked; i++)
		free(stacks->stacked[i]);
	free(stacks->shared);
	free(stacks->stacked);
	memset(stacks, 0, sizeof(*stacks));
}
