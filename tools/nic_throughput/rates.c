// SPDX-License-Identifier: Apache-2.0
#include "rates.h"

#include <stdio.h>

void nic_rate_format(double n, bool raw, char *buf)
{
	static const char units[] = { 0, 'K', 'M', 'G', 'T' };
	size_t u = 0;

	/* What would be rounded to 1024.00 is 1.00 of the next. */
	while (!raw && n >= 1023.995 && u + 1 < sizeof(units)) {
		n /= 1024;
		u++;
	}
	snprintf(buf, NIC_RATE_STRLEN, units[u] ? "%.2f%c" : "%.2f", n,
		 units[u]);
}

uint64_t nic_balance(struct nic_balance *b, uint64_t counted, uint64_t seen,
		     uint64_t ahead, uint64_t flight)
{
	int64_t sum = b->carry + (int64_t)(counted - seen);

	if (sum > 0 && (b->pending || sum > (int64_t)flight)) {
		*b = (struct nic_balance){ 0 };
		return (uint64_t)sum;
	}
	b->pending = sum > 0;
	/* Fewer by more than that: dropped by the driver. */
	b->carry = sum < -(int64_t)ahead ? -(int64_t)ahead : sum;
	return 0;
}
