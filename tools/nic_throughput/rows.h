/* SPDX-License-Identifier: Apache-2.0 */
/* nic_throughput's output. */
#ifndef NB_NIC_ROWS_H
#define NB_NIC_ROWS_H

#include <stdint.h>

#include "nics.h"
#include "table.h"

/*
 * The form that nic_args asks for, of the namespace @netns, on standard output:
 * *ret is NULL for tables, or what makes JSON, which the caller frees with
 * nb_table_free(). 0 or -errno.
 */
int nic_rows_new(struct nb_table **ret);

/*
 * Print the interval that nics_take() has ended. 0 or the -errno of the write
 * (-EPIPE: the reader has gone).
 */
int nic_rows_print(struct nb_table *json, const struct nics *nics,
		   uint32_t netns);

#endif
