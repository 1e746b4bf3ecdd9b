/* SPDX-License-Identifier: Apache-2.0 */
/* delay_analysis_out's rows. */
#ifndef NB_DELAY_ANALYSIS_OUT_ROWS_H
#define NB_DELAY_ANALYSIS_OUT_ROWS_H

#include "clock.h"
#include "delay_analysis_out.h"
#include "table.h"

/* The heads of the stages' columns, and what they are called in JSON. */
extern const char *const out_stage_heads[OUT_STAGES];
extern const char *const out_stage_keys[OUT_STAGES];

/*
 * A table, or JSON, on standard output; @wide: with all stages. As
 * nb_table_new(); the caller frees *ret.
 */
int out_rows_new(bool json, bool wide, struct nb_table **ret);

/*
 * Print @rec, a struct out_event that took as long as @delays say. As
 * nb_table_row().
 */
int out_rows_print(struct nb_table *table, const struct nb_clock *clock,
		   const void *rec, const uint64_t *delays);

#endif
