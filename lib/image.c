// SPDX-License-Identifier: Apache-2.0
#include "image.h"

#include <bcc/bcc_version.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#define CACHE_DIR "/var/cache/netbcc"

/*
 * The file: this header, then key (padded to 8), maps, programs, functions,
 * instructions.
 */
struct header {
	uint32_t magic;
	uint32_t version;
	uint64_t length;   /* of the whole image, in bytes */
	uint64_t checksum; /* of everything behind it */
	uint32_t key_len;
	uint32_t map_count;
	uint32_t prog_count;
	uint32_t func_count;
	uint32_t insn_count;
	uint32_t pad; /* zero */
};
_Static_assert(sizeof(struct header) == 48, "stored in files");

/*
 * FNV-1a over 8-byte words of the image of @len bytes at @buf, from key_len on
 * (what stands before is compared with what it must be): finds damage, not
 * malice (root owns the file).
 */
static uint64_t checksum(const void *buf, size_t len)
{
	uint64_t sum = 0xcbf29ce484222325, word;
	const char *p = (const char *)buf + offsetof(struct header, key_len);

	for (len -= offsetof(struct header, key_len); len;
	     p += 8, len -= len < 8 ? len : 8) {
		word = 0;
		memcpy(&word, p, len < 8 ? len : 8);
		sum = (sum ^ word) * 0x100000001b3;
		sum ^= sum >> 29;
	}
	return sum;
}

static size_t align8(size_t n)
{
	return (n + 7) & ~(size_t)7;
}

static size_t total_size(const struct header *h)
{
	return sizeof(*h) + align8(h->key_len) +
	       h->map_count * sizeof(struct nb_image_map) +
	       h->prog_count * sizeof(struct nb_image_prog) +
	       h->func_count * sizeof(struct nb_image_func) +
	       h->insn_count * sizeof(struct bpf_insn);
}

static bool name_ok(const char *name, size_t size)
{
	size_t len = strnlen(name, size);

	if (len == 0 || len == size)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)name[i]) && name[i] != '_')
			return false;
	return true;
}

/* A program's instructions, and that every map they name exists. */
static bool insns_ok(const struct nb_image *img, const struct nb_image_prog *p)
{
	const struct bpf_insn *in = img->insns + p->insn_start;

	for (uint32_t i = 0; i < p->insn_count; i++) {
		if (in[i].code != (BPF_LD | BPF_DW | BPF_IMM))
			continue;
		if (i + 1 == p->insn_count || in[i + 1].code)
			return false;
		if (in[i].src_reg == BPF_PSEUDO_MAP_FD) {
			if (in[i].imm < 0 ||
			    (uint32_t)in[i].imm >= img->map_count)
				return false;
		} else if (in[i].src_reg) {
			return false;
		}
		i++;
	}
	return true;
}

int nb_image_parse(const void *buf, size_t len, struct nb_image *ret_img)
{
	struct nb_image img;
	struct header h;
	const char *p;

	if (len < sizeof(h) || len > NB_IMAGE_MAX)
		return -EBADMSG;
	memcpy(&h, buf, sizeof(h));
	if (h.magic != NB_IMAGE_MAGIC || h.version != NB_IMAGE_VERSION ||
	    h.length != len || h.key_len > NB_IMAGE_MAX ||
	    h.map_count > NB_IMAGE_MAX_MAPS ||
	    h.prog_count > NB_IMAGE_MAX_PROGS ||
	    h.func_count > NB_IMAGE_MAX_FUNCS || h.pad ||
	    h.insn_count > NB_IMAGE_MAX_INSNS || total_size(&h) != len)
		return -EBADMSG;
	if (checksum(buf, len) != h.checksum)
		return -EBADMSG;

	p = (const char *)buf + sizeof(h);
	img.key = p;
	img.key_len = h.key_len;
	img.map_count = h.map_count;
	img.prog_count = h.prog_count;
	img.func_count = h.func_count;
	img.insn_count = h.insn_count;
	p += align8(h.key_len);
	img.maps = (const struct nb_image_map *)p;
	p += h.map_count * sizeof(*img.maps);
	img.progs = (const struct nb_image_prog *)p;
	p += h.prog_count * sizeof(*img.progs);
	img.funcs = (const struct nb_image_func *)p;
	p += h.func_count * sizeof(*img.funcs);
	img.insns = (const struct bpf_insn *)p;

	for (uint32_t i = 0; i < img.map_count; i++)
		if (!name_ok(img.maps[i].name, sizeof(img.maps[i].name)))
			return -EBADMSG;
	for (uint32_t i = 0; i < img.prog_count; i++) {
		const struct nb_image_prog *prog = &img.progs[i];

		if (!name_ok(prog->name, sizeof(prog->name)) ||
		    prog->insn_count == 0 ||
		    prog->insn_start > img.insn_count ||
		    prog->insn_count > img.insn_count - prog->insn_start ||
		    !insns_ok(&img, prog))
			return -EBADMSG;
	}
	for (uint32_t i = 0; i < img.func_count; i++)
		if (!name_ok(img.funcs[i].name, sizeof(img.funcs[i].name)) ||
		    !img.funcs[i].btf_id)
			return -EBADMSG;
	*ret_img = img;
	return 0;
}

/* Where there are no maps, @src may be NULL, which memcpy() may not be given.
 */
static char *put(char *p, const void *src, size_t len)
{
	if (len)
		memcpy(p, src, len);
	return p + align8(len);
}

int nb_image_write(const struct nb_image *img, void **ret_buf, size_t *ret_len)
{
	struct header h = {
		.magic = NB_IMAGE_MAGIC,
		.version = NB_IMAGE_VERSION,
		.key_len = img->key_len,
		.map_count = img->map_count,
		.prog_count = img->prog_count,
		.func_count = img->func_count,
		.insn_count = img->insn_count,
	};
	struct nb_image check;
	char *buf, *p;
	int err;

	h.length = total_size(&h);
	buf = calloc(1, h.length);
	if (!buf)
		return -ENOMEM;
	p = put(buf + sizeof(h), img->key, img->key_len);
	p = put(p, img->maps, img->map_count * sizeof(*img->maps));
	p = put(p, img->progs, img->prog_count * sizeof(*img->progs));
	p = put(p, img->funcs, img->func_count * sizeof(*img->funcs));
	put(p, img->insns, img->insn_count * sizeof(*img->insns));
	memcpy(buf, &h, sizeof(h));
	h.checksum = checksum(buf, h.length);
	memcpy(buf, &h, sizeof(h));

	err = nb_image_parse(buf, h.length, &check);
	if (err) {
		free(buf);
		return -EINVAL;
	}
	*ret_buf = buf;
	*ret_len = h.length;
	return 0;
}

int nb_image_key(const char *text, const char *const *defines, char **ret_key,
		 size_t *ret_len)
{
	const char *source = getenv("BCC_KERNEL_SOURCE");
	struct utsname un;
	struct stat st;
	FILE *f;
	int err;

	if (uname(&un))
		return -errno;
	if (stat("/sys/kernel/btf/vmlinux", &st))
		st.st_size = 0;
	*ret_key = NULL;
	f = open_memstream(ret_key, ret_len);
	if (!f)
		return -ENOMEM;
	fprintf(f, "netbcc %s\nlibbcc %s\nkernel %s %s %s\nbtf %lld\n",
		NB_VERSION, LIBBCC_VERSION, un.release, un.version, un.machine,
		(long long)st.st_size);
	fprintf(f, "source %s\n", source ? source : "");
	for (; *defines; defines++)
		fprintf(f, "define %s\n", *defines);
	fprintf(f, "text\n%s", text);
	err = ferror(f);
	if (fclose(f) || err) {
		free(*ret_key);
		return -ENOMEM;
	}
	return 0;
}

static bool owned_by_root_alone(const struct stat *st)
{
	return st->st_uid == 0 && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

int nb_cache_open(void)
{
	const char *dir = secure_getenv("NETBCC_CACHE");
	struct stat st;
	int fd;

	if (geteuid() != 0)
		return -EPERM;
	if (!dir)
		dir = CACHE_DIR;
	if (dir[0] != '/')
		return -EINVAL;
	if (mkdir(dir, 0700) && errno != EEXIST)
		return -errno;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || !owned_by_root_alone(&st)) {
		close(fd);
		return -EPERM;
	}
	return fd;
}

static int read_full(int fd, char *buf, size_t len)
{
	while (len) {
		ssize_t n = read(fd, buf, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EBADMSG;
		buf += n;
		len -= (size_t)n;
	}
	return 0;
}

int nb_cache_read(int dirfd, const char *name, const char *key, size_t key_len,
		  void **ret_buf, struct nb_image *ret_img)
{
	struct nb_image img;
	void *buf = NULL;
	struct stat st;
	int fd, err;

	fd = openat(dirfd, name,
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = -EPERM;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || !owned_by_root_alone(&st))
		goto out;
	err = -EBADMSG;
	if (st.st_size <= 0 || st.st_size > NB_IMAGE_MAX)
		goto out;
	err = -ENOMEM;
	buf = malloc((size_t)st.st_size);
	if (!buf)
		goto out;
	err = read_full(fd, buf, (size_t)st.st_size);
	if (!err)
		err = nb_image_parse(buf, (size_t)st.st_size, &img);
	if (!err && (img.key_len != key_len || memcmp(img.key, key, key_len)))
		err = -ESTALE;
	if (err)
		goto out;
	*ret_buf = buf;
	*ret_img = img;
	buf = NULL;
out:
	free(buf);
	close(fd);
	return err;
}

static int write_full(int fd, const char *buf, size_t len)
{
	while (len) {
		ssize_t n = write(fd, buf, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		buf += n;
		len -= (size_t)n;
	}
	return 0;
}

/*
 * The file to write: locked, so that of two writers one gives up, and the
 * leftover of a writer that was killed is used again.
 */
static int open_tmp(int dirfd, const char *tmp)
{
	struct stat opened, named;
	int fd;

	fd = openat(dirfd, tmp, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) || fstat(fd, &opened) ||
	    fstatat(dirfd, tmp, &named, AT_SYMLINK_NOFOLLOW) ||
	    opened.st_ino != named.st_ino || !S_ISREG(opened.st_mode) ||
	    !owned_by_root_alone(&opened) || opened.st_nlink != 1) {
		close(fd);
		return -EBUSY;
	}
	return fd;
}

int nb_cache_write(int dirfd, const char *name, const void *buf, size_t len)
{
	char tmp[NAME_MAX + 1];
	int fd, err;

	if (snprintf(tmp, sizeof(tmp), ".%s.tmp", name) >= (int)sizeof(tmp))
		return -ENAMETOOLONG;
	fd = open_tmp(dirfd, tmp);
	if (fd < 0)
		return fd;
	err = ftruncate(fd, 0) ? -errno : write_full(fd, buf, len);
	if (!err && renameat(dirfd, tmp, dirfd, name))
		err = -errno;
	if (err)
		unlinkat(dirfd, tmp, 0);
	close(fd);
	return err;
}
