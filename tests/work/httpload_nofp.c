// SPDX-License-Identifier: Apache-2.0
/* The same without frame pointers. */
#include "httpload.c"
