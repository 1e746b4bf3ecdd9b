// SPDX-License-Identifier: Apache-2.0
#include "perfmap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_MAX_LEN 1023
#define CHUNK 65536

/* A number in hexadecimal that a blank ends, behind which *s is then. */
static bool number(const char **s, const char *end, uint64_t *ret)
{
	const char *p = *s;
	uint64_t n = 0;
	int digits = 0;

	if (end - p > 2 && p[0] == '0' && p[1] == 'x')
		p += 2;
	for (; p < end && *p != ' '; p++, digits++) {
		int digit = *p >= '0' && *p <= '9'   ? *p - '0'
			    : *p >= 'a' && *p <= 'f' ? *p - 'a' + 10
			    : *p >= 'A' && *p <= 'F' ? *p - 'A' + 10
						     : -1;

		if (digit < 0 || digits == 16)
			return false;
		n = n << 4 | (unsigned)digit;
	}
	if (!digits || p == end)
		return false;
	*ret = n;
	*s = p + 1;
	return true;
}

/* Room for one more, and for @len bytes of text. 0 or -errno. */
static int grow(struct http_perfmap *map, size_t len)
{
	if (map->n == map->room) {
		size_t room = map->room ? 2 * map->room : 256;
		struct http_jit *more = realloc(map->jit, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		map->jit = more;
		map->room = room;
	}
	if (map->text_room - map->text_len < len) {
		size_t room = 2 * map->text_room + len + 4096;
		char *more = realloc(map->text, room);

		if (!more)
			return -ENOMEM;
		map->text = more;
		map->text_room = room;
	}
	return 0;
}

/* "7f1200 4a name of it", without a newline. 0 or -ENOMEM. */
static int add_line(struct http_perfmap *map, const char *s, const char *end)
{
	uint64_t start, size;
	size_t len;

	if (!number(&s, end, &start) || !number(&s, end, &size) || !size ||
	    start + size < start || s == end || memchr(s, '\0', end - s)) {
		map->bad++;
		return 0;
	}
	if (map->turn == HTTP_PERFMAP_LINES) {
		map->dropped++;
		return 0;
	}
	len = (size_t)(end - s);
	if (len > NAME_MAX_LEN)
		len = NAME_MAX_LEN;
	if (grow(map, len + 1))
		return -ENOMEM;
	memcpy(map->text + map->text_len, s, len);
	map->text[map->text_len + len] = '\0';
	map->jit[map->n++] = (struct http_jit){
		.start = start,
		.end = start + size,
		.name = map->text_len,
		.turn = map->turn++,
	};
	map->text_len += len + 1;
	return 0;
}

int http_perfmap_parse(struct http_perfmap *map, const char *text, size_t len)
{
	const char *end = text + len;
	int err = 0;

	while (!err && text < end) {
		const char *nl = memchr(text, '\n', (size_t)(end - text));

		if (!nl)
			nl = end;
		err = add_line(map, text, nl);
		text = nl + 1;
	}
	return err;
}

const char *http_perfmap_find(struct http_perfmap *map, uint64_t addr)
{
	size_t low = 0, high;

	if (map->sorted != map->n && http_perfmap_sort(map))
		return NULL;
	high = map->n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (map->jit[mid].end <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low < map->n && map->jit[low].start <= addr
		       ? map->text + map->jit[low].name
		       : NULL;
}

static void forget(struct http_perfmap *map)
{
	map->n = 0;
	map->sorted = 0;
	map->text_len = 0;
	map->read = 0;
	map->turn = 0;
}

/* The number that the process has in its own namespace; @uid: its user. */
static int read_status(pid_t pid, int *own, uid_t *uid)
{
	char path[32], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	*own = pid;
	*uid = (uid_t)-1;
	while (fgets(line, sizeof(line), f)) {
		char *last = strrchr(line, '\t');

		if (!strncmp(line, "NSpid:", 6) && last)
			*own = atoi(last);
		else if (!strncmp(line, "Uid:", 4))
			sscanf(line, "Uid:\t%*u\t%u", uid);
	}
	fclose(f);
	return 0;
}

/* A descriptor, or -errno. */
static int open_map(pid_t pid)
{
	char path[64];
	struct stat st;
	uid_t uid = 0;
	int own = 0, fd, err = read_status(pid, &own, &uid);

	if (err)
		return err;
	snprintf(path, sizeof(path), "/proc/%d/root/tmp/perf-%d.map", pid, own);
	fd = open(path,
		  O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		err = -errno;
	else if (!S_ISREG(st.st_mode) || (st.st_uid && st.st_uid != uid))
		err = -EPERM;
	if (!err)
		return fd;
	close(fd);
	return err;
}

/* Up to the last whole line of what there is. 0 or -errno. */
static int read_more(struct http_perfmap *map, uint64_t size)
{
	static char chunk[CHUNK];
	ssize_t n;
	char *nl;
	int err = 0;

	if (size > HTTP_PERFMAP_MAX)
		size = HTTP_PERFMAP_MAX;
	while (!err && map->read < size) {
		n = pread(map->fd, chunk, sizeof(chunk), (off_t)map->read);
		if (n <= 0)
			break;
		nl = memrchr(chunk, '\n', (size_t)n);
		if (!nl && n < CHUNK)
			break; /* it is still being written */
		if (nl)
			n = nl + 1 - chunk;
		err = http_perfmap_parse(map, chunk, (size_t)n);
		map->read += (uint64_t)n;
	}
	return err || map->sorted == map->n ? err : http_perfmap_sort(map);
}

int http_perfmap_read(struct http_perfmap *map, pid_t pid)
{
	int fd = open_map(pid);
	struct stat st;

	/* Of a process that has ended there is what was open before. */
	if (fd < 0 && map->fd < 0)
		return fd;
	if (fd >= 0) {
		if (map->fd >= 0)
			close(map->fd);
		map->fd = fd;
	}
	if (fstat(map->fd, &st))
		return -errno;
	if (st.st_ino != map->inode || (uint64_t)st.st_size < map->read)
		forget(map);
	map->inode = st.st_ino;
	return read_more(map, (uint64_t)st.st_size);
}

void http_perfmap_free(struct http_perfmap *map)
{
	if (map->fd >= 0)
		close(map->fd);
	free(map->jit);
	free(map->text);
	*map = (struct http_perfmap){ .fd = -1 };
}
