/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every eBPF text starts with. Kernel types come from BTF, by the text's
 * "#pragma netbcc" lines (lib/cc/types.h), or from linux-headers, which each
 * text includes under NB_TYPES_HEADERS.
 */
#ifndef NB_BPF_KERNEL_H
#define NB_BPF_KERNEL_H

/*
 * Read the kernel's *@from into *@to. Explicit everywhere: libbcc rewrites
 * plain dereferences in programs, but not in the functions they call.
 */
#define NB_READ(to, from) \
	bpf_probe_read_kernel((void *)(to), sizeof(*(to)), (const void *)(from))

/*
 * The value of the kernel's @ptr->field, zero where it can't be read: a read
 * that faults zeroes what it was to fill (bpf_probe_read_kernel_common() in
 * kernel/trace/bpf_trace.c).
 */
#define NB_GET(ptr, field)                      \
	({                                      \
		__typeof__((ptr)->field) nb_v_; \
		NB_READ(&nb_v_, &(ptr)->field); \
		nb_v_;                          \
	})

/* Mostly false: what it is about may stand out of the way. */
#define NB_RARE(x) __builtin_expect(!!(x), 0)

/*
 * @n, a number or a pointer, as a number of which the verifier knows nothing:
 * what an atomic instruction leaves in memory has neither type nor bounds. So
 * there may be arithmetic with a pointer whose type it knows, and where ways
 * meet there is one state to look at, not one for each value that @n could
 * have.
 */
static inline u64 nb_forget(u64 n)
{
	u64 ret = 0;

	__sync_fetch_and_add(&ret, n);
	return ret;
}

/*
 * Behind a look-up in one of several maps, with a number of its own: keeps the
 * compiler from making one call of them all. Only where the verifier knows
 * which map it is does it put the look-up in place of two calls through
 * pointers (map_gen_lookup, kernel/bpf/verifier.c).
 */
#define NB_APART(found, n) asm volatile("" ::"i"(n), "r"(found))

#endif
