// SPDX-License-Identifier: Apache-2.0
/* nic_throughput's arithmetic. */
#include <inttypes.h>

#include "../../tools/nic_throughput/rates.c"
#include "test.h"

static void format(double n, const char *want, const char *want_raw)
{
	char got[NIC_RATE_STRLEN], name[64];

	snprintf(name, sizeof(name), "%.3f", n);
	nic_rate_format(n, false, got);
	test_str(got, want, name);
	nic_rate_format(n, true, got);
	test_str(got, want_raw, "the same, raw");
}

static void formats(void)
{
	format(0, "0.00", "0.00");
	format(1, "1.00", "1.00");
	format(999.5, "999.50", "999.50");
	format(1000, "1000.00", "1000.00");
	format(1023, "1023.00", "1023.00");
	format(1023.994, "1023.99", "1023.99");
	format(1023.996, "1.00K", "1024.00");
	format(1024, "1.00K", "1024.00");
	format(1536, "1.50K", "1536.00");
	format(1048575, "1.00M", "1048575.00");
	format(1048576, "1.00M", "1048576.00");
	format(1073741824, "1.00G", "1073741824.00");
	format(1099511627776, "1.00T", "1099511627776.00");
	format(2251799813685248, "2048.00T", "2251799813685248.00");
	/* What a second of all that a counter holds would be. */
	format(18446744073709551616.0, "16777216.00T",
	       "18446744073709551616.00");
}

static void balanced(struct nic_balance *b, uint64_t counted, uint64_t seen,
		     uint64_t ahead, uint64_t want, const char *name)
{
	test_int((long long)nic_balance(b, counted, seen, ahead, 4),
		 (long long)want, name);
}

static void balances(void)
{
	struct nic_balance b = { 0 };

	balanced(&b, 100, 100, 0, 0, "all was seen");
	balanced(&b, 100, 0, 0, 100, "nothing was seen");
	balanced(&b, 100, 100, 0, 0, "what was told is not told again");
	balanced(&b, 100, 107, 10, 0, "seven were seen early");
	balanced(&b, 100, 93, 0, 0, "which evens out");
	balanced(&b, 100, 107, 10, 0, "seven were seen early again");
	balanced(&b, 150, 93, 0, 50, "and fifty are not seen");
	balanced(&b, 0, 1000, 3, 0, "a thousand are dropped by the driver");
	balanced(&b, 1000, 0, 0, 997, "which does not hide others for long");
	balanced(&b, 103, 100, 0, 0, "three may be on their way");
	balanced(&b, 97, 100, 0, 0, "and were");
	balanced(&b, 103, 100, 0, 0, "three may be on their way");
	balanced(&b, 100, 100, 0, 3, "but were not");
	balanced(&b, 0, 0, 0, 0, "nothing");
}

int main(void)
{
	formats();
	balances();
	return test_done();
}
