// SPDX-License-Identifier: Apache-2.0
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define ATTEMPTS 16

/* Is there nothing of that name but what may be replaced? 0 or -errno. */
static int check_old(int dir, const char *name)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : -errno;
	return S_ISREG(st.st_mode) ? 0 : -EEXIST;
}

/* A hidden name next to the file's, which nobody can know before. */
static int make_name(struct http_file *file)
{
	const char *base = strrchr(file->name, '/');
	uint64_t random;
	int len;

	base = base ? base + 1 : file->name;
	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return -EIO;
	len = snprintf(file->temporary, sizeof(file->temporary),
		       "%.*s.%.200s.%016llx", (int)(base - file->name),
		       file->name, base, (unsigned long long)random);
	return len < 0 || (size_t)len >= sizeof(file->temporary) ? -ENAMETOOLONG
								 : 0;
}

int http_file_begin(int dir, const char *name, struct http_file *ret)
{
	int err = check_old(dir, name), fd;

	ret->dir = dir;
	ret->name = name;
	for (int i = 0; !err && i < ATTEMPTS; i++) {
		err = make_name(ret);
		if (err)
			break;
		fd = openat(dir, ret->temporary,
			    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
				    O_CLOEXEC,
			    0644);
		if (fd >= 0)
			return fd;
		if (errno != EEXIST)
			err = -errno;
	}
	return err ? err : -EAGAIN;
}

int http_file_commit(struct http_file *file, int err)
{
	if (!err)
		err = check_old(file->dir, file->name);
	if (!err && renameat(file->dir, file->temporary, file->dir, file->name))
		err = -errno;
	if (err)
		unlinkat(file->dir, file->temporary, 0);
	return err;
}

int http_file_replace(int dir, const char *name,
		      int (*write)(FILE *out, void *ctx), void *ctx)
{
	struct http_file file;
	int fd = http_file_begin(dir, name, &file), err = 0;
	FILE *out;

	if (fd < 0)
		return fd;
	out = fdopen(fd, "w");
	if (!out) {
		close(fd);
		return http_file_commit(&file, -ENOMEM);
	}
	err = write(out, ctx);
	if (fclose(out) && !err)
		err = -errno;
	return http_file_commit(&file, err);
}
