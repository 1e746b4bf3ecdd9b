/* SPDX-License-Identifier: Apache-2.0 */
/* tcpconnection's rows. */
#ifndef NB_TCPCONNECTION_ROWS_H
#define NB_TCPCONNECTION_ROWS_H

#include "clock.h"
#include "table.h"
#include "tcpconnection.h"

/*
 * The table that the options ask for, on standard output. As nb_table_new();
 * the caller frees *ret with nb_table_free().
 */
int conn_rows_new(struct nb_table **ret);

/* Print @e, its time told by @clock. 0 or the -errno of nb_table_row(). */
int conn_rows_print(struct nb_table *table, const struct nb_clock *clock,
		    const struct conn_event *e);

#endif
