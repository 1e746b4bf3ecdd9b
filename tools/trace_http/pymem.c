// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>
#include <sys/uio.h>

#include "pymem.h"

#define REPLACEMENT 0xfffd

/* PyASCIIObject.state: bits behind "interned", which has two. */
#define STATE_KIND(state) ((state) >> 2 & 7)
#define STATE_COMPACT(state) ((state)&0x20)
#define STATE_ASCII(state) ((state)&0x40)

int http_pymem_read(pid_t pid, uint64_t addr, void *buf, size_t len)
{
	struct iovec to = { buf, len };
	struct iovec from = { (void *)(uintptr_t)addr, len };
	ssize_t n;

	if (len == 0)
		return 0;
	n = process_vm_readv(pid, &to, 1, &from, 1, 0);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EFAULT;
}

int http_pymem_pointer(pid_t pid, uint64_t addr, uint64_t *ret)
{
	uint64_t pointer;
	int err = http_pymem_read(pid, addr, &pointer, sizeof(pointer));

	if (err == 0)
		*ret = pointer;
	return err;
}

/* The character at index @i. */
static uint32_t char_at(const void *from, size_t i, unsigned width)
{
	uint16_t two;
	uint32_t four;

	switch (width) {
	case 1:
		return ((const uint8_t *)from)[i];
	case 2:
		memcpy(&two, (const uint8_t *)from + 2 * i, sizeof(two));
		return two;
	default:
		memcpy(&four, (const uint8_t *)from + 4 * i, sizeof(four));
		return four;
	}
}

/* Put @c at @to, which has room for four bytes. Returns how many it takes. */
static size_t put_utf8(uint32_t c, char *to)
{
	if ((c >= 0xd800 && c < 0xe000) || c > 0x10ffff)
		c = REPLACEMENT;
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (char)(0xc0 | c >> 6);
		to[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		to[0] = (char)(0xe0 | c >> 12);
		to[1] = (char)(0x80 | (c >> 6 & 0x3f));
		to[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	to[0] = (char)(0xf0 | c >> 18);
	to[1] = (char)(0x80 | (c >> 12 & 0x3f));
	to[2] = (char)(0x80 | (c >> 6 & 0x3f));
	to[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

size_t http_pymem_utf8(const void *from, size_t n, unsigned width, char *to,
		       size_t size)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		char one[4];
		size_t more = put_utf8(char_at(from, i, width), one);

		/* NUL would end the text. */
		if (one[0] == '\0')
			one[0] = '?';
		if (len + more >= size)
			break;
		memcpy(to + len, one, more);
		len += more;
	}
	to[len] = '\0';
	return len;
}

int http_pymem_str(pid_t pid, const struct http_py_config *config,
		   uint64_t addr, bool tail, size_t max,
		   struct http_pymem_str *ret)
{
	struct http_pymem_str str;
	uint64_t length;
	uint32_t state;
	int err;

	err = http_pymem_read(pid, addr + config->str_length, &length,
			      sizeof(length));
	if (err == 0)
		err = http_pymem_read(pid, addr + config->str_state, &state,
				      sizeof(state));
	if (err)
		return err;
	str.width = STATE_KIND(state);
	if (length > SIZE_MAX / 8 || !STATE_COMPACT(state) ||
	    (str.width != 1 && str.width != 2 && str.width != 4))
		return -EINVAL;
	str.addr = addr + (STATE_ASCII(state) ? config->str_ascii
					      : config->str_compact);
	str.n = length < max ? length : max;
	if (tail)
		str.addr += (length - str.n) * str.width;
	*ret = str;
	return 0;
}
