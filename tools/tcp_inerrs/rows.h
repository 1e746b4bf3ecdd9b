/* SPDX-License-Identifier: Apache-2.0 */
/* tcp_inerrs' rows. */
#ifndef NB_TCP_INERRS_ROWS_H
#define NB_TCP_INERRS_ROWS_H

#include "clock.h"
#include "ksyms.h"
#include "owner.h"
#include "reasons.h"
#include "table.h"
#include "tcp_inerrs.h"

/* What a row is made with. */
struct err_rows {
	struct nb_table *table;
	struct nb_clock clock;
	struct nb_ksyms *ksyms; /* NULL: without stacks */
	const struct err_names *names;
};

/*
 * The table that the options ask for, on standard output. As nb_table_new();
 * the caller frees rows->table.
 */
int err_rows_new(struct err_rows *rows);

/*
 * Print @e; @owner NULL: nobody's. With stacks it is the first member of a
 * struct err_stack. 0 or the -errno of nb_table_row().
 */
int err_rows_print(struct err_rows *rows, const struct err_event *e,
		   const struct nb_owner *owner);

/* The word for @reason; of ERR_OTHER the kernel's own. Lives as @names. */
const char *err_rows_reason(const struct err_names *names, unsigned reason,
			    unsigned kernel_reason);

#endif
