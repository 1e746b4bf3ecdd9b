/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the running kernel offers, from its BTF (/sys/kernel/btf/vmlinux), and
 * from tracefs and /proc/kallsyms where there is none. Nothing is read before
 * it is asked for: parsing BTF takes 13 to 30 ms.
 */
#ifndef NB_KERNEL_H
#define NB_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nb_kernel;

/* 0 or -ENOMEM. The caller frees *ret with nb_kernel_free(). */
int nb_kernel_new(struct nb_kernel **ret);
void nb_kernel_free(struct nb_kernel *kernel);

/* Behave as if the kernel had no BTF (for tests). Before any question. */
void nb_kernel_hide_btf(struct nb_kernel *kernel);

/*
 * The number of arguments a raw tracepoint hands to its program (the function
 * prototype behind BTF's "btf_trace_NAME", less its first parameter). -ENOENT:
 * no such tracepoint; -ENODATA: it exists, but without BTF its arguments
 * can't be told; or another -errno.
 */
int nb_kernel_raw_tp_args(struct nb_kernel *kernel, const char *name);

/*
 * The id of the tracepoint "category/name", for perf_event_open(2). -ENOENT:
 * no such tracepoint; or why there is no tracefs (nb_kernel_tracefs()).
 */
int nb_kernel_tp_id(struct nb_kernel *kernel, const char *name);

/*
 * The root of tracefs, a descriptor that stays @kernel's. Where it is not
 * mounted, by a mount that nobody else sees. -EACCES: not allowed; -ENOENT: the
 * kernel has none; or another -errno.
 */
int nb_kernel_tracefs(struct nb_kernel *kernel);

/*
 * The id of the function @name in the kernel's BTF, for fentry. -ENOENT: BTF
 * has none (of a static function the compiler may have changed the arguments);
 * -ENODATA without BTF.
 */
int nb_kernel_func_id(struct nb_kernel *kernel, const char *name);

/* 1 when there is a function of that name, else 0; or -errno. */
int nb_kernel_has_func(struct nb_kernel *kernel, const char *name);

/*
 * 1 when struct or union @type has @field (also inside unnamed members), else
 * 0; -ENODATA without BTF.
 */
int nb_kernel_has_field(struct nb_kernel *kernel, const char *type,
			const char *field);

/*
 * The name of @value in the kernel's enum @type, as BTF has it; it lives as
 * long as @kernel. -ENOENT: no such enum or value; -ENODATA without BTF.
 */
int nb_kernel_enum_name(struct nb_kernel *kernel, const char *type,
			int64_t value, const char **ret);

#endif
