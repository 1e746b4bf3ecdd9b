// SPDX-License-Identifier: Apache-2.0
/*
 * netbcc-cc: compile one eBPF text with libbcc and write its program image.
 *
 *	netbcc-cc [-D NAME[=VALUE]]... <TEXT >IMAGE
 *
 * The commands run it so that LLVM never enters their process. It prints the
 * compiler's words and its own errors on standard error. Exit status: 0; 1
 * when the text can't be compiled on this machine; 2 for misuse.
 */
#include <bcc/bcc_common.h>
#include <bcc/bcc_version.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "../image.h"
#include "types.h"

#define MAX_DEFINES 16

static int fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static int fail(const char *fmt, ...)
{
	va_list args;

	fputs("netbcc-cc: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	return 1;
}

/* LLVM ends the process on texts it can't translate: older ones abort, */
static void on_abort(int sig)
{
	static const char msg[] =
		"netbcc-cc: cannot compile the eBPF text: LLVM gave up\n";

	(void)sig;
	if (write(STDERR_FILENO, msg, sizeof(msg) - 1) < 0) {
		/* nobody is listening */
	}
	_exit(1);
}

/* newer ones exit. This process itself ends by _exit(). */
static void on_exit_of_llvm(void)
{
	on_abort(0);
}

static char *read_all(FILE *in)
{
	size_t len = 0, size = 1 << 16;
	char *buf = malloc(size);

	while (buf) {
		size_t n = fread(buf + len, 1, size - len - 1, in);
		char *more;

		len += n;
		if (n == 0)
			break;
		if (len + 1 < size)
			continue;
		size *= 2;
		more = size <= NB_IMAGE_MAX ? realloc(buf, size) : NULL;
		if (!more)
			free(buf);
		buf = more;
	}
	if (buf && ferror(in)) {
		free(buf);
		return NULL;
	}
	if (buf)
		buf[len] = '\0';
	return buf;
}

/* The directory that stands in for the kernel's headers: beside the program. */
static int stub_dir(char *path, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", path, size);
	char *slash;

	if (n < 0 || (size_t)n >= size)
		return -ENAMETOOLONG;
	path[n] = '\0';
	slash = strrchr(path, '/');
	if (!slash || (size_t)(slash - path) + sizeof("/stub") > size)
		return -ENAMETOOLONG;
	strcpy(slash, "/stub");
	return access(path, R_OK | X_OK) ? -errno : 0;
}

/* A tree that libbcc would not use has it look below /tmp instead. */
static int is_header_tree(const char *dir)
{
	char path[PATH_MAX];

	return snprintf(path, sizeof(path), "%s/include/linux/kconfig.h", dir) <
		       (int)sizeof(path) &&
	       !access(path, R_OK);
}

/* Debian splits the headers in two; then "source" has the common ones. */
static int have_headers(const char *release)
{
	char build[PATH_MAX], source[PATH_MAX];

	snprintf(build, sizeof(build), "/lib/modules/%s/build", release);
	snprintf(source, sizeof(source), "/lib/modules/%s/source", release);
	if (!access(build, X_OK) && !access(source, X_OK))
		return is_header_tree(source);
	return is_header_tree(build);
}

/* Can the text be compiled with linux-headers? 0 or the exit status. */
static int check_headers(const char *source)
{
	struct utsname un = { 0 };

	uname(&un);
	if (source && access(source, X_OK))
		return fail("cannot use BCC_KERNEL_SOURCE '%s': %s", source,
			    strerror(errno));
	if (source && !is_header_tree(source))
		return fail(
			"cannot use BCC_KERNEL_SOURCE '%s': it has no include/linux/kconfig.h (see README)",
			source);
	if (!source && !have_headers(un.release))
		return fail(
			"%s (install linux-headers-%s)",
			nb_types_have_btf()
				? "there are no headers for the kernel"
				: "the kernel has no BTF (CONFIG_DEBUG_INFO_BTF) and there are no headers for it",
			un.release);
	return 0;
}

static int use_stub(void)
{
	char stub[PATH_MAX];
	int err = stub_dir(stub, sizeof(stub));

	if (err)
		return fail("cannot use '%s': %s (install netbcc again)", stub,
			    strerror(-err));
	setenv("BCC_KERNEL_SOURCE", stub, 1);
	return 0;
}

/*
 * Put in front of the text what its pragmas ask for. Types come from
 * BCC_KERNEL_SOURCE when it is set, else from BTF, else (or when @headers)
 * from linux-headers. The caller frees *ret_text. 0 or the exit status.
 */
static int add_types(const char *text, bool *headers, char **ret_text,
		     struct nb_image *img)
{
	static struct nb_image_func funcs[NB_IMAGE_MAX_FUNCS];
	const char *source = getenv("BCC_KERNEL_SOURCE");
	bool btf = nb_types_have_btf();
	char missing[128] = "";
	size_t len;
	FILE *out;
	int err;

	*headers = *headers || source || !btf;
	err = *headers ? check_headers(source) : use_stub();
	if (err)
		return err;
	*ret_text = NULL;
	out = open_memstream(ret_text, &len);
	if (!out)
		return fail("out of memory");
	if (btf)
		err = nb_types_write(text, !*headers, out, funcs,
				     &img->func_count, missing,
				     sizeof(missing));
	/* With headers all goes without BTF, but for fentry. */
	if (*headers)
		err = 0;
	img->funcs = funcs;
	fprintf(out, "\n#line 1 \"text\"\n%s", text);
	if (fclose(out) || err) {
		free(*ret_text);
		return fail("cannot take '%s' from the kernel's BTF: %s",
			    *missing ? missing : "types",
			    strerror(err ? -err : ENOMEM));
	}
	return 0;
}

/*
 * In a loaded program a map is its descriptor; in an image its index. Calls of
 * the kernel's own functions can't be written in C, but by a number.
 */
static int unpatch(void *mod, struct bpf_insn *insns, size_t count)
{
	size_t maps = bpf_num_tables(mod), m;

	for (size_t i = 0; i + 1 < count; i++) {
		if (insns[i].code == (BPF_JMP | BPF_CALL) &&
		    !insns[i].src_reg && insns[i].imm >= NB_CC_KFUNC) {
			insns[i].src_reg = BPF_PSEUDO_KFUNC_CALL;
			insns[i].imm -= NB_CC_KFUNC;
		}
		if (insns[i].code != (BPF_LD | BPF_DW | BPF_IMM))
			continue;
		if (insns[i].src_reg == BPF_PSEUDO_MAP_FD) {
			for (m = 0; m < maps; m++)
				if (bpf_table_fd_id(mod, m) == insns[i].imm)
					break;
			if (m == maps)
				return -EINVAL;
			insns[i].imm = (int)m;
		}
		i++;
	}
	return 0;
}

static int image_of(void *mod, struct nb_image *img)
{
	static struct nb_image_map maps[NB_IMAGE_MAX_MAPS];
	static struct nb_image_prog progs[NB_IMAGE_MAX_PROGS];
	struct bpf_insn *insns = NULL;
	size_t nmaps = bpf_num_tables(mod), nprogs = bpf_num_functions(mod);
	size_t total = 0;

	if (nmaps > NB_IMAGE_MAX_MAPS || nprogs > NB_IMAGE_MAX_PROGS)
		return -E2BIG;
	for (size_t i = 0; i < nmaps; i++) {
		snprintf(maps[i].name, sizeof(maps[i].name), "%s",
			 bpf_table_name(mod, i));
		maps[i].type = (uint32_t)bpf_table_type_id(mod, i);
		maps[i].key_size = (uint32_t)bpf_table_key_size_id(mod, i);
		maps[i].value_size = (uint32_t)bpf_table_leaf_size_id(mod, i);
		maps[i].max_entries =
			(uint32_t)bpf_table_max_entries_id(mod, i);
		maps[i].flags = (uint32_t)bpf_table_flags_id(mod, i);
		if (maps[i].type == BPF_MAP_TYPE_RINGBUF)
			maps[i].key_size = maps[i].value_size = 0;
	}
	for (size_t i = 0; i < nprogs; i++) {
		size_t bytes = bpf_function_size_id(mod, i);
		size_t count = bytes / sizeof(*insns);
		struct bpf_insn *more;

		more = realloc(insns, (total + count) * sizeof(*insns));
		if (!more) {
			free(insns);
			return -ENOMEM;
		}
		insns = more;
		memcpy(insns + total, bpf_function_start_id(mod, i), bytes);
		if (unpatch(mod, insns + total, count)) {
			free(insns);
			return -EINVAL;
		}
		snprintf(progs[i].name, sizeof(progs[i].name), "%s",
			 bpf_function_name(mod, i));
		progs[i].insn_start = (uint32_t)total;
		progs[i].insn_count = (uint32_t)count;
		total += count;
	}
	img->map_count = (uint32_t)nmaps;
	img->prog_count = (uint32_t)nprogs;
	img->insn_count = (uint32_t)total;
	img->maps = maps;
	img->progs = progs;
	img->insns = insns;
	return 0;
}

/*
 * An empty BCC_KERNEL_SOURCE is none; a relative one is of the directory that
 * the command was started in, which is left: libbcc takes headers from there.
 */
static int enter_root(void)
{
	const char *source = getenv("BCC_KERNEL_SOURCE");
	char *path;

	if (source && !*source) {
		unsetenv("BCC_KERNEL_SOURCE");
	} else if (source) {
		path = realpath(source, NULL);
		if (!path)
			return fail("cannot use BCC_KERNEL_SOURCE '%s': %s",
				    source, strerror(errno));
		setenv("BCC_KERNEL_SOURCE", path, 1);
		free(path);
	}
	return chdir("/") ? fail("cannot enter '/': %s", strerror(errno)) : 0;
}

static int compile(const char *text, const char *const *defines, int out)
{
	const char *cflags[MAX_DEFINES + 6];
	char page[32];
	struct nb_image img = { 0 };
	bool headers = false;
	char *full, *key;
	size_t key_len, len, n = 0;
	void *mod, *buf;
	int err;

	err = nb_image_key(text, defines, &key, &key_len);
	if (err)
		return fail("cannot describe this kernel: %s", strerror(-err));
	err = enter_root();
	if (err)
		return err;
	for (size_t i = 0; defines[i]; i++)
		headers |= !strcmp(defines[i], NB_DEFINE_HEADERS);
	err = add_types(text, &headers, &full, &img);
	if (err)
		return err;
	cflags[n++] = headers ? "-D" NB_DEFINE_HEADERS : "-DNB_TYPES_BTF";
	cflags[n++] = "-Wno-unknown-pragmas";
	cflags[n++] = "-g0"; /* libbcc asks for what nobody reads here */
	/* libbcc makes a ring buffer of so many bytes; the stub's is 4096. */
	snprintf(page, sizeof(page), "-DPAGE_SIZE=%ld", sysconf(_SC_PAGESIZE));
	if (!headers)
		cflags[n++] = page;
#ifdef __aarch64__
	cflags[n++] = "-DNB_ARCH_arm64";
#endif
	for (; *defines; defines++) {
		size_t size = strlen(*defines) + sizeof("-D");
		char *flag = malloc(size);

		if (!flag)
			return fail("out of memory");
		snprintf(flag, size, "-D%s", *defines);
		cflags[n++] = flag;
	}

	if (atexit(on_exit_of_llvm))
		return fail("out of memory");
	mod = bpf_module_create_c_from_string(full, 0, cflags, (int)n, true,
					      NULL);
	if (!mod && headers)
		return fail(
			"libbcc %s cannot compile the eBPF text with the kernel's headers (it needs none where the kernel has BTF, CONFIG_DEBUG_INFO_BTF)",
			LIBBCC_VERSION);
	if (!mod)
		return fail("cannot compile the eBPF text: libbcc refused it");
	err = image_of(mod, &img);
	if (err)
		return fail("cannot make an image: %s", strerror(-err));
	img.key = key;
	img.key_len = (uint32_t)key_len;
	err = nb_image_write(&img, &buf, &len);
	if (err)
		return fail("cannot make an image: %s", strerror(-err));
	for (const char *p = buf; len;) {
		ssize_t w = write(out, p, len);

		if (w < 0)
			return fail("cannot write the image: %s",
				    strerror(errno));
		p += w;
		len -= (size_t)w;
	}
	return 0;
}

int main(int argc, char **argv)
{
	const char *defines[MAX_DEFINES + 1] = { NULL };
	size_t n = 0;
	char *text;
	int out, opt;

	while ((opt = getopt(argc, argv, "D:")) != -1) {
		if (opt != 'D' || n == MAX_DEFINES) {
			fputs("usage: netbcc-cc [-D NAME[=VALUE]]... <TEXT >IMAGE\n",
			      stderr);
			return 2;
		}
		defines[n++] = optarg;
	}
	/* libbcc prints on standard output and looks in the directory it is
	 * started in. */
	out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (out < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		return fail("cannot start: %s", strerror(errno));
	/* What would change what libbcc does, and is not in the image's key. */
	unsetenv("ARCH");
	unsetenv("BCC_KERNEL_MODULES_SUFFIX");
	unsetenv("BCC_LINUX_VERSION_CODE");
	signal(SIGABRT, on_abort);

	text = read_all(stdin);
	if (!text)
		return fail("cannot read the text: %s", strerror(errno));
	/* Taking LLVM apart, and freeing, would only cost time. */
	_exit(compile(text, defines, out));
}
