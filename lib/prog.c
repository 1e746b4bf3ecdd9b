// SPDX-License-Identifier: Apache-2.0
#include "prog.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compile.h"
#include "image.h"
#include "kernel.h"
#include "load.h"

#define MAX_HOOKS 32

struct nb_prog {
	char plan[32];
	bool warm;
	bool ringbuf;
	size_t nmaps;
	struct nb_image_map defs[NB_IMAGE_MAX_MAPS];
	int maps[NB_IMAGE_MAX_MAPS];
	size_t nlinks;
	int links[MAX_HOOKS];
	struct nb_kprobes kprobes;
	uint64_t missed; /* of kprobes that are removed */
	size_t nprogs;
	struct {
		const char *name; /* of the hook's program, static */
		int fd;
		bool nested_ok;
	} progs[MAX_HOOKS];
};

/* What opening works with, and frees when it is done. */
struct opening {
	const struct nb_prog_spec *spec;
	const struct nb_plan *plan;
	struct nb_kernel *kernel;
	struct nb_error *why;
	struct nb_prog *prog;
	bool ignore_cached;
	void *buf; /* the image's bytes */
	struct nb_image img;
};

static bool wanted(const struct opening *o, const struct nb_hook *hook)
{
	return hook->need & o->spec->want;
}

/* Does the kernel have every hook of the plan? 0 or -errno. */
static int plan_usable(struct opening *o)
{
	for (size_t i = 0; i < o->plan->nhooks; i++) {
		const struct nb_hook *hook = &o->plan->hooks[i];
		int err;

		if (!wanted(o, hook) || hook->optional)
			continue;
		err = nb_hook_usable(o->kernel, o->plan->how, hook, o->why);
		if (err)
			return err;
	}
	return 0;
}

static bool plan_has_functions(const struct nb_plan *plan)
{
	for (size_t i = 0; i < plan->nhooks; i++)
		if (plan->hooks[i].kind == NB_HOOK_ENTRY ||
		    plan->hooks[i].kind == NB_HOOK_RETURN)
			return true;
	return false;
}

/* The image for the plan: from the cache, or compiled. 0 or -errno. */
static int get_image(struct opening *o)
{
	const struct nb_prog_args *args = o->spec->args;
	const char *variant = o->spec->variant;
	char plan[48], with[48], name[96], *key;
	const char *defines[6] = { plan };
	size_t n = 1;
	int dir = -ECANCELED, err;
	size_t key_len, len;

	o->prog->ringbuf = !args->perf_buffer && nb_load_has_ringbuf();
	snprintf(plan, sizeof(plan), "NB_PLAN_%s", o->plan->name);
	if (plan_has_functions(o->plan))
		defines[n++] = o->plan->how == NB_BY_FENTRY ? "NB_FENTRY"
							    : "NB_KPROBE";
	if (!o->prog->ringbuf)
		defines[n++] = "NB_PERF_BUFFER";
	if (args->headers)
		defines[n++] = NB_DEFINE_HEADERS;
	if (variant) {
		snprintf(with, sizeof(with), "NB_WITH_%s", variant);
		defines[n++] = with;
	}
	snprintf(name, sizeof(name), "%s-%s%s%s%s%s.img", o->spec->tool,
		 o->plan->name, variant ? "-" : "", variant ? variant : "",
		 args->headers ? "-headers" : "",
		 o->prog->ringbuf ? "" : "-perf");
	err = nb_image_key(o->spec->text, defines, &key, &key_len);
	if (err)
		return nb_error_set(o->why, err, "cannot name the image: %s",
				    strerror(-err));

	if (!args->no_cache) {
		dir = nb_cache_open();
		if (dir < 0)
			nb_verbose("cannot use the cache: %s", strerror(-dir));
	}
	o->prog->warm = false;
	if (dir >= 0 && !o->ignore_cached) {
		err = nb_cache_read(dir, name, key, key_len, &o->buf, &o->img);
		o->prog->warm = !err;
		if (err && err != -ENOENT)
			nb_verbose("cannot use the cached image '%s': %s", name,
				   err == -ESTALE ? "made for something else"
						  : strerror(-err));
		if (!err)
			goto out;
	}

	err = plan_usable(o);
	if (err)
		goto out;
	err = nb_compile(o->spec->text, defines, &o->buf, &len, o->why);
	if (err)
		goto out;
	err = nb_image_parse(o->buf, len, &o->img);
	if (!err &&
	    (o->img.key_len != key_len || memcmp(o->img.key, key, key_len)))
		err = -ESTALE;
	if (err) {
		nb_error_set(
			o->why, err,
			"cannot use what netbcc-cc made: %s (install netbcc again)",
			err == -ESTALE ? "it is of another version"
				       : "damaged image");
		goto out;
	}
	if (dir >= 0) {
		int lost = nb_cache_write(dir, name, o->buf, len);

		if (lost)
			nb_verbose("cannot keep the image '%s': %s", name,
				   strerror(-lost));
	}
out:
	if (dir >= 0)
		close(dir);
	free(key);
	return err;
}

static int create_map(struct opening *o, const struct nb_image_map *map)
{
	const struct nb_prog_spec *spec = o->spec;
	uint32_t entries = 0;

	if (map->type == BPF_MAP_TYPE_RINGBUF)
		entries = spec->args->buffer_kb * 1024;
	for (size_t i = 0; i < spec->nmaps; i++) {
		if (strcmp(spec->maps[i].name, map->name))
			continue;
		if (spec->maps[i].pinned)
			return nb_load_pinned(map, spec->maps[i].pinned,
					      o->why);
		entries = spec->maps[i].max_entries;
	}
	return nb_load_map(map, entries, o->why);
}

static int create_maps(struct opening *o)
{
	struct nb_prog *p = o->prog;

	for (uint32_t i = 0; i < o->img.map_count; i++) {
		int fd = create_map(o, &o->img.maps[i]);

		if (fd < 0)
			return fd;
		p->maps[i] = fd;
		p->defs[i] = o->img.maps[i];
		p->nmaps = i + 1;
	}
	return 0;
}

/* The hook's program, loaded once however many hooks it has. */
static int get_program(struct opening *o, const struct nb_hook *hook)
{
	struct nb_prog *p = o->prog;
	struct nb_load load;
	int fd, err;

	for (size_t i = 0; i < p->nprogs && !hook->twice; i++)
		if (!strcmp(p->progs[i].name, hook->prog))
			return p->progs[i].fd;
	if (p->nprogs == MAX_HOOKS)
		return nb_error_set(o->why, -E2BIG, "too many programs");
	err = nb_hook_load(&o->img, o->plan->how, hook, &load, o->why);
	if (err)
		return err;
	fd = nb_load_prog(&o->img, hook->prog, &load, p->maps, o->why);
	if (fd < 0)
		return fd;
	p->progs[p->nprogs].name = hook->prog;
	p->progs[p->nprogs].nested_ok = hook->nested_ok || hook->twice;
	p->progs[p->nprogs++].fd = fd;
	return fd;
}

static int attach(struct opening *o, const struct nb_hook *hook)
{
	int prog, link;

	if (o->prog->nlinks == MAX_HOOKS)
		return nb_error_set(o->why, -E2BIG, "too many hooks");
	prog = get_program(o, hook);
	if (prog < 0)
		return prog;
	link = nb_hook_attach(o->kernel, o->plan->how, hook, prog,
			      &o->prog->kprobes, o->why);
	if (link < 0)
		return link;
	o->prog->links[o->prog->nlinks++] = link;
	return 0;
}

static void release(struct nb_prog *p)
{
	while (p->nprogs)
		close(p->progs[--p->nprogs].fd);
	while (p->nmaps)
		close(p->maps[--p->nmaps]);
}

static int attach_all(struct opening *o)
{
	int err = create_maps(o);

	for (size_t i = 0; i < o->plan->nhooks && !err; i++) {
		const struct nb_hook *hook = &o->plan->hooks[i];

		if (!wanted(o, hook))
			continue;
		err = attach(o, hook);
		if (!err && hook->twice)
			err = attach(o, hook);
		if (err && hook->optional) {
			nb_verbose("%s", o->why->text);
			err = 0;
		}
	}
	return err;
}

/*
 * The plan, attached. An image from the cache that the kernel refuses is made
 * anew, once.
 */
static int open_plan(struct opening *o)
{
	int err;

	o->ignore_cached = o->spec->args->no_cache;
	for (;;) {
		err = get_image(o);
		if (!err)
			err = attach_all(o);
		free(o->buf);
		o->buf = NULL;
		if (!err)
			break;
		nb_prog_detach(o->prog);
		release(o->prog);
		if (!o->prog->warm || o->ignore_cached || err == -EPERM)
			return err;
		nb_verbose("cannot use the cached image: %s", o->why->text);
		o->ignore_cached = true;
	}
	snprintf(o->prog->plan, sizeof(o->prog->plan), "%s", o->plan->name);
	return 0;
}

int nb_prog_open(const struct nb_prog_spec *spec, struct nb_prog **ret,
		 struct nb_error *why)
{
	struct opening o = { .spec = spec, .why = why };
	int err = -ENOENT;

	o.prog = calloc(1, sizeof(*o.prog));
	if (!o.prog || nb_kernel_new(&o.kernel)) {
		free(o.prog);
		return nb_error_set(why, -ENOMEM, "out of memory");
	}
	libbpf_set_print(NULL); /* it would print; it also returns its errors */
	nb_kprobes_clean(o.kernel);
	for (size_t i = 0; i < spec->nplans && err; i++) {
		o.plan = &spec->plans[i];
		if (spec->args->plan && spec->args->plan != i + 1)
			continue;
		err = open_plan(&o);
		if (!err)
			break;
		/* What another plan would fail at just the same. */
		if (err == -ENOEXEC || err == -EPERM)
			break;
		nb_verbose("plan '%s': %s", o.plan->name, why->text);
	}
	nb_kernel_free(o.kernel);
	/* What BTF took, 20 MB for a moment, is not to stay resident. */
	malloc_trim(0);
	if (err) {
		nb_prog_free(o.prog);
		return err;
	}
	*ret = o.prog;
	return 0;
}

void nb_prog_detach(struct nb_prog *p)
{
	p->missed += nb_kprobes_missed(&p->kprobes);
	while (p->nlinks)
		close(p->links[--p->nlinks]);
	nb_kprobes_remove(&p->kprobes);
}

void nb_prog_free(struct nb_prog *p)
{
	if (!p)
		return;
	nb_prog_detach(p);
	release(p);
	free(p);
}

const char *nb_prog_plan(const struct nb_prog *p)
{
	return p->plan;
}

bool nb_prog_warm(const struct nb_prog *p)
{
	return p->warm;
}

static const struct nb_image_map *find_map(const struct nb_prog *p,
					   const char *name)
{
	for (size_t i = 0; i < p->nmaps; i++)
		if (!strcmp(p->defs[i].name, name))
			return &p->defs[i];
	return NULL;
}

int nb_prog_map(const struct nb_prog *p, const char *name)
{
	const struct nb_image_map *map = find_map(p, name);

	return map ? p->maps[map - p->defs] : -ENOENT;
}

int nb_prog_set(const struct nb_prog *p, const char *name, const void *key,
		size_t key_size, const void *value, size_t value_size)
{
	const struct nb_image_map *map = find_map(p, name);

	if (!map)
		return -ENOENT;
	/* The sizes are the image's, which may be damaged. */
	if (map->key_size != key_size || map->value_size != value_size)
		return -EMSGSIZE;
	return bpf_map_update_elem(p->maps[map - p->defs], key, value, BPF_ANY);
}

bool nb_prog_has_ringbuf(const struct nb_prog *p)
{
	return p->ringbuf;
}

int nb_prog_count(const struct nb_prog *p, enum nb_counter which, uint64_t *ret)
{
	const struct nb_image_map *map = find_map(p, "counters");
	__u32 key = which;

	if (!map)
		return -ENOENT;
	if (map->key_size != sizeof(key) || map->value_size != sizeof(*ret))
		return -EMSGSIZE;
	return bpf_map_lookup_elem(p->maps[map - p->defs], &key, ret);
}

uint64_t nb_prog_missed(const struct nb_prog *p)
{
	uint64_t sum = p->missed + nb_kprobes_missed(&p->kprobes);

	for (size_t i = 0; i < p->nprogs; i++) {
		struct bpf_prog_info info = { 0 };
		__u32 len = sizeof(info);

		if (!p->progs[i].nested_ok &&
		    !bpf_obj_get_info_by_fd(p->progs[i].fd, &info, &len))
			sum += info.recursion_misses;
	}
	return sum;
}
