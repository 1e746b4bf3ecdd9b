// SPDX-License-Identifier: Apache-2.0
/* Which plan, and where its image comes from. */
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
#include "preempt.h"
#include "prog_impl.h"

/* What opening works with, and frees when it is done. */
struct opening {
	const struct nb_prog_spec *spec;
	const struct nb_plan *plan;
	struct nb_kernel *kernel;
	struct nb_error *why;
	struct nb_prog *prog;
	int cache;     /* its directory, or -errno */
	bool final;    /* what failed would fail with another plan as well */
	bool keep;     /* what is compiled is for later starts, too */
	bool preempts; /* the kernel does, which is of interest */
};

/* What an image is called, made with, and known by. */
struct recipe {
	char name[96];
	char plan[48];
	char variant[48];
	const char *defines[7];
	char *key;
	size_t key_len;
};

static bool plan_has_functions(const struct nb_plan *plan)
{
	for (size_t i = 0; i < plan->nhooks; i++)
		if (plan->hooks[i].kind == NB_HOOK_ENTRY ||
		    plan->hooks[i].kind == NB_HOOK_RETURN)
			return true;
	return false;
}

static bool plan_is_typed(const struct nb_plan *plan)
{
	for (size_t i = 0; i < plan->nhooks; i++)
		if (plan->hooks[i].typed)
			return true;
	return false;
}

/* 0 or -errno. On success the caller frees r->key. */
static int get_recipe(const struct opening *o, struct recipe *r)
{
	const struct nb_prog_args *args = o->spec->args;
	const char *variant = o->spec->variant;
	size_t n = 0;
	int err;

	memset(r, 0, sizeof(*r));
	snprintf(r->plan, sizeof(r->plan), "NB_PLAN_%s", o->plan->name);
	r->defines[n++] = r->plan;
	if (plan_has_functions(o->plan))
		r->defines[n++] = o->plan->how == NB_BY_FENTRY ? "NB_FENTRY"
							       : "NB_KPROBE";
	if (plan_is_typed(o->plan))
		r->defines[n++] = "NB_TYPED";
	if (!o->prog->ringbuf)
		r->defines[n++] = "NB_PERF_BUFFER";
	if (args->headers)
		r->defines[n++] = NB_DEFINE_HEADERS;
	if (variant) {
		snprintf(r->variant, sizeof(r->variant), "NB_WITH_%s", variant);
		r->defines[n++] = r->variant;
	}
	/*
	 * A plan that was asked for is none that was found to be the best, and
	 * it may not be that when the kernel preempts.
	 */
	snprintf(r->name, sizeof(r->name), "%s-%s%s%s%s%s%s%s.img",
		 o->spec->tool, o->plan->name, args->plan ? "-only" : "",
		 variant ? "-" : "", variant ? variant : "",
		 args->headers ? "-headers" : "",
		 o->prog->ringbuf ? "" : "-perf",
		 o->preempts ? "-preempt" : "");
	err = nb_image_key(o->spec->text, r->defines, &r->key, &r->key_len);
	if (err) {
		r->key = NULL;
		nb_error_set(o->why, err, "cannot name the image: %s",
			     strerror(-err));
	}
	return err;
}

static int attach(const struct opening *o, const struct nb_image *img)
{
	return nb_prog_attach(o->prog, o->spec, o->plan, img, o->kernel,
			      o->why);
}

/* The plan from its image in the cache. 0 or -errno. */
static int open_cached(const struct opening *o, const struct recipe *r)
{
	struct nb_image img;
	void *buf;
	int err;

	err = nb_cache_read(o->cache, r->name, r->key, r->key_len, &buf, &img);
	if (err) {
		if (err != -ENOENT)
			nb_verbose("cannot use the cached image '%s': %s",
				   r->name,
				   err == -ESTALE ? "made for something else"
						  : strerror(-err));
		return nb_error_set(o->why, -ENOENT, "not in the cache");
	}
	err = attach(o, &img);
	free(buf);
	if (err)
		nb_verbose("cannot use the cached image '%s': %s", r->name,
			   o->why->text);
	return err;
}

/* Does the kernel have every hook of the plan? 0 or -errno. */
static int plan_usable(const struct opening *o)
{
	const char *without = o->plan->without;

	for (size_t i = 0; i < o->plan->nhooks; i++) {
		const struct nb_hook *hook = &o->plan->hooks[i];
		int err;

		/*
		 * Functions always: where an invocation with none would find
		 * this plan in the cache, so would one with some.
		 */
		if (hook->optional || (!(hook->need & o->spec->want) &&
				       hook->kind != NB_HOOK_ENTRY &&
				       hook->kind != NB_HOOK_RETURN))
			continue;
		err = nb_hook_usable(o->kernel, o->plan->how, hook, o->why);
		if (err)
			return err;
	}
	if (without && nb_kernel_func_id(o->kernel, without) >= 0)
		return nb_error_set(
			o->why, -EOPNOTSUPP,
			"cannot use plan '%s': it does not see the function '%s' of this kernel",
			o->plan->name, without);
	return 0;
}

/* The image that netbcc-cc makes, also into the cache. 0 or -errno. */
static int compile(const struct opening *o, const struct recipe *r,
		   void **ret_buf, struct nb_image *img)
{
	size_t len;
	void *buf;
	int err, lost;

	err = nb_compile(o->spec->text, r->defines, &buf, &len, o->why);
	if (err)
		return err;
	err = nb_image_parse(buf, len, img);
	if (!err && (img->key_len != r->key_len ||
		     memcmp(img->key, r->key, r->key_len)))
		err = -ESTALE;
	if (err) {
		free(buf);
		return nb_error_set(
			o->why, err,
			"cannot use what netbcc-cc made: %s (install netbcc again)",
			err == -ESTALE ? "it is of another version"
				       : "damaged image");
	}
	if (o->cache >= 0 && o->keep) {
		lost = nb_cache_write(o->cache, r->name, buf, len);
		if (lost)
			nb_verbose("cannot keep the image '%s': %s", r->name,
				   strerror(-lost));
	}
	*ret_buf = buf;
	return 0;
}

/* The plan, compiled. 0 or -errno. */
static int open_fresh(struct opening *o, const struct recipe *r)
{
	struct nb_image img;
	void *buf = NULL;
	int err = plan_usable(o);

	if (err)
		return err;
	err = compile(o, r, &buf, &img);
	o->final = err;
	if (err)
		return err;
	err = attach(o, &img);
	free(buf);
	return err;
}

/* Does the kernel take the processor from the programs of any plan? */
static bool is_preempted(const struct nb_prog_spec *spec)
{
	for (size_t i = 0; i < spec->nplans; i++)
		if (spec->plans[i].preempted)
			return nb_preempt();
	return false;
}

/*
 * Go on to the @n-th plan; those that would lose events here are behind all
 * others. false: another one is asked for.
 */
static bool take_plan(struct opening *o, size_t n)
{
	const struct nb_prog_spec *spec = o->spec;
	const struct nb_plan *plan;

	for (int last = 0; last <= 1; last++) {
		for (size_t i = 0; i < spec->nplans; i++) {
			plan = &spec->plans[i];
			if ((o->preempts && plan->preempted) != last || n--)
				continue;
			o->plan = plan;
			return !spec->args->plan || spec->args->plan == i + 1;
		}
	}
	return false;
}

/* The first plan that works of those that are in the cache. 0 or -errno. */
static int open_any_cached(struct opening *o)
{
	const struct nb_prog_spec *spec = o->spec;
	struct recipe r;
	int err = -ENOENT;

	for (size_t i = 0; i < spec->nplans && err && err != -EPERM; i++) {
		if (!take_plan(o, i))
			continue;
		err = get_recipe(o, &r);
		if (!err)
			err = open_cached(o, &r);
		free(r.key);
	}
	return err;
}

/*
 * The first plan that works. 0 or -errno, then with the reason of the plan that
 * wants least of the kernel: tracepoints.
 */
static int open_any_fresh(struct opening *o)
{
	const struct nb_prog_spec *spec = o->spec;
	struct nb_error why = { "" };
	struct recipe r;
	int err, ret = 0;
	bool functions = true;

	for (size_t i = 0; i < spec->nplans; i++) {
		if (!take_plan(o, i))
			continue;
		err = get_recipe(o, &r);
		if (!err)
			err = open_fresh(o, &r);
		free(r.key);
		if (!err || err == -EPERM || o->final)
			return err;
		nb_verbose("plan '%s': %s", o->plan->name, o->why->text);
		/* It may be there next time, and should be taken then. */
		if (err != -ENOENT && err != -ENODATA && err != -EOPNOTSUPP)
			o->keep = false;
		if (!ret || (functions && !plan_has_functions(o->plan))) {
			ret = err;
			why = *o->why;
			functions = plan_has_functions(o->plan);
		}
	}
	if (spec->args->plan || spec->nplans == 1)
		return nb_error_set(o->why, ret, "%s", why.text);
	return nb_error_set(o->why, ret,
			    "%s; no other plan works either (-v shows why)",
			    why.text);
}

/*
 * What the user named is looked at before anything is compiled for it. 0 or
 * -errno.
 */
static int check_pinned(const struct opening *o)
{
	const struct nb_prog_map *maps = o->spec->maps;
	int fd;

	for (size_t i = 0; i < o->spec->nmaps; i++) {
		if (!maps[i].pinned)
			continue;
		fd = nb_load_pinned(maps[i].key_size, maps[i].pinned, o->why);
		/* Who may not is told so when something is loaded. */
		if (fd == -EPERM)
			continue;
		if (fd < 0)
			return fd;
		close(fd);
	}
	return 0;
}

int nb_prog_open(const struct nb_prog_spec *spec, struct nb_prog **ret,
		 struct nb_error *why)
{
	struct opening o = {
		.spec = spec,
		.why = why,
		.cache = -ECANCELED,
		.keep = true,
		.preempts = is_preempted(spec),
	};
	int err = check_pinned(&o);

	if (err)
		return err;
	err = -ENOENT;
	o.prog = calloc(1, sizeof(*o.prog));
	if (!o.prog || nb_kernel_new(&o.kernel)) {
		free(o.prog);
		return nb_error_set(why, -ENOMEM, "out of memory");
	}
	libbpf_set_print(NULL); /* it would print; it also returns its errors */
	nb_kprobes_clean(o.kernel);
	o.prog->ringbuf = !spec->args->perf_buffer && nb_load_has_ringbuf();
	if (!spec->args->no_cache) {
		o.cache = nb_cache_open();
		if (o.cache < 0)
			nb_verbose("cannot use the cache: %s",
				   strerror(-o.cache));
	}
	if (o.cache >= 0) {
		err = open_any_cached(&o);
		o.prog->warm = !err;
	}
	if (err && err != -EPERM)
		err = open_any_fresh(&o);
	if (o.cache >= 0)
		close(o.cache);
	nb_kernel_free(o.kernel);
	/* What BTF took, 20 MB for a moment, is not to stay resident. */
	malloc_trim(0);
	if (err) {
		nb_prog_free(o.prog);
		return err;
	}
	o.prog->plan = o.plan->name;
	*ret = o.prog;
	return 0;
}
