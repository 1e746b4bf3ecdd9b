// SPDX-License-Identifier: Apache-2.0
#include "types.h"

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

	if (id < 0)
		return fail(d, -ENOENT, type);
	if (nb_field_find(d->btf, (__u32)id, field, &found))
		return 0;
	fprintf(d->out, "#define NB_OFFSET_%s_%s %u\n", type, field,
		found.bit / 8);
	fprintf(d->out, "#define NB_SIZE_%s_%s %u\n", type, field,
		found.bits / 8);
	return 0;
}

static int obey(struct dump *d, char *pragma)
{
	char *save = NULL, *verb = strtok_r(pragma, " \t", &save);

	if (verb && !strcmp(verb, "types"))
		return write_types(d, save);
	if (verb && !strcmp(verb, "field")) {
		char *type = strtok_r(NULL, " \t", &save);
		char *field = strtok_r(NULL, " \t", &save);

		if (field)
			return write_field(d, type, field);
	}
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

int nb_types_write(const char *text, FILE *out, char *missing, size_t size)
{
	struct dump d = { .out = out,
			  .missing = missing,
			  .missing_size = size };
	int err;

	if (size)
		missing[0] = '\0';
	d.btf = btf__parse_raw(VMLINUX_BTF);
	if (!d.btf)
		return -errno;
	d.dump = btf_dump__new(d.btf, print, out, NULL);
	err = d.dump ? each_pragma(&d, text) : -errno;
	btf_dump__free(d.dump);
	btf__free(d.btf);
	return err;
}
