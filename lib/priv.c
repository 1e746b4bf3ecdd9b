// SPDX-License-Identifier: Apache-2.0
#include "priv.h"

#include <cap-ng.h>
#include <errno.h>

#ifndef CAP_PERFMON /* Linux 5.8 */
#define CAP_PERFMON 38
#define CAP_BPF 39
#endif

static int has(unsigned cap)
{
	return capng_have_capability(CAPNG_EFFECTIVE, cap);
}

int nb_priv_check(void)
{
	if (capng_get_caps_process())
		return -EPERM;
	if (has(CAP_SYS_ADMIN) || (has(CAP_BPF) && has(CAP_PERFMON)))
		return 0;
	return -EPERM;
}

int nb_priv_drop(void)
{
	unsigned keep;

	if (capng_get_caps_process())
		return -EPERM;
	keep = has(CAP_BPF) ? CAP_BPF : CAP_SYS_ADMIN;
	capng_clear(CAPNG_SELECT_BOTH);
	if (capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, keep))
		return -EPERM;
	/* Clearing the bounding set takes CAP_SETPCAP, which root has. */
	if (capng_apply(CAPNG_SELECT_BOTH) && capng_apply(CAPNG_SELECT_CAPS))
		return -EPERM;
	return 0;
}
