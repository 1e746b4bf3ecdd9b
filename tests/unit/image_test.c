// SPDX-License-Identifier: Apache-2.0
#include "image.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "test.h"

/* The length is no multiple of 8, so that there is padding to damage. */
static const char key[] = "a key of 19 bytes..";
#define KEY_LEN 19

static const struct nb_image_map maps[] = {
	{ "config", BPF_MAP_TYPE_ARRAY, 4, 16, 1, 0, 0 },
	{ "a_map_with_31_characters_in_it_", BPF_MAP_TYPE_HASH, 8, 8, 512, 1,
	  0 },
	{ "events", BPF_MAP_TYPE_RINGBUF, 0, 0, 1 << 20, 0, 0 },
};

#define LD_IMM64 (BPF_LD | BPF_DW | BPF_IMM)
#define EXIT                               \
	{                                  \
		.code = BPF_JMP | BPF_EXIT \
	}

/* clang-format off */
static const struct bpf_insn insns[] = {
	{ .code = LD_IMM64, .dst_reg = 1, .src_reg = BPF_PSEUDO_MAP_FD,
	  .imm = 2 }, { 0 },
	EXIT,
	{ .code = LD_IMM64, .dst_reg = 1, .imm = 1 << 30 }, { .imm = 7 },
	{ .code = LD_IMM64, .dst_reg = 1, .src_reg = BPF_PSEUDO_MAP_FD },
	{ 0 },
	EXIT,
};
/* clang-format on */

static const struct nb_image_prog progs[] = {
	{ "on_accept", 0, 3 },
	{ "on_state", 3, 5 },
};

static const struct nb_image_func funcs[] = {
	{ "tcp_sendmsg", 78345, 3 },
	{ "release_sock", UINT32_MAX, 0 },
};

static const struct nb_image whole = {
	.key = key,
	.key_len = KEY_LEN,
	.map_count = 3,
	.prog_count = 2,
	.func_count = 2,
	.insn_count = 8,
	.maps = maps,
	.progs = progs,
	.funcs = funcs,
	.insns = insns,
};

static void *write_image(const struct nb_image *img, size_t *ret_len)
{
	void *buf = NULL;

	if (nb_image_write(img, &buf, ret_len)) {
		printf("Bail out! an image that is valid can't be written\n");
		exit(1);
	}
	return buf;
}

/*
 * nb_image_parse() of a copy that is not one byte longer than @len; 1 when it
 * failed and has touched the result.
 */
static int parse(const void *buf, size_t len)
{
	struct nb_image img = { .key_len = 4711 };
	void *copy = malloc(len);
	int err;

	memcpy(copy, buf, len);
	err = nb_image_parse(copy, len, &img);
	free(copy);
	return err && img.key_len != 4711 ? 1 : err;
}

static void check_equal(const struct nb_image *img, const struct nb_image *want,
			const char *name)
{
	test_ok(img->key_len == want->key_len &&
			img->map_count == want->map_count &&
			img->prog_count == want->prog_count &&
			img->func_count == want->func_count &&
			img->insn_count == want->insn_count &&
			!memcmp(img->key, want->key, want->key_len) &&
			!memcmp(img->maps, want->maps,
				want->map_count * sizeof(*want->maps)) &&
			!memcmp(img->progs, want->progs,
				want->prog_count * sizeof(*want->progs)) &&
			!memcmp(img->funcs, want->funcs,
				want->func_count * sizeof(*want->funcs)) &&
			!memcmp(img->insns, want->insns,
				want->insn_count * sizeof(*want->insns)),
		name);
}

static void round_trip(void)
{
	static const struct nb_image nothing;
	struct nb_image img, small = whole;
	size_t len;
	void *buf = write_image(&whole, &len);

	test_int((long long)len, 48 + 24 + 3 * 56 + 2 * 64 + 2 * 64 + 8 * 8,
		 "header, key, maps, programs, functions, instructions");
	test_int(nb_image_parse(buf, len, &img), 0, "an image is accepted");
	check_equal(&img, &whole, "and is what was written");
	free(buf);

	buf = write_image(&nothing, &len);
	test_int(nb_image_parse(buf, len, &img), 0, "nothing at all");
	test_ok(!img.key_len && !img.map_count && !img.prog_count &&
			!img.func_count && !img.insn_count,
		"is still nothing");
	free(buf);

	small.map_count = 0;
	small.maps = NULL;
	small.prog_count = 0;
	small.progs = NULL;
	small.func_count = 0;
	small.funcs = NULL;
	small.key_len = 16;
	buf = write_image(&small, &len);
	test_int(nb_image_parse(buf, len, &img), 0,
		 "no maps, programs, functions");
	test_ok(img.key_len == 16 && img.insn_count == 8 &&
			!memcmp(img.insns, insns, sizeof(insns)),
		"but the rest");
	free(buf);
}

/* Every byte of the file matters. */
static void damage(void)
{
	size_t len, accepted = 0;
	unsigned char *buf = write_image(&whole, &len);

	for (size_t at = 0; at < len; at++) {
		for (unsigned bits = 1; bits < 256; bits++) {
			buf[at] ^= (unsigned char)bits;
			if (parse(buf, len) != -EBADMSG) {
				printf("# byte %zu with %#x\n", at, bits);
				accepted++;
			}
			buf[at] ^= (unsigned char)bits;
		}
	}
	test_int((long long)accepted, 0, "every byte changed in every way");
	accepted = 0;
	for (size_t n = 0; n < len; n++)
		accepted += parse(buf, n) != -EBADMSG;
	test_int((long long)accepted, 0, "cut at every length");
	buf = realloc(buf, len + 64);
	memset(buf + len, 0, 64);
	for (size_t n = 1; n <= 64; n++)
		accepted += parse(buf, len + n) != -EBADMSG;
	test_int((long long)accepted, 0, "longer by 1 to 64 bytes");
	test_int(parse(buf, len), 0, "the undamaged one is accepted");
	free(buf);
}

/* Of the header each field; where they are is part of the format. */
static void header_fields(void)
{
	static const struct {
		const char *name;
		size_t at, size;
	} fields[] = {
		{ "magic", 0, 4 },	 { "version", 4, 4 },
		{ "length", 8, 8 },	 { "checksum", 16, 8 },
		{ "key_len", 24, 4 },	 { "map_count", 28, 4 },
		{ "prog_count", 32, 4 }, { "insn_count", 36, 4 },
	};
	static const uint64_t values[] = {
		0,	    1,		2,	    7,
		20,	    24,		64,	    65,
		1000000,    1000001,	16u << 20,  (16u << 20) + 1,
		INT32_MAX,  1u << 31,	UINT32_MAX, UINT32_MAX - 6,
		1ULL << 32, 1ULL << 63, INT64_MAX,  UINT64_MAX,
	};
	char name[64];
	size_t len;
	char *buf = write_image(&whole, &len), *copy = malloc(len);

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		unsigned accepted = 0;

		for (size_t v = 0; v < sizeof(values) / sizeof(*values); v++) {
			memcpy(copy, buf, len);
			memcpy(copy + fields[i].at, &values[v], fields[i].size);
			if (memcmp(copy, buf, len))
				accepted += parse(copy, len) != -EBADMSG;
		}
		snprintf(name, sizeof(name), "other values of %s",
			 fields[i].name);
		test_int(accepted, 0, name);
	}
	free(copy);
	free(buf);
}

static void refused(const struct nb_image *img, const char *name)
{
	void *buf = &buf;
	size_t len = 4711;
	int err = nb_image_write(img, &buf, &len);

	test_ok(err == -EINVAL && buf == &buf && len == 4711, name);
	if (!err)
		free(buf);
}

static void bad_insns(void)
{
	struct bpf_insn in[8];
	struct nb_image img = whole;

	img.insns = in;
	memcpy(in, insns, sizeof(in));
	in[0].imm = 3;
	refused(&img, "a map that isn't there");
	in[0].imm = -1;
	refused(&img, "a map below the first");
	in[0].imm = INT32_MIN;
	refused(&img, "a map far below");
	memcpy(in, insns, sizeof(in));
	in[5].imm = 3;
	refused(&img, "a map that isn't there, in the last program");
	memcpy(in, insns, sizeof(in));
	in[0].src_reg = BPF_PSEUDO_MAP_VALUE;
	refused(&img, "a reference of another kind");
	memcpy(in, insns, sizeof(in));
	in[1].code = BPF_JMP | BPF_EXIT;
	refused(&img, "half an instruction of two");
	memcpy(in, insns, sizeof(in));
	in[2] = in[0];
	refused(&img, "the same at the end of a program");
	memcpy(in, insns, sizeof(in));
	in[7] = in[3];
	refused(&img, "the same at the end of the image");
	img.map_count = 0;
	refused(&img, "a map where there are none");
}

static void bad_progs(void)
{
	struct nb_image_prog p[2];
	struct nb_image img = whole;

	img.progs = p;
	memcpy(p, progs, sizeof(p));
	p[1].insn_count = 0;
	refused(&img, "a program without instructions");
	p[1].insn_count = 6;
	refused(&img, "a program that ends behind the image");
	p[1].insn_start = 8;
	p[1].insn_count = 1;
	refused(&img, "a program that begins at its end");
	p[1].insn_start = 9;
	refused(&img, "or behind it");
	p[1].insn_start = 3;
	p[1].insn_count = UINT32_MAX - 2;
	refused(&img, "a program around the corner");
	p[1].insn_start = UINT32_MAX;
	p[1].insn_count = 3;
	refused(&img, "and the other way round");
}

static void bad_names(void)
{
	static const char *const bad[] = { "",	 "a b", "a/b",	    "a-b",
					   "..", "a\n", "\xc3\xa4", "%s" };
	struct nb_image_map m[3];
	struct nb_image_prog p[2];
	struct nb_image_func f[2];
	struct nb_image img = whole;
	char name[64];

	img.maps = m;
	img.progs = p;
	memcpy(p, progs, sizeof(p));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memcpy(m, maps, sizeof(m));
		strcpy(m[2].name, bad[i]);
		snprintf(name, sizeof(name), "a map called '%s'", bad[i]);
		refused(&img, name);
	}
	memcpy(m, maps, sizeof(m));
	m[1].name[31] = 'x';
	refused(&img, "a map's name without an end");
	memcpy(m, maps, sizeof(m));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memcpy(p, progs, sizeof(p));
		strcpy(p[1].name, bad[i]);
		snprintf(name, sizeof(name), "a program called '%s'", bad[i]);
		refused(&img, name);
	}
	memset(p[0].name, 'x', sizeof(p[0].name));
	memcpy(&p[1], &progs[1], sizeof(p[1]));
	refused(&img, "a program's name without an end");
	img = whole;
	img.funcs = f;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memcpy(f, funcs, sizeof(f));
		strcpy(f[1].name, bad[i]);
		snprintf(name, sizeof(name), "a function called '%s'", bad[i]);
		refused(&img, name);
	}
	memset(f[0].name, 'x', sizeof(f[0].name));
	memcpy(&f[1], &funcs[1], sizeof(f[1]));
	refused(&img, "a function's name without an end");
	memcpy(f, funcs, sizeof(f));
	f[1].btf_id = 0;
	refused(&img, "a function that BTF does not have");
}

static void limits(void)
{
	struct nb_image_map m[NB_IMAGE_MAX_MAPS + 1];
	struct nb_image_prog p[NB_IMAGE_MAX_PROGS + 1];
	struct nb_image_func f[NB_IMAGE_MAX_FUNCS + 1];
	struct nb_image img = whole;
	char *long_key = calloc(1, NB_IMAGE_MAX + 1);
	struct bpf_insn *many = calloc(NB_IMAGE_MAX_INSNS + 1, sizeof(*many));
	void *buf;
	size_t len;

	for (size_t i = 0; i < sizeof(m) / sizeof(m[0]); i++)
		m[i] = maps[0];
	for (size_t i = 0; i < sizeof(p) / sizeof(p[0]); i++)
		p[i] = progs[0];
	for (size_t i = 0; i < sizeof(f) / sizeof(f[0]); i++)
		f[i] = funcs[0];
	img.maps = m;
	img.progs = p;
	img.funcs = f;
	img.map_count = NB_IMAGE_MAX_MAPS;
	img.prog_count = NB_IMAGE_MAX_PROGS;
	img.func_count = NB_IMAGE_MAX_FUNCS;
	buf = write_image(&img, &len);
	test_int(parse(buf, len), 0, "as many of everything as can be");
	free(buf);
	img.map_count++;
	refused(&img, "one map more");
	img.map_count--;
	img.prog_count++;
	refused(&img, "one program more");
	img.prog_count--;
	img.func_count++;
	refused(&img, "one function more");

	img = whole;
	img.key = long_key;
	img.key_len = NB_IMAGE_MAX - (48 + 3 * 56 + 4 * 64 + 8 * 8);
	buf = write_image(&img, &len);
	test_ok(len == NB_IMAGE_MAX && !parse(buf, len), "the largest image");
	free(buf);
	img.key_len++;
	refused(&img, "a larger one");
	free(long_key);

	img = whole;
	img.insns = many;
	img.prog_count = 0;
	img.insn_count = NB_IMAGE_MAX_INSNS;
	buf = write_image(&img, &len);
	test_int(parse(buf, len), 0, "as many instructions as can be");
	free(buf);
	img.insn_count++;
	refused(&img, "one instruction more");
	free(many);
}

/* nb_image_key() with all that matters, as text. */
static char *key_of(const char *text, const char *const *defines)
{
	char *ret = NULL;
	size_t len = 0;

	if (nb_image_key(text, defines, &ret, &len) || strlen(ret) != len) {
		printf("Bail out! no key\n");
		exit(1);
	}
	return ret;
}

static void keys(void)
{
	static const char *const none[] = { NULL };
	static const char *const one[] = { "A=1", NULL };
	static const char *const two[] = { "A=1", "B", NULL };
	char *k[6];

	unsetenv("BCC_KERNEL_SOURCE");
	k[0] = key_of("int x;", none);
	k[1] = key_of("int y;", none);
	k[2] = key_of("int x;", one);
	k[3] = key_of("int x;", two);
	setenv("BCC_KERNEL_SOURCE", "/tmp", 1);
	k[4] = key_of("int x;", none);
	unsetenv("BCC_KERNEL_SOURCE");
	k[5] = key_of("int x;", none);
	test_ok(!strcmp(k[0], k[5]), "the same twice");
	test_ok(strcmp(k[0], k[1]) != 0, "another text");
	test_ok(strcmp(k[0], k[2]) != 0, "a define");
	test_ok(strcmp(k[2], k[3]) != 0, "one more define");
	test_ok(strcmp(k[0], k[4]) != 0, "another tree of headers");
	for (size_t i = 0; i < sizeof(k) / sizeof(k[0]); i++)
		free(k[i]);
}

/* What the test itself needs. */
static void must(bool good, const char *what)
{
	if (good)
		return;
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(1);
}

/* A directory of the test's own, which it removes. */
static char base[] = "/tmp/image_test.XXXXXX";

static const char *in_base(const char *name)
{
	static char path[sizeof(base) + NAME_MAX + 32];

	snprintf(path, sizeof(path), "%s/%s", base, name);
	return path;
}

static int open_cache(const char *dir)
{
	int fd;

	setenv("NETBCC_CACHE", dir, 1);
	fd = nb_cache_open();
	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

static void as_nobody(void *ctx)
{
	(void)ctx;
	if (setresuid(65534, 65534, 65534))
		exit(98);
	setenv("NETBCC_CACHE", "/", 1); /* root's own, as it must be */
	exit(nb_cache_open() == -EPERM ? 0 : 1);
}

static void directory(void)
{
	struct test_run run;
	struct stat st;
	const char *dir;
	int fd;

	setenv("NETBCC_CACHE", in_base("cache"), 1);
	umask(0);
	fd = nb_cache_open();
	umask(022);
	must(fd >= 0 && !fstat(fd, &st), "the cache");
	test_int(st.st_mode, S_IFDIR | 0700, "it is made, for its owner alone");
	test_int(fcntl(fd, F_GETFD), FD_CLOEXEC, "and closed on exec");
	close(fd);
	test_int(open_cache("cache"), -EINVAL, "a relative path");
	test_int(open_cache("./cache"), -EINVAL, "another one");
	test_int(open_cache(""), -EINVAL, "an empty one");
	test_int(open_cache(in_base("no/cache")), -ENOENT, "no parent");
	must(!symlink("cache", in_base("link")), "symlink");
	test_int(open_cache(in_base("link")), -ENOTDIR, "a symbolic link");
	must(!mknod(in_base("file"), S_IFREG | 0600, 0), "mknod");
	test_int(open_cache(in_base("file")), -ENOTDIR, "a file");

	dir = in_base("cache");
	must(!chmod(dir, 0720), "chmod");
	test_int(open_cache(dir), -EPERM, "a directory that its group writes");
	must(!chmod(dir, 0702), "chmod");
	test_int(open_cache(dir), -EPERM, "that others write");
	must(!chown(dir, 65534, 0) && !chmod(dir, 0700), "chown");
	test_int(open_cache(dir), -EPERM, "that is somebody else's");
	must(!chown(dir, 0, 65534) && !chmod(dir, 0755), "chown");
	test_int(open_cache(dir), 0, "that everybody reads");
	test_fork(as_nobody, NULL, &run);
	test_int(run.status, 0, "nobody has no cache");
}

static int cache; /* descriptor */
static void *image;
static size_t image_len;

/* Read @name for @want's key; what is read must be @want. */
static int read_cache(const char *name, const char *want, size_t want_len)
{
	struct nb_image img = { .key_len = 4711 };
	void *buf = &buf;
	int err;

	err = nb_cache_read(cache, name, want, want_len, &buf, &img);
	if (err)
		return buf == &buf && img.key_len == 4711 ? err : 1;
	if (img.key_len != KEY_LEN || memcmp(img.key, key, KEY_LEN) ||
	    img.insn_count != 8 || memcmp(img.insns, insns, sizeof(insns)))
		err = 1;
	free(buf);
	return err;
}

static void write_file(const char *name, const void *buf, size_t len)
{
	int fd = openat(cache, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	must(fd >= 0 && write(fd, buf, len) == (ssize_t)len, name);
	close(fd);
}

static bool exists(const char *name)
{
	return !faccessat(cache, name, F_OK, AT_SYMLINK_NOFOLLOW);
}

static void reading(void)
{
	char *bad = malloc(image_len);
	struct stat st;

	test_int(read_cache("a.img", key, KEY_LEN), -ENOENT, "nothing yet");
	test_int(nb_cache_write(cache, "a.img", image, image_len), 0, "kept");
	must(!fstatat(cache, "a.img", &st, 0), "fstatat");
	test_int(st.st_mode, S_IFREG | 0600, "for its owner alone");
	test_ok(!exists(".a.img.tmp"), "and nothing else is left");
	test_int(read_cache("a.img", key, KEY_LEN), 0, "read again");
	test_int(read_cache("a.img", "a key of 19 bytes.!", KEY_LEN), -ESTALE,
		 "another key");
	test_int(read_cache("a.img", key, KEY_LEN - 1), -ESTALE,
		 "a shorter one");
	test_int(read_cache("a.img", "a key of 19 bytes..!", KEY_LEN + 1),
		 -ESTALE, "a longer one");
	test_int(read_cache("a.img", "", 0), -ESTALE, "an empty one");

	memcpy(bad, image, image_len);
	bad[image_len / 2] ^= 1;
	write_file("bad", bad, image_len);
	test_int(read_cache("bad", key, KEY_LEN), -EBADMSG, "one bit");
	write_file("bad", image, image_len - 1);
	test_int(read_cache("bad", key, KEY_LEN), -EBADMSG, "one byte less");
	write_file("bad", image, 0);
	test_int(read_cache("bad", key, KEY_LEN), -EBADMSG, "an empty file");
	must(!truncate(in_base("cache/bad"), 1LL << 36), "truncate");
	test_int(read_cache("bad", key, KEY_LEN), -EBADMSG, "a huge file");
	free(bad);
}

static void distrusted(void)
{
	char name[NAME_MAX + 2];

	write_file("b", image, image_len);
	test_int(read_cache("b", key, KEY_LEN), 0, "a file of root's own");
	must(!fchownat(cache, "b", 65534, 0, 0), "chown");
	test_int(read_cache("b", key, KEY_LEN), -EPERM, "somebody else's");
	must(!fchownat(cache, "b", 0, 65534, 0), "chown");
	must(!fchmodat(cache, "b", 0660, 0), "chmod");
	test_int(read_cache("b", key, KEY_LEN), -EPERM, "its group writes");
	must(!fchmodat(cache, "b", 0602, 0), "chmod");
	test_int(read_cache("b", key, KEY_LEN), -EPERM, "others write");
	must(!fchmodat(cache, "b", 0644, 0), "chmod");
	test_int(read_cache("b", key, KEY_LEN), 0, "everybody reads");
	must(!symlinkat("b", cache, "link"), "symlink");
	test_int(read_cache("link", key, KEY_LEN), -ELOOP, "a symbolic link");
	must(!mkfifoat(cache, "fifo", 0600), "mkfifo");
	test_int(read_cache("fifo", key, KEY_LEN), -EPERM, "a FIFO");
	must(!mkdirat(cache, "dir", 0700), "mkdir");
	test_int(read_cache("dir", key, KEY_LEN), -EPERM, "a directory");

	memset(name, 'n', sizeof(name));
	name[NAME_MAX + 1] = '\0';
	test_int(read_cache(name, key, KEY_LEN), -ENAMETOOLONG,
		 "a name that is too long to be read");
	name[NAME_MAX - 4] = '\0'; /* ".", and ".tmp" */
	test_int(nb_cache_write(cache, name, image, image_len), -ENAMETOOLONG,
		 "or written");
	name[NAME_MAX - 5] = '\0';
	test_int(nb_cache_write(cache, name, image, image_len), 0,
		 "the longest one that can be");
	test_int(read_cache(name, key, KEY_LEN), 0, "is read");
}

/* What lies where the new file is to be written. */
static void writing(void)
{
	static const char victim[] = "hands off";
	char got[sizeof(victim)] = "";
	int fd;

	fd = openat(cache, ".c.tmp", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	must(fd >= 0 && !flock(fd, LOCK_EX), "flock");
	test_int(nb_cache_write(cache, "c", image, image_len), -EBUSY,
		 "another one writes it");
	test_ok(exists(".c.tmp") && !exists("c"), "and goes on");
	must(!ftruncate(fd, 1 << 20), "ftruncate");
	close(fd);
	test_int(nb_cache_write(cache, "c", image, image_len), 0,
		 "what a killed one has left is used again");
	test_int(read_cache("c", key, KEY_LEN), 0, "and is an image now");

	write_file("victim", victim, sizeof(victim));
	must(!symlinkat("victim", cache, ".d.tmp"), "symlink");
	test_int(nb_cache_write(cache, "d", image, image_len), -ELOOP,
		 "a symbolic link");
	must(!linkat(cache, "victim", cache, ".e.tmp", 0), "link");
	test_int(nb_cache_write(cache, "e", image, image_len), -EBUSY,
		 "a second name of another file");
	fd = openat(cache, "victim", O_RDONLY);
	must(fd >= 0 && read(fd, got, sizeof(got)) > 0, "victim");
	close(fd);
	test_str(got, victim, "which stays as it is");
	must(!mkfifoat(cache, ".f.tmp", 0600), "mkfifo");
	test_int(nb_cache_write(cache, "f", image, image_len), -EBUSY,
		 "a FIFO");
	write_file(".g.tmp", "", 0);
	must(!fchownat(cache, ".g.tmp", 65534, 0, 0), "chown");
	test_int(nb_cache_write(cache, "g", image, image_len), -EBUSY,
		 "somebody else's file");
	test_int(nb_cache_write(cache, "dir", image, image_len), -EISDIR,
		 "a directory can't be replaced");
	test_ok(!exists(".dir.tmp"), "and nothing is left of the attempt");
}

/* The C library's, with what another process does just before. */
static void (*before_flock)(void);

int flock(int fd, int operation)
{
	if (before_flock)
		before_flock();
	return (int)syscall(SYS_flock, fd, operation);
}

static void other_finishes(void)
{
	must(!renameat(cache, ".h.tmp", cache, "h"), "rename");
}

static void other_finishes_and_third_starts(void)
{
	other_finishes();
	write_file(".h.tmp", "", 0);
}

/* The file is opened, and is the finished image by the time it is locked. */
static void late_lock(void)
{
	write_file(".h.tmp", image, image_len);
	before_flock = other_finishes;
	test_int(nb_cache_write(cache, "h", image, image_len), -EBUSY,
		 "another one has just finished");
	write_file(".h.tmp", image, image_len);
	before_flock = other_finishes_and_third_starts;
	test_int(nb_cache_write(cache, "h", image, image_len), -EBUSY,
		 "and a third one begins");
	before_flock = NULL;
	test_int(read_cache("h", key, KEY_LEN), 0, "the image is whole");
}

/* As on a full disk: the limit is a few bytes short of the image. */
static void write_limited(void *ctx)
{
	struct rlimit limit = { image_len - 8, image_len - 8 };

	(void)ctx;
	signal(SIGXFSZ, SIG_IGN);
	must(!setrlimit(RLIMIT_FSIZE, &limit), "setrlimit");
	exit(nb_cache_write(cache, "a.img", image, image_len) == -EFBIG ? 0
									: 1);
}

static void full_disk(void)
{
	struct test_run run;

	test_int(read_cache("a.img", key, KEY_LEN), 0, "there is an image");
	test_fork(write_limited, NULL, &run);
	test_int(run.status, 0, "a disk that is full");
	test_int(read_cache("a.img", key, KEY_LEN), 0, "leaves it there");
	test_ok(!exists(".a.img.tmp"), "and nothing beside it");
}

static void write_often(void)
{
	for (int i = 0; i < 500; i++) {
		int err = nb_cache_write(cache, "race", image, image_len);

		if (err && err != -EBUSY)
			_exit(1);
	}
	_exit(0);
}

static void race(void)
{
	int status, running = 2, failed = 0, wrong = 0;

	must(!nb_cache_write(cache, "race", image, image_len), "race");
	fflush(stdout);
	for (int i = 0; i < running; i++) {
		pid_t pid = fork();

		must(pid >= 0, "fork");
		if (pid == 0)
			write_often();
	}
	while (running) {
		wrong += read_cache("race", key, KEY_LEN) != 0;
		if (waitpid(-1, &status, WNOHANG) <= 0)
			continue;
		failed += status != 0;
		running--;
	}
	test_int(failed, 0, "two writers at once succeed, or one gives up");
	test_int(wrong, 0, "and who reads meanwhile has a whole image");
}

static int remove_one(const char *name, const struct stat *st, int type,
		      struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(name);
}

int main(void)
{
	round_trip();
	damage();
	header_fields();
	bad_insns();
	bad_progs();
	bad_names();
	limits();
	keys();
	if (geteuid() != 0) {
		printf("ok %u - the cache # SKIP not root\n", ++test_count);
		return test_done();
	}
	must(mkdtemp(base), "mkdtemp");
	directory();
	setenv("NETBCC_CACHE", in_base("cache"), 1);
	cache = nb_cache_open();
	must(cache >= 0, "the cache");
	image = write_image(&whole, &image_len);
	alarm(60); /* of a read that waits for a FIFO's writer */
	reading();
	distrusted();
	writing();
	late_lock();
	full_disk();
	race();
	free(image);
	close(cache);
	must(!nftw(base, remove_one, 8, FTW_DEPTH | FTW_PHYS), "remove");
	return test_done();
}
