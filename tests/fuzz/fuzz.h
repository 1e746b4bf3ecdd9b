/* SPDX-License-Identifier: Apache-2.0 */
/* What the fuzzers share: numbers that are the same for the same seed. */
#ifndef NB_FUZZ_H
#define NB_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t fuzz_state;

/* splitmix64 */
static inline uint64_t fuzz_next(void)
{
	uint64_t z = (fuzz_state += 0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

/* From 0 to @n - 1. */
static inline uint64_t fuzz_below(uint64_t n)
{
	return fuzz_next() % n;
}

/* "[COUNT [SEED]]"; returns COUNT. */
static inline uint64_t fuzz_args(int argc, char **argv)
{
	uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;

	fuzz_state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	printf("# seed %llu\n", (unsigned long long)fuzz_state);
	return count;
}

/* Show @input, byte by byte, and @what is wrong with it. Returns 1. */
static inline int fuzz_fail(const char *what, const char *input)
{
	printf("# %s:", what);
	for (; *input; input++)
		printf(" %02x", (unsigned char)*input);
	printf("\n");
	return 1;
}

#endif
