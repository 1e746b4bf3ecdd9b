// SPDX-License-Identifier: Apache-2.0
#include "frames.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

#define TEXT_ROOM (32 * 1024)

/* Texts do not move while frames point to them: there are more rooms then. */
struct http_text {
	struct http_text *next;
	size_t used;
	char bytes[TEXT_ROOM];
};

void http_frames_clear(struct http_frames *frames)
{
	struct http_text *room;

	while ((room = frames->text)) {
		frames->text = room->next;
		room->next = frames->spare;
		frames->spare = room;
	}
	frames->n = 0;
	frames->truncated = false;
}

static struct http_text *add_room(struct http_frames *frames)
{
	struct http_text *room = frames->spare;

	if (room)
		frames->spare = room->next;
	else
		room = malloc(sizeof(*room));
	if (!room)
		return NULL;
	room->used = 0;
	room->next = frames->text;
	frames->text = room;
	return room;
}

/* How much of @text is kept. */
static size_t kept(const char *text)
{
	size_t len = strnlen(text, HTTP_TEXT_MAX);

	if (len < HTTP_TEXT_MAX)
		return len;
	len--;
	while (len > HTTP_TEXT_MAX - 4 && (text[len] & 0xc0) == 0x80)
		len--;
	return len;
}

/* A copy of @text, which may be NULL; NULL also when there is no memory. */
static const char *copy_text(struct http_frames *frames, const char *text)
{
	struct http_text *room = frames->text;
	size_t len;
	char *copy;

	if (!text)
		return NULL;
	len = kept(text);
	if (!room || room->used + len + 1 > TEXT_ROOM)
		room = add_room(frames);
	if (!room)
		return NULL;
	copy = room->bytes + room->used;
	memcpy(copy, text, len);
	copy[len] = '\0';
	room->used += len + 1;
	return copy;
}

int http_frames_add(struct http_frames *frames, const struct http_frame *frame)
{
	struct http_frame *f = &frames->f[frames->n];

	if (frames->n == HTTP_FRAMES_MAX) {
		frames->truncated = true;
		return -ENOSPC;
	}
	*f = *frame;
	f->name = copy_text(frames, frame->name && *frame->name ? frame->name
								: "[unknown]");
	f->file = copy_text(frames, frame->file);
	if (!f->name || !f->file != !frame->file)
		return -ENOMEM;
	frames->n++;
	return 0;
}

static void free_rooms(struct http_text *room)
{
	while (room) {
		struct http_text *next = room->next;

		free(room);
		room = next;
	}
}

void http_frames_free(struct http_frames *frames)
{
	free_rooms(frames->text);
	free_rooms(frames->spare);
	memset(frames, 0, sizeof(*frames));
}

const char *http_frame_base(const char *file)
{
	const char *slash = strrchr(file, '/');

	return slash && slash[1] ? slash + 1 : file;
}

size_t http_frame_format(const struct http_frame *frame, char *buf)
{
	const char *file = frame->file && *frame->file
				   ? http_frame_base(frame->file)
				   : NULL;

	if (file && frame->line)
		snprintf(buf, HTTP_FRAME_STRLEN, "%s (%s:%u)", frame->name,
			 file, frame->line);
	else if (file)
		snprintf(buf, HTTP_FRAME_STRLEN, "%s (%s)", frame->name, file);
	else
		snprintf(buf, HTTP_FRAME_STRLEN, "%s", frame->name);
	return nb_utf8_clean(buf);
}
