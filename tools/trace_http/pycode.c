// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>

#include "pycode.h"

#define CODE_BUCKETS 1024

/* When there are more, all are forgotten. */
#define CODES_MAX 8192
#define BYTES_MAX (16u << 20)

struct http_pycodes {
	struct http_pyreader reader;
	struct http_py_config config;
	size_t n;
	size_t bytes;
	struct http_pyobj *buckets[CODE_BUCKETS];
};

int http_pycodes_new(pid_t pid, const struct http_py_config *config,
		     struct http_pycodes **ret)
{
	struct http_pycodes *codes = calloc(1, sizeof(*codes));

	if (!codes)
		return -ENOMEM;
	codes->config = *config;
	codes->reader.pid = pid;
	codes->reader.config = &codes->config;
	*ret = codes;
	return 0;
}

/* Take that out to which *@at points. */
static void forget(struct http_pycodes *codes, struct http_pyobj **at)
{
	struct http_pyobj *obj = *at;

	*at = obj->next;
	codes->n--;
	codes->bytes -= obj->nbytes;
	http_pyobj_free(obj);
}

static void forget_all(struct http_pycodes *codes)
{
	for (size_t i = 0; i < CODE_BUCKETS; i++)
		while (codes->buckets[i])
			forget(codes, &codes->buckets[i]);
}

void http_pycodes_free(struct http_pycodes *codes)
{
	if (!codes)
		return;
	forget_all(codes);
	free(codes);
}

const struct http_py_config *
http_pycodes_config(const struct http_pycodes *codes)
{
	return &codes->config;
}

/* The place of the pointer to that of @addr, or of the one to be. */
static struct http_pyobj **find_code(struct http_pycodes *codes, uint64_t addr)
{
	struct http_pyobj **at;

	at = &codes->buckets[(addr >> 4 ^ addr >> 14) % CODE_BUCKETS];
	while (*at && (*at)->addr != addr)
		at = &(*at)->next;
	return at;
}

static void keep(struct http_pycodes *codes, struct http_pyobj *obj)
{
	struct http_pyobj **at;

	if (codes->n >= CODES_MAX || codes->bytes >= BYTES_MAX)
		forget_all(codes);
	at = find_code(codes, obj->addr);
	obj->next = *at;
	*at = obj;
	codes->n++;
	codes->bytes += obj->nbytes;
}

int http_pycodes_get(struct http_pycodes *codes, uint64_t addr,
		     const struct http_pycode **ret)
{
	struct http_pyobj **at = find_code(codes, addr), *obj = *at, *new;
	int err = 0;

	if (obj)
		err = http_pyobj_same(&codes->reader, obj);
	if (err < 0 && err != -ESRCH && err != -EFAULT)
		return err;
	if (!obj || err == 0) {
		err = http_pyobj_read(&codes->reader, addr, &new);
		/* Of what is freed as a program ends, the last that was there.
		 */
		if (err && (!obj || err == -ENOMEM))
			return err;
		if (!err && obj)
			forget(codes, at);
		if (!err) {
			keep(codes, new);
			obj = new;
		}
	}
	*ret = &obj->code;
	return 0;
}
