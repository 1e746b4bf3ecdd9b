// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "pyobj.h"

/* The most of a code object that is read, and of a table of lines. */
#define CODE_MAX 512
#define TABLE_MAX (1u << 20)

/* Of a str's characters those that are kept. */
#define NAME_MAX_CHARS 1000
#define FILE_MAX_CHARS 1000

/* Bytes of a character. */
#define UTF8_MAX 4

/* Is this PyCode_Type's address? Types are known by their names. */
static int check_type(struct http_pyreader *r, uint64_t type)
{
	uint64_t name;
	char text[5];
	int err;

	if (r->type && r->type == type)
		return 0;
	err = http_pymem_pointer(r->pid, type + r->config->type_name, &name);
	if (err == 0)
		err = http_pymem_read(r->pid, name, text, sizeof(text));
	if (err == 0 && memcmp(text, "code", sizeof(text)))
		err = -EINVAL;
	if (err == 0)
		r->type = type;
	return err;
}

static uint64_t field_at(const uint8_t *code, uint32_t off, size_t len)
{
	uint64_t n = 0;

	memcpy(&n, code + off, len);
	return n;
}

/* The lengths of what the code object has. */
static int read_lengths(const struct http_pyreader *r, struct http_pystamp *s)
{
	const struct http_py_config *c = r->config;
	int err;

	err = http_pymem_pointer(r->pid, s->name + c->str_length, &s->name_len);
	if (err == 0)
		err = http_pymem_pointer(r->pid, s->file + c->str_length,
					 &s->file_len);
	if (err == 0)
		err = http_pymem_pointer(r->pid, s->table + c->bytes_size,
					 &s->table_len);
	return err == 0 && s->table_len > TABLE_MAX ? -EINVAL : err;
}

static int read_stamp(struct http_pyreader *r, uint64_t addr,
		      struct http_pystamp *ret)
{
	const struct http_py_config *c = r->config;
	uint8_t code[CODE_MAX];
	uint32_t name = c->code_qualname ? c->code_qualname : c->code_name;
	int err;

	if (c->code_size > sizeof(code))
		return -EINVAL;
	err = http_pymem_read(r->pid, addr, code, c->code_size);
	if (err)
		return err;
	*ret = (struct http_pystamp){
		.type = field_at(code, c->obj_type, 8),
		.name = field_at(code, name, 8),
		.file = field_at(code, c->code_file, 8),
		.table = field_at(code, c->code_table, 8),
		.first = field_at(code, c->code_line, 4),
	};
	if (c->code_traceable)
		ret->traceable = field_at(code, c->code_traceable, 4);
	err = check_type(r, ret->type);
	return err ? err : read_lengths(r, ret);
}

/* Read the texts and the table of @e to @to, which has room for e->nbytes. */
static int read_bytes(const struct http_pyreader *r, const struct http_pyobj *e,
		      uint8_t *to)
{
	const uint64_t table = e->stamp.table + r->config->bytes_data;
	const struct iovec from[] = {
		{ (void *)(uintptr_t)table, e->stamp.table_len },
		{ (void *)(uintptr_t)e->name.addr, e->name.n * e->name.width },
		{ (void *)(uintptr_t)e->file.addr, e->file.n * e->file.width },
	};
	const struct iovec into = { to, e->nbytes };
	ssize_t n = process_vm_readv(r->pid, &into, 1, from, 3, 0);

	if (n < 0)
		return -errno;
	return (size_t)n == e->nbytes ? 0 : -EFAULT;
}

int http_pyobj_same(struct http_pyreader *r, const struct http_pyobj *e)
{
	struct http_pystamp now;
	uint8_t *bytes;
	int err = read_stamp(r, e->addr, &now);

	if (err)
		return err == -ESRCH || err == -ENOMEM ? err : 0;
	if (memcmp(&now, &e->stamp, sizeof(now)))
		return 0;
	bytes = malloc(e->nbytes + 1);
	if (!bytes)
		return -ENOMEM;
	err = read_bytes(r, e, bytes);
	if (err == 0)
		err = !memcmp(bytes, e->bytes, e->nbytes);
	else if (err != -ESRCH)
		err = 0;
	free(bytes);
	return err;
}

/* Make texts of the bytes. 0 or -ENOMEM. */
static int set_code(struct http_pyobj *e)
{
	const uint8_t *name = e->bytes + e->stamp.table_len;
	const uint8_t *file = name + e->name.n * e->name.width;
	size_t name_size = UTF8_MAX * e->name.n + 1;
	size_t file_size = UTF8_MAX * e->file.n + 1;

	e->texts = malloc(name_size + file_size);
	if (!e->texts)
		return -ENOMEM;
	http_pymem_utf8(name, e->name.n, e->name.width, e->texts, name_size);
	http_pymem_utf8(file, e->file.n, e->file.width, e->texts + name_size,
			file_size);
	e->code = (struct http_pycode){
		.name = e->texts,
		.file = e->texts + name_size,
		.table = e->bytes,
		.table_len = e->stamp.table_len,
		.first = e->stamp.first,
		.traceable = e->stamp.traceable,
	};
	return 0;
}

/* Read all that there is to @e->addr. */
static int fill(struct http_pyreader *r, struct http_pyobj *e)
{
	int err = read_stamp(r, e->addr, &e->stamp);

	if (err == 0)
		err = http_pymem_str(r->pid, r->config, e->stamp.name, false,
				     NAME_MAX_CHARS, &e->name);
	if (err == 0)
		err = http_pymem_str(r->pid, r->config, e->stamp.file, true,
				     FILE_MAX_CHARS, &e->file);
	if (err)
		return err;
	e->nbytes = e->stamp.table_len + e->name.n * e->name.width +
		    e->file.n * e->file.width;
	e->bytes = malloc(e->nbytes + 1);
	if (!e->bytes)
		return -ENOMEM;
	err = read_bytes(r, e, e->bytes);
	/* Was it the same all the time? */
	if (err == 0)
		err = http_pyobj_same(r, e);
	if (err != 1)
		return err ? err : -EINVAL;
	return set_code(e);
}

int http_pyobj_read(struct http_pyreader *r, uint64_t addr,
		    struct http_pyobj **ret)
{
	struct http_pyobj *e = calloc(1, sizeof(*e));
	int err;

	if (!e)
		return -ENOMEM;
	e->addr = addr;
	err = fill(r, e);
	if (err) {
		http_pyobj_free(e);
		return err;
	}
	*ret = e;
	return 0;
}

void http_pyobj_free(struct http_pyobj *obj)
{
	if (!obj)
		return;
	free(obj->texts);
	free(obj->bytes);
	free(obj);
}
