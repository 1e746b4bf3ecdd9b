// SPDX-License-Identifier: Apache-2.0
/*
 * libbcc reads all of /proc/kallsyms into a hash table, only to learn whether
 * two helpers exist (src/cc/frontends/clang/b_frontend_action.cc): a quarter
 * of the time of a small compilation, and impossible without root. This
 * definition takes the place of libbcc's own in netbcc-cc; the kernel itself
 * is asked.
 */
#include <bcc/bcc_proc.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

int bcc_procutils_each_ksym(bcc_procutils_ksymcb callback, void *payload)
{
	static const struct {
		const char *name;
		enum bpf_func_id id;
	} helpers[] = {
		{ "bpf_probe_read_kernel", BPF_FUNC_probe_read_kernel },
		{ "bpf_probe_read_user", BPF_FUNC_probe_read_user },
	};

	for (size_t i = 0; i < sizeof(helpers) / sizeof(helpers[0]); i++)
		if (libbpf_probe_bpf_helper(BPF_PROG_TYPE_RAW_TRACEPOINT,
					    helpers[i].id, NULL) == 1)
			/* The address only has to be one. */
			callback(helpers[i].name, "kernel", 1, payload);
	return 0;
}
