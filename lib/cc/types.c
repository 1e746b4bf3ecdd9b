// SPDX-License-Identifier: Apache-2.0
#include "types.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../field.h"

#define VMLINUX_BTF "/sys/kernel/btf/vmlinux"
#define PRAGMA "#pragma netbcc "

struct dump {
	struct btf *btf;
	struct btf_dump *dump;
	FILE *out;
	bool types;
	struct nb_image_func *funcs;
	uint32_t nfuncs;
	char *missing;
	size_t missing_size;
};

bool nb_types_have_btf(void)
{
	return access(VMLINUX_BTF, R_OK) == 0;
}

static void print(void *ctx, const char *fmt, va_list args)
{
	vfprintf(ctx, fmt, args);
}

static int fail(struct dump *d, int err, const char *what)
{
	snprintf(d->missing, d->missing_size, "%s", what);
	return err;
}

static int write_types(struct dump *d, char *names)
{
	char *name, *save = NULL;

	for (name = strtok_r(names, " \t", &save); name;
	     name = strtok_r(NULL, " \t", &save)) {
		int id = nb_field_type(d->btf, name);
		int err;

		if (id < 0)
			return fail(d, -ENOENT, name);
		err = btf_dump__dump_type(d->dump, (__u32)id);
		if (err)
			return err;
	}
	return 0;
}

static int write_field(struct dump *d, const char *type, const char *field)
{
	int id = nb_field_type(d->btf, type);
	struct nb_field found;

	if (id < 0 || nb_field_find(d->btf, (__u32)id, field, &found))
		return 0;
	fprintf(d->out, "#define NB_OFFSET_%s_%s %u\n", type, field,
		found.bit / 8);
	fprintf(d->out, "#define NB_SIZE_%s_%s %u\n", type, field,
		found.bits / 8);
	return 0;
}

static int write_value(struct dump *d, const char *type, const char *name)
{
	int id = btf__find_by_name_kind(d->btf, type, BTF_KIND_ENUM);
	const struct btf_type *t;
	const struct btf_enum *e;

	if (id < 0)
		return 0;
	t = btf__type_by_id(d->btf, (__u32)id);
	e = btf_enum(t);
	for (uint16_t i = 0; i < btf_vlen(t); i++)
		if (!strcmp(btf__name_by_offset(d->btf, e[i].name_off), name))
			fprintf(d->out, "#define NB_VALUE_%s %d\n", name,
				e[i].val);
	return 0;
}

/* The image tells what attaches to it by this id. */
static int add_func(struct dump *d, const char *name, int id, uint32_t args)
{
	struct nb_image_func *f;

	if (d->nfuncs == NB_IMAGE_MAX_FUNCS)
		return fail(d, -E2BIG, name);
	f = &d->funcs[d->nfuncs++];
	snprintf(f->name, sizeof(f->name), "%s", name);
	f->btf_id = (uint32_t)id;
	f->args = args;
	return 0;
}

static int write_func(struct dump *d, const char *name)
{
	int id = btf__find_by_name_kind(d->btf, name, BTF_KIND_FUNC);
	const struct btf_type *t;

	if (id < 0)
		return 0;
	t = btf__type_by_id(d->btf, (__u32)id);
	t = btf__type_by_id(d->btf, t->type);
	if (!t || !btf_is_func_proto(t))
		return fail(d, -EBADMSG, name);
	fprintf(d->out, "#define NB_ARGS_%s %u\n", name, btf_vlen(t));
	return add_func(d, name, id, btf_vlen(t));
}

static int write_tracepoint(struct dump *d, const char *name)
{
	int args = nb_field_tp_args(d->btf, name), id;
	char type[128];

	if (args == -ENOENT)
		return 0;
	snprintf(type, sizeof(type), "btf_trace_%s", name);
	id = btf__find_by_name_kind(d->btf, type, BTF_KIND_TYPEDEF);
	if (args < 0 || id < 0)
		return fail(d, args < 0 ? args : id, name);
	fprintf(d->out, "#define NB_TP_ARGS_%s %d\n", name, args);
	return add_func(d, type, id, (uint32_t)args);
}

/* Does the kernel translate the programs that it is given? */
static bool translates(void)
{
	static const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);
	int prog = bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, "netbcc_try",
				 "GPL", insns, 2, NULL);
	bool ret;

	if (prog < 0)
		return false;
	ret = !bpf_obj_get_info_by_fd(prog, &info, &size) &&
	      info.jited_prog_len;
	close(prog);
	return ret;
}

/* Only the first network namespace has the file, which only root reads. */
static bool has_jit(void)
{
	FILE *f = fopen("/proc/sys/net/core/bpf_jit_enable", "re");
	int c;

	if (!f)
		return translates();
	c = fgetc(f);
	fclose(f);
	return c != '0';
}

/* Since Linux 6.2, and what the interpreter can't call. */
static int write_cast(struct dump *d, const char *type)
{
	int func = btf__find_by_name_kind(d->btf, "bpf_rdonly_cast",
					  BTF_KIND_FUNC);
	int id = nb_field_type(d->btf, type);

	if (func < 0 || id < 0 || !has_jit())
		return 0;
	fprintf(d->out, "#undef NB_CAST_FUNC\n#define NB_CAST_FUNC %u\n",
		NB_CC_KFUNC + (unsigned)func);
	fprintf(d->out, "#define NB_CAST_%s %d\n", type, id);
	return 0;
}

static int obey(struct dump *d, char *pragma)
{
	char *save = NULL, *verb = strtok_r(pragma, " \t", &save), *name;

	if (verb && !strcmp(verb, "types"))
		return d->types ? write_types(d, save) : 0;
	name = strtok_r(NULL, " \t", &save);
	if (verb && name && !strcmp(verb, "field")) {
		char *field = strtok_r(NULL, " \t", &save);

		if (field)
			return d->types ? write_field(d, name, field) : 0;
	}
	if (verb && name && !strcmp(verb, "enum")) {
		char *value = strtok_r(NULL, " \t", &save);

		if (value)
			return d->types ? write_value(d, name, value) : 0;
	}
	if (verb && name && !strcmp(verb, "func"))
		return write_func(d, name);
	if (verb && name && !strcmp(verb, "tracepoint"))
		return write_tracepoint(d, name);
	if (verb && name && !strcmp(verb, "cast"))
		return write_cast(d, name);
	return fail(d, -EINVAL, verb ? verb : "");
}

static int each_pragma(struct dump *d, const char *text)
{
	const size_t len = strlen(PRAGMA);
	int err = 0;

	while (text && !err) {
		const char *end = strchrnul(text, '\n');

		if (!strncmp(text, PRAGMA, len)) {
			char *line =
				strndup(text + len, (size_t)(end - text) - len);

			err = line ? obey(d, line) : -ENOMEM;
			free(line);
		}
		text = *end ? end + 1 : NULL;
	}
	return err;
}

/*
 * Copy the declarations, but padding as members with names. LLVM takes several
 * unnamed bit fields in a row ("long: 64;") for one integer, which libbcc lays
 * out in two ways: what follows would be read from the wrong place.
 */
static void copy_with_padding(const char *types, FILE *out)
{
	static const char padding[] = "long: 64;";
	unsigned n = 0;

	while (*types) {
		const char *end = strchrnul(types, '\n');
		const char *word = types + strspn(types, " \t");

		if (!strncmp(word, padding, sizeof(padding) - 1))
			fprintf(out, "long nb_padding_%u;\n", n++);
		else
			fprintf(out, "%.*s\n", (int)(end - types), types);
		types = *end ? end + 1 : end;
	}
}

int nb_types_write(const char *text, bool types, FILE *out,
		   struct nb_image_func *funcs, uint32_t *ret_nfuncs,
		   char *missing, size_t size)
{
	struct dump d = { .types = types,
			  .funcs = funcs,
			  .missing = missing,
			  .missing_size = size };
	char *words = NULL;
	size_t len;
	int err;

	if (size)
		missing[0] = '\0';
	d.btf = btf__parse_raw(VMLINUX_BTF);
	if (!d.btf)
		return -errno;
	d.out = open_memstream(&words, &len);
	d.dump = d.out ? btf_dump__new(d.btf, print, d.out, NULL) : NULL;
	err = d.dump ? each_pragma(&d, text) : -errno;
	btf_dump__free(d.dump);
	btf__free(d.btf);
	if (d.out && fclose(d.out) && !err)
		err = -ENOMEM;
	if (!err) {
		copy_with_padding(words, out);
		*ret_nfuncs = d.nfuncs;
	}
	free(words);
	return err;
}
