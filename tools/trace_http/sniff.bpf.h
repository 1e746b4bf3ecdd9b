/* SPDX-License-Identifier: GPL-2.0 */
/* What the first bytes of a piece are the beginning of. */
#ifndef NB_BPF_SNIFF_H
#define NB_BPF_SNIFF_H

enum sniffed {
	SNIFF_OTHER,
	SNIFF_SHORT, /* it may come to be one of these */
	SNIFF_REQUEST,
	SNIFF_RESPONSE,
	SNIFF_H2,
	SNIFF_TLS,
};

/* Up to eight characters as they are in memory, on a little-endian machine. */
#define WORD(a, b, c, d, e, f, g, h)                                  \
	((u64)(a) | (u64)(b) << 8 | (u64)(c) << 16 | (u64)(d) << 24 | \
	 (u64)(e) << 32 | (u64)(f) << 40 | (u64)(g) << 48 | (u64)(h) << 56)
/* A mask of the first @n, 1 to 8. */
#define BYTES(n) (~0ULL >> (64 - 8 * (n)))

/* Each method with the blank behind it, and its length with that. */
#define EACH_METHOD(do_)                                      \
	do_(WORD('G', 'E', 'T', ' ', 0, 0, 0, 0), 4);         \
	do_(WORD('P', 'O', 'S', 'T', ' ', 0, 0, 0), 5);       \
	do_(WORD('P', 'U', 'T', ' ', 0, 0, 0, 0), 4);         \
	do_(WORD('H', 'E', 'A', 'D', ' ', 0, 0, 0), 5);       \
	do_(WORD('D', 'E', 'L', 'E', 'T', 'E', ' ', 0), 7);   \
	do_(WORD('P', 'A', 'T', 'C', 'H', ' ', 0, 0), 6);     \
	do_(WORD('O', 'P', 'T', 'I', 'O', 'N', 'S', ' '), 8); \
	do_(WORD('C', 'O', 'N', 'N', 'E', 'C', 'T', ' '), 8)

#define HTTP_1 WORD('H', 'T', 'T', 'P', '/', '1', '.', 0)
#define PRI WORD('P', 'R', 'I', ' ', '*', ' ', 'H', 'T')

/* "HTTP/1.1 200": the least that says what an answer is. */
#define STATUS_END 12
/* The digits of that, as they are in bits 8 to 31 of its second word. */
#define STATUS(a, b, c) ((a) | (b) << 8 | (c) << 16)

static inline int sniff_short(u64 word, u64 mask)
{
#define MAY_BE(m, n)                \
	if (!((word ^ (m)) & mask)) \
	return SNIFF_SHORT
	EACH_METHOD(MAY_BE);
	MAY_BE(PRI, 8);
#undef MAY_BE
	return SNIFF_OTHER;
}

/* @word: the first @len bytes, and zero behind them. */
static inline int sniff(u64 word, u32 len)
{
#define IS(m, n)                                  \
	if ((word & BYTES(n)) == (m) && len >= n) \
	return SNIFF_REQUEST
	EACH_METHOD(IS);
#undef IS
	if ((word & BYTES(7)) == HTTP_1)
		return len < STATUS_END ? SNIFF_SHORT : SNIFF_RESPONSE;
	/* A handshake, or data of a connection that is older, version 3.x. */
	if ((word & 0xffff) == 0x0316 || (word & 0xffff) == 0x0317)
		return SNIFF_TLS;
	if (word == PRI)
		return SNIFF_H2;
	if (len >= 8)
		return SNIFF_OTHER;
	if (!((word ^ HTTP_1) & BYTES(len)))
		return SNIFF_SHORT;
	return sniff_short(word, BYTES(len));
}

#endif
