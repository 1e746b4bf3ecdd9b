/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Eight bytes of text at once, as they are in memory on a little-endian
 * machine; without branches, each of which would be two ways for the verifier.
 */
#ifndef NB_BPF_WORDS_H
#define NB_BPF_WORDS_H

#include "kernel.bpf.h"

#define EIGHT(c) (0x0101010101010101 * (u64)(c))

/* The first of eight bytes that is the end of a line; 8: none is. */
static inline u64 word_newline(u64 word)
{
	u64 x = word ^ EIGHT('\n');
	u64 first = (x - EIGHT(1)) & ~x & EIGHT(0x80);

	first &= -first;
	return ((first >> 7) - 1 & EIGHT(1)) * EIGHT(1) >> 56;
}

/* The number that @word begins with, of up to seven digits. */
static inline u64 word_number(u64 word)
{
	u64 x = word ^ EIGHT('0');
	u64 first = (x + EIGHT(0x76) | x) & EIGHT(0x80), pow;

	first &= -first;
	pow = first >> 7; /* 256 for each digit */
	x &= pow - 1;
	/* With zeros in front; a shift by 64 would be none. */
	x = pow == 1 ? 0 : x * (~0ULL / pow + 1);
	x = (x * 10 + (x >> 8)) & 0x00ff00ff00ff00ff;
	x = (x * 100 + (x >> 16)) & 0x0000ffff0000ffff;
	return (x * 10000 + (x >> 32)) & 0xffffffff;
}

/* 1 if it is, without a branch, of which there would be many. */
static inline u64 is_digit(u64 c)
{
	u64 is = ((c ^ '0') - 10) >> 63;

	OPAQUE(is);
	return is;
}

/*
 * The number that @word begins with, of up to seven hexadecimal digits; without
 * a branch, as above.
 */
static inline u64 word_hex(u64 word)
{
	u64 n = 0, more = 1, c, digit, letter;

	for (int i = 0; i < 8; i++) {
		c = word >> 8 * i & 0xff;
		digit = is_digit(c);
		letter = ((((c | 0x20) - 'a') & 0xff) - 6) >> 63;
		OPAQUE(letter);
		more &= digit | letter;
		OPAQUE(more);
		n = n * (1 + 15 * more) + more * ((c & 0xf) + 9 * letter);
		OPAQUE(n);
	}
	return n;
}

#endif
