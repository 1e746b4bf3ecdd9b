/* SPDX-License-Identifier: Apache-2.0 */
/* Programs that run so and so often, as perf events of each CPU's clock. */
#ifndef NB_SAMPLE_H
#define NB_SAMPLE_H

#include <stdbool.h>

#include "links.h"

/* Has the kernel perf events (CONFIG_PERF_EVENTS)? */
bool nb_sample_possible(void);

/*
 * Run the loaded program @prog @hz times a second on each CPU that is online,
 * unless that is idle, until the descriptors that are put into @links are
 * closed. 0, or -errno and nothing in @links.
 */
int nb_sample_attach(unsigned hz, int prog, struct nb_links *links);

#endif
