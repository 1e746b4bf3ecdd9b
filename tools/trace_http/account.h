/* SPDX-License-Identifier: Apache-2.0 */
/* What is to be said at the end: what was under way, and what was not seen. */
#ifndef NB_HTTP_ACCOUNT_H
#define NB_HTTP_ACCOUNT_H

#include "prog.h"

/* Say so on standard error, of a detached @prog. */
void http_account_report(const struct nb_prog *prog);

#endif
