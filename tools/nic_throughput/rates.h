/* SPDX-License-Identifier: Apache-2.0 */
/* nic_throughput's arithmetic. */
#ifndef NB_NIC_RATES_H
#define NB_NIC_RATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Fits what nic_rate_format() writes, with its NUL. */
#define NIC_RATE_STRLEN 32

/*
 * Write @n (0 or more) with two decimals to @buf (NIC_RATE_STRLEN bytes): as it
 * is when @raw, otherwise from 1024 on divided by 1024, with K, and so on to T.
 */
void nic_rate_format(double n, bool raw, char *buf);

/* What became of an interface's counter in comparison with what was seen. */
struct nic_balance {
	int64_t carry; /* of earlier intervals */
	bool pending;  /* it is positive, and may be a coincidence */
};

/*
 * The packets that the interface has counted in an interval, and that were not
 * seen: @counted - @seen, both of the interval, if that is positive. The two
 * can't be read at the same moment. What is @ahead, seen between the two
 * readings, is made up for by the next interval. And the interface may have
 * counted up to @flight packets of which the end is still to be seen: as few
 * are told only when they are still unseen an interval later.
 */
uint64_t nic_balance(struct nic_balance *b, uint64_t counted, uint64_t seen,
		     uint64_t ahead, uint64_t flight);

#endif
