// SPDX-License-Identifier: Apache-2.0
#include "maps.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * The file itself, by the kernel's link to it, which takes CAP_SYS_ADMIN or
 * CAP_CHECKPOINT_RESTORE; or what is at its name in the process's own mount
 * namespace, if it still is that file. A descriptor or -errno.
 */
static int open_file(pid_t pid, const struct http_map_line *line)
{
	char path[64 + 4096];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/map_files/%" PRIx64 "-%" PRIx64,
		 pid, line->start, line->end);
	/* Reading a device or a FIFO is not for us to do. */
	if (!stat(path, &st) && !S_ISREG(st.st_mode))
		return -EINVAL;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd >= 0)
		return fd;
	snprintf(path, sizeof(path), "/proc/%d/root/%s", pid, line->path);
	if (stat(path, &st) || !S_ISREG(st.st_mode))
		return -ENOENT;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -errno;
	/* Some file systems have another device in maps than in stat(2). */
	if (fstat(fd, &st) || st.st_ino != line->inode) {
		close(fd);
		return -ESTALE;
	}
	return fd;
}

static bool is_same(const struct http_map *map,
		    const struct http_map_line *line)
{
	return map->start == line->start && map->end == line->end &&
	       map->offset == line->offset && map->inode == line->inode &&
	       map->dev == line->dev && !strcmp(map->path, line->path);
}

/* Which file is it? 0 or -errno. */
static int get_binary(struct http_binaries *binaries, pid_t pid,
		      const struct http_map_line *line,
		      struct http_binary **ret)
{
	int fd;

	if (!strcmp(line->path, "[vdso]"))
		return http_binary_get_vdso(binaries, ret);
	fd = open_file(pid, line);
	if (fd < 0)
		return fd;
	return http_binary_get(binaries, fd, ret);
}

static bool has_file(const struct http_map_line *line)
{
	return line->inode || !strcmp(line->path, "[vdso]");
}

/* Fill in what it is a mapping of. */
static void open_map(struct http_map *map, struct http_binaries *binaries,
		     pid_t pid, const struct http_map_line *line)
{
	if (!has_file(line)) {
		map->jit = strcmp(line->path, "[vsyscall]");
		return;
	}
	if (get_binary(binaries, pid, line, &map->binary))
		return;
	map->jit = http_binary_bias(map->binary, map->start, map->offset,
				    map->end - map->start, &map->bias);
}

/* Room for one more. 0 or -errno. */
static int grow(struct http_maps *maps)
{
	size_t room = maps->room ? 2 * maps->room : 16;
	struct http_map *more;

	if (maps->n < maps->room)
		return 0;
	more = realloc(maps->map, room * sizeof(*more));
	if (!more)
		return -ENOMEM;
	maps->map = more;
	maps->room = room;
	return 0;
}

/* Put what @line says behind the others. 0 or -errno. */
static int add(struct http_maps *maps, const struct http_maps *old,
	       struct http_binaries *binaries, pid_t pid,
	       const struct http_map_line *line)
{
	const struct http_map *known = http_maps_find(old, line->start);
	struct http_map map = {
		.start = line->start,
		.end = line->end,
		.offset = line->offset,
		.dev = line->dev,
		.inode = line->inode,
	};

	if (maps->n == HTTP_MAPS_MAX) {
		maps->dropped++;
		return 0;
	}
	map.path = strdup(line->path);
	if (!map.path || grow(maps)) {
		free(map.path);
		return -ENOMEM;
	}
	if (known && is_same(known, line) &&
	    (known->binary || !has_file(line))) {
		map.binary = known->binary;
		map.bias = known->bias;
		map.jit = known->jit;
		if (map.binary)
			http_binary_hold(map.binary);
	} else {
		open_map(&map, binaries, pid, line);
	}
	maps->unopened += has_file(line) && !map.binary;
	maps->map[maps->n++] = map;
	return 0;
}

/* Are both the same, and is there nothing that may be opened by now? */
static bool are_same(const struct http_maps *a, const struct http_maps *b)
{
	if (a->n != b->n || a->unopened)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (a->map[i].start != b->map[i].start ||
		    a->map[i].end != b->map[i].end ||
		    a->map[i].binary != b->map[i].binary ||
		    a->map[i].bias != b->map[i].bias)
			return false;
	return true;
}

int http_maps_read(struct http_maps *maps, struct http_binaries *binaries,
		   pid_t pid, bool *ret_changed)
{
	struct http_maps now = { 0 };
	struct http_map_line parsed;
	char path[32], *line = NULL;
	size_t size = 0;
	int err = 0;
	FILE *f;

	*ret_changed = false;
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	f = fopen(path, "re");
	if (!f)
		return errno == ENOENT ? -ESRCH : -errno;
	errno = 0;
	while (!err && getline(&line, &size, f) > 0)
		if (!http_maps_parse(line, &parsed) && parsed.exec)
			err = add(&now, maps, binaries, pid, &parsed);
	if (!err && ferror(f))
		err = errno ? -errno : -EIO;
	/* One that is ending has none left. */
	if (!err && !now.n)
		err = -ESRCH;
	free(line);
	fclose(f);
	if (err || are_same(maps, &now)) {
		http_maps_free(&now, binaries);
		return err;
	}
	http_maps_free(maps, binaries);
	*maps = now;
	*ret_changed = true;
	return 0;
}

const struct http_map *http_maps_find(const struct http_maps *maps,
				      uint64_t addr)
{
	size_t low = 0, high = maps->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (maps->map[mid].end <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low < maps->n && maps->map[low].start <= addr ? &maps->map[low]
							     : NULL;
}

int http_map_vaddr(const struct http_map *map, uint64_t addr, uint64_t *ret)
{
	if (!map->binary)
		return -ENOENT;
	return http_binary_vaddr(map->binary, map->offset + (addr - map->start),
				 ret);
}

void http_map_label(const struct http_map *map, char *buf, size_t size)
{
	static const char deleted[] = " (deleted)";
	const char *base = map ? strrchr(map->path, '/') : NULL;
	size_t len;

	if (!map || (!base && *map->path != '[') || map->jit) {
		snprintf(buf, size, "[unknown]");
		return;
	}
	if (!base) { /* "[vdso]" */
		snprintf(buf, size, "%s", map->path);
		return;
	}
	len = strlen(++base);
	if (len > sizeof(deleted) - 1 &&
	    !strcmp(base + len - (sizeof(deleted) - 1), deleted))
		len -= sizeof(deleted) - 1;
	snprintf(buf, size, "[%.*s]", (int)len, base);
}

void http_maps_free(struct http_maps *maps, struct http_binaries *binaries)
{
	for (size_t i = 0; i < maps->n; i++) {
		http_binary_put(binaries, maps->map[i].binary);
		free(maps->map[i].path);
	}
	free(maps->map);
	memset(maps, 0, sizeof(*maps));
}
