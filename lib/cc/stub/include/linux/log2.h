/* For constants only, as in a table's size: 1 << the bits of @n - 1. */
#define roundup_pow_of_two(n) \
	((n) < 2 ? 1UL        \
		 : 1UL << (64 - __builtin_clzll((unsigned long long)(n)-1)))
