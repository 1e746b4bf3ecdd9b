// SPDX-License-Identifier: Apache-2.0
#include "prog_impl.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "uprobe.h"

/* What attaching works with. */
struct attaching {
	struct nb_prog *prog;
	const struct nb_prog_spec *spec;
	const struct nb_plan *plan;
	const struct nb_image *img;
	struct nb_kernel *kernel;
	struct nb_error *why;
};

static bool is_uprobe(const struct nb_hook *hook)
{
	return hook->kind == NB_HOOK_UPROBE || hook->kind == NB_HOOK_URETPROBE;
}

/* The map of the same name of another program's. -ENOENT: it has none. */
static int shared_map(const struct attaching *a, const struct nb_image_map *map)
{
	const struct nb_prog *from = a->spec->share;

	for (size_t i = 0; from && i < from->nmaps; i++) {
		const struct nb_image_map *def = &from->defs[i];
		int fd;

		if (strcmp(def->name, map->name))
			continue;
		if (def->type != map->type || def->key_size != map->key_size ||
		    def->value_size != map->value_size)
			return nb_error_set(
				a->why, -EINVAL,
				"cannot share the map '%s': it is another one",
				map->name);
		fd = fcntl(from->maps[i], F_DUPFD_CLOEXEC, 0);
		if (fd < 0)
			return nb_error_set(a->why, -errno,
					    "cannot share the map '%s': %s",
					    map->name, strerror(errno));
		return fd;
	}
	return -ENOENT;
}

static int create_map(const struct attaching *a, const struct nb_image_map *map)
{
	const struct nb_prog_spec *spec = a->spec;
	int shared = shared_map(a, map);
	uint32_t entries = 0;

	if (shared != -ENOENT)
		return shared;

	if (map->type == BPF_MAP_TYPE_RINGBUF)
		entries = spec->args->buffer_kb * 1024;
	for (size_t i = 0; i < spec->nmaps; i++) {
		if (strcmp(spec->maps[i].name, map->name))
			continue;
		if (spec->maps[i].pinned)
			return nb_load_pinned(map->key_size,
					      spec->maps[i].pinned, a->why);
		entries = spec->maps[i].max_entries;
	}
	return nb_load_map(map, entries, a->why);
}

static int create_maps(const struct attaching *a)
{
	struct nb_prog *p = a->prog;

	for (uint32_t i = 0; i < a->img->map_count; i++) {
		int fd = create_map(a, &a->img->maps[i]);

		if (fd < 0)
			return fd;
		p->maps[i] = fd;
		p->defs[i] = a->img->maps[i];
		p->nmaps = i + 1;
	}
	return 0;
}

/* Is a program of this type, which was not loaded, what the kernel dislikes? */
static bool refused(enum bpf_prog_type type, int err)
{
	switch (type) {
	case BPF_PROG_TYPE_TRACING:
		/* Not allowed for functions, it may be for tracepoints. */
		return err == -EPERM;
	case BPF_PROG_TYPE_PERF_EVENT:
		/* With maps that allocate: before Linux 6.1. */
		return err == -EPERM || err == -EINVAL;
	default:
		return false;
	}
}

/* What the hook's program may go on with, which is loaded as that is. */
static int add_more(const struct attaching *a, const struct nb_hook *hook,
		    const struct nb_load *load)
{
	const __u32 zero = 0;
	int fd, err;

	/* There already, of another hook that may share it? */
	if (is_uprobe(hook) &&
	    !bpf_map_lookup_elem(nb_prog_map(a->prog, hook->more_map), &zero,
				 &fd))
		return 0;
	fd = nb_load_prog(a->img, hook->more, load, a->prog->maps, a->why);
	if (fd < 0)
		return refused(load->type, fd) ? -EOPNOTSUPP : fd;
	/* The map keeps the program. */
	err = nb_prog_set(a->prog, hook->more_map, &zero, sizeof(zero), &fd,
			  sizeof(fd));
	close(fd);
	if (!err)
		return 0;
	return nb_error_set(a->why, err,
			    "cannot have the program '%s' called: %s",
			    hook->more, strerror(-err));
}

/* The hook's program, loaded once however many hooks it has. */
static int get_program(const struct attaching *a, const struct nb_hook *hook)
{
	/* One that knows types is for that function or tracepoint. */
	bool own = hook->twice || hook->kind == NB_HOOK_ENTRY ||
		   hook->kind == NB_HOOK_RETURN || hook->kind == NB_HOOK_ITER ||
		   hook->typed;
	struct nb_prog *p = a->prog;
	struct nb_load load;
	int fd, err;

	for (size_t i = 0; i < p->nprogs && !own; i++)
		if (!strcmp(p->progs[i].name, hook->prog))
			return p->progs[i].fd;
	if (p->nprogs == NB_PROG_HOOKS)
		return nb_error_set(a->why, -E2BIG, "too many programs");
	err = nb_hook_load(a->img, a->plan->how, hook, &load, a->why);
	if (!err && hook->more)
		err = add_more(a, hook, &load);
	if (err)
		return err;
	fd = nb_load_prog(a->img, hook->prog, &load, p->maps, a->why);
	if (fd < 0)
		return refused(load.type, fd) ? -EOPNOTSUPP : fd;
	p->progs[p->nprogs].name = hook->prog;
	p->progs[p->nprogs].nested_ok = hook->nested_ok || hook->twice;
	p->progs[p->nprogs++].fd = fd;
	return fd;
}

static int attach(const struct attaching *a, const struct nb_hook *hook)
{
	int prog = get_program(a, hook);

	if (prog < 0 || is_uprobe(hook))
		return prog < 0 ? prog : 0;
	return nb_hook_attach(a->kernel, a->plan->how, hook, prog,
			      &a->prog->links, &a->prog->kprobes, a->why);
}

static void release(struct nb_prog *p)
{
	while (p->nprogs)
		close(p->progs[--p->nprogs].fd);
	while (p->nmaps)
		close(p->maps[--p->nmaps]);
}

static int attach_all(const struct attaching *a)
{
	int err = create_maps(a);

	for (size_t i = 0; i < a->plan->nhooks && !err; i++) {
		const struct nb_hook *hook = &a->plan->hooks[i];

		if (!(hook->need & a->spec->want))
			continue;
		err = attach(a, hook);
		if (!err && hook->twice)
			err = attach(a, hook);
		if ((err == -ENOENT || err == -EOPNOTSUPP) && hook->optional) {
			nb_verbose("left out: %s", a->why->text);
			err = 0;
		}
	}
	return err;
}

int nb_prog_attach(struct nb_prog *prog, const struct nb_prog_spec *spec,
		   const struct nb_plan *plan, const struct nb_image *img,
		   struct nb_kernel *kernel, struct nb_error *why)
{
	const struct attaching a = { prog, spec, plan, img, kernel, why };
	int err = attach_all(&a);

	prog->hooks = plan;
	prog->want = spec->want;
	if (err) {
		nb_prog_detach(prog);
		release(prog);
	}
	return err;
}

static int find_prog(const struct nb_prog *p, const char *name)
{
	for (size_t i = 0; i < p->nprogs; i++)
		if (!strcmp(p->progs[i].name, name))
			return p->progs[i].fd;
	return -ENOENT;
}

static int attach_symbol(struct nb_prog *p, const struct nb_hook *hook,
			 const char *path, uint64_t offset)
{
	bool ret = hook->kind == NB_HOOK_URETPROBE;
	int link =
		nb_uprobe_attach(path, offset, ret, find_prog(p, hook->prog));

	return link < 0 ? link : nb_links_add(&p->file_links, link);
}

int nb_prog_attach_file(struct nb_prog *p, const char *path,
			const struct nb_prog_symbol *symbols, size_t n,
			struct nb_error *why)
{
	size_t before = p->file_links.n;
	int err = 0;

	for (size_t i = 0; i < p->hooks->nhooks && !err; i++) {
		const struct nb_hook *hook = &p->hooks->hooks[i];

		if (!is_uprobe(hook) || !(hook->need & p->want))
			continue;
		for (size_t k = 0; k < n && !err; k++)
			if (symbols[k].offset &&
			    !strcmp(symbols[k].name, hook->target))
				err = attach_symbol(p, hook, path,
						    symbols[k].offset);
	}
	if (!err)
		return (int)(p->file_links.n - before);
	nb_links_cut(&p->file_links, before);
	return nb_error_set(why, err, "cannot attach to the file '%s': %s",
			    path, strerror(-err));
}

void nb_prog_detach(struct nb_prog *p)
{
	p->missed += nb_kprobes_missed(&p->kprobes);
	nb_links_close(&p->links);
	nb_links_close_at_once(&p->file_links);
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

void nb_prog_sums(const struct nb_prog *p, const char *map, size_t n,
		  uint64_t *ret)
{
	int fd = nb_prog_map(p, map), cpus = libbpf_num_possible_cpus();
	uint64_t *values =
		cpus > 0 ? calloc((size_t)cpus, sizeof(*values)) : NULL;

	memset(ret, 0, n * sizeof(*ret));
	for (uint32_t k = 0; k < n && values; k++) {
		if (bpf_map_lookup_elem(fd, &k, values))
			continue;
		for (int i = 0; i < cpus; i++)
			ret[k] += values[i];
	}
	free(values);
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
