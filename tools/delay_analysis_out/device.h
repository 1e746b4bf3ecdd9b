/* SPDX-License-Identifier: Apache-2.0 */
/* The device of delay_analysis_out's --dev. */
#ifndef NB_DELAY_ANALYSIS_OUT_DEVICE_H
#define NB_DELAY_ANALYSIS_OUT_DEVICE_H

/*
 * Say on standard error when there is no device @name in the network namespace
 * @netns, as nb_task_netns_open(); NULL: in this process' own. It may come
 * later, so that is no failure; nor is it when this cannot be told.
 */
void out_device_look(const char *name, const char *netns);

#endif
