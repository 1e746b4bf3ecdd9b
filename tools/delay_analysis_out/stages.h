/* SPDX-License-Identifier: Apache-2.0 */
/* How long a packet took, from when it was where. */
#ifndef NB_DELAY_ANALYSIS_OUT_STAGES_H
#define NB_DELAY_ANALYSIS_OUT_STAGES_H

#include <stdint.h>

#include "delay_analysis_out.h"
#include "delay_sums.h"

/*
 * Fill @ret, by enum out_stage, from the struct out_times at @rec, with
 * nanoseconds, or NB_DELAY_UNKNOWN for what the plan does not tell. TOTAL is
 * QDISC, IP and TCP, as far as these are known; none is less than 0.
 */
void out_stages_get(const void *rec, uint64_t *ret);

#endif
