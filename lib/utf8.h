/* SPDX-License-Identifier: Apache-2.0 */
/* Text that others have named: is it UTF-8, and fit for a terminal? */
#ifndef NB_UTF8_H
#define NB_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/*
 * How many bytes the UTF-8 character at @s has, or 0 when there is none:
 * a stray or missing byte, an overlong form, a surrogate, above U+10FFFF. The
 * NUL behind the string is no continuation, so nothing beyond it is read.
 */
static inline size_t nb_utf8_len(const unsigned char *s)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t len;

	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	len = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	if (s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

/* U+0000 to U+001F, U+007F to U+009F: what a terminal may obey. */
static inline bool nb_utf8_is_control(const unsigned char *s)
{
	return s[0] < ' ' || s[0] == 0x7f || (s[0] == 0xc2 && s[1] < 0xa0);
}

/*
 * Put '?' for each control character, and each byte that is no UTF-8, of the
 * string @str. Returns its length, which may be less than it was.
 */
static inline size_t nb_utf8_clean(char *str)
{
	unsigned char *s = (unsigned char *)str;
	char *to = str;

	while (*s) {
		size_t len = nb_utf8_len(s);

		if (len && !nb_utf8_is_control(s)) {
			memmove(to, s, len);
			to += len;
		} else {
			*to++ = '?';
		}
		s += len ? len : 1;
	}
	*to = '\0';
	return (size_t)(to - str);
}

#endif
