// SPDX-License-Identifier: Apache-2.0
#include "priv.h"

#include <cap-ng.h>
#include <errno.h>
#include <string.h>

#ifndef CAP_PERFMON /* Linux 5.8 */
#define CAP_PERFMON 38
#define CAP_BPF 39
#endif

static int has(unsigned cap)
{
	return capng_have_capability(CAPNG_EFFECTIVE, cap);
}

int nb_priv_check(struct nb_error *why)
{
	if (!capng_get_caps_process() &&
	    (has(CAP_SYS_ADMIN) || (has(CAP_BPF) && has(CAP_PERFMON))))
		return 0;
	return nb_error_set(
		why, -EPERM,
		"cannot trace: %s (run as root, or with CAP_BPF and CAP_PERFMON)",
		strerror(EPERM));
}

static int drop(uint64_t keep)
{
	uint64_t have = 0;

	if (capng_get_caps_process())
		return -EPERM;
	keep |= NB_PRIV(has(CAP_BPF) ? CAP_BPF : CAP_SYS_ADMIN);
	for (unsigned cap = 0; cap < 64; cap++)
		if (keep & NB_PRIV(cap) && has(cap))
			have |= NB_PRIV(cap);
	capng_clear(CAPNG_SELECT_BOTH);
	for (unsigned cap = 0; cap < 64; cap++)
		if (have & NB_PRIV(cap) &&
		    capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED,
				 cap))
			return -EPERM;
	/* Clearing the bounding set takes CAP_SETPCAP, which root has. */
	if (capng_apply(CAPNG_SELECT_BOTH) && capng_apply(CAPNG_SELECT_CAPS))
		return -EPERM;
	return 0;
}

int nb_priv_drop(uint64_t keep, struct nb_error *why)
{
	int err = drop(keep);

	if (err)
		nb_error_set(why, err, "cannot drop capabilities: %s",
			     strerror(-err));
	return err;
}
