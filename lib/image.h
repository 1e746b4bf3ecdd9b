/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program image: what one compilation yields (maps and instructions), and
 * the cache that keeps it. An image is hostile until nb_image_parse() has
 * accepted it.
 */
#ifndef NB_IMAGE_H
#define NB_IMAGE_H

#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>

#define NB_IMAGE_MAGIC 0x6363626e /* "nbcc", in the machine's byte order */
#define NB_IMAGE_VERSION 3
#define NB_IMAGE_MAX (16u << 20) /* bytes; a larger image is refused */
#define NB_IMAGE_MAX_MAPS 64
#define NB_IMAGE_MAX_PROGS 64
#define NB_IMAGE_MAX_FUNCS 64
#define NB_IMAGE_MAX_INSNS 1000000 /* the kernel's limit (linux/bpf.h) */

/* This define makes netbcc-cc take types from headers, whatever BTF offers. */
#define NB_DEFINE_HEADERS "NB_TYPES_HEADERS"

/* One map. Sizes are in bytes; a ring buffer's max_entries is its size. */
struct nb_image_map {
	char name[32]; /* NUL-terminated identifier */
	uint32_t type; /* enum bpf_map_type */
	uint32_t key_size;
	uint32_t value_size;
	uint32_t max_entries;
	uint32_t flags;
	uint32_t pad;
};
_Static_assert(sizeof(struct nb_image_map) == 56, "stored in files");

/* One program: @insn_count instructions from @insn_start of the image. */
struct nb_image_prog {
	char name[56]; /* NUL-terminated identifier */
	uint32_t insn_start;
	uint32_t insn_count;
};
_Static_assert(sizeof(struct nb_image_prog) == 64, "stored in files");

/* A function of the kernel's that a program can be attached to. */
struct nb_image_func {
	char name[56];	 /* NUL-terminated identifier */
	uint32_t btf_id; /* in the kernel's BTF, from 1 */
	uint32_t args;	 /* how many it takes */
};
_Static_assert(sizeof(struct nb_image_func) == 64, "stored in files");

/*
 * An image in memory. In @insns a map is the pair ld_imm64 with src_reg
 * BPF_PSEUDO_MAP_FD whose imm is the map's index in @maps (where a loaded
 * program has the map's descriptor).
 */
struct nb_image {
	const char *key;  /* what the image was made from and for */
	uint32_t key_len; /* bytes */
	uint32_t map_count;
	uint32_t prog_count;
	uint32_t func_count;
	uint32_t insn_count;
	const struct nb_image_map *maps;
	const struct nb_image_prog *progs;
	const struct nb_image_func *funcs;
	const struct bpf_insn *insns;
};

/*
 * Serialise @img. 0, -EINVAL when nb_image_parse() would refuse the result, or
 * -ENOMEM. On success the caller frees *ret_buf with free(); *ret_len is in
 * bytes.
 */
int nb_image_write(const struct nb_image *img, void **ret_buf, size_t *ret_len);

/*
 * Check the @len bytes at @buf (8-byte aligned) and point @ret_img into them.
 * 0, or -EBADMSG when anything is out of place: magic, version, length,
 * checksum, counts, offsets, names, map references. The pointers live as long
 * as @buf.
 */
int nb_image_parse(const void *buf, size_t len, struct nb_image *ret_img);

/*
 * The key of what compiling @text (NUL-terminated) with @defines
 * ("NAME" or "NAME=VALUE", NULL-terminated array) on this kernel yields: the
 * text and defines themselves, the kernel's release, version and machine, the
 * size of its BTF, the value of BCC_KERNEL_SOURCE, and libbcc's version at
 * build time. 0, -ENOMEM or uname's -errno. The caller frees *ret_key with
 * free(); *ret_len is in bytes.
 */
int nb_image_key(const char *text, const char *const *defines, char **ret_key,
		 size_t *ret_len);

/*
 * Open the cache directory: $NETBCC_CACHE, or /var/cache/netbcc, made when it
 * is missing (mode 0700). It must belong to root, as this process must, and
 * must not be writable by others. A descriptor (close-on-exec), or -EPERM when
 * it can't be trusted, -EINVAL when NETBCC_CACHE is no absolute path, or
 * another -errno.
 */
int nb_cache_open(void);

/*
 * Read the image @name from the cache @dirfd if its key is the @key_len bytes
 * at @key. 0; -ENOENT when there is none; -ESTALE when it was made from
 * something else; -EPERM when the file is not root's own; -EBADMSG when it is
 * damaged; or another -errno. On success the caller frees *ret_buf with
 * free(), after its last use of @ret_img.
 */
int nb_cache_read(int dirfd, const char *name, const char *key, size_t key_len,
		  void **ret_buf, struct nb_image *ret_img);

/*
 * Put the @len bytes of an image at @buf into the cache as @name, replacing
 * what is there in one rename. 0; -EBUSY while another process writes it; or
 * another -errno (a full or read-only disk leaves the cache as it was).
 */
int nb_cache_write(int dirfd, const char *name, const void *buf, size_t len);

#endif
