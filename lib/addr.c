// SPDX-License-Identifier: Apache-2.0
#include "addr.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>

static char *put_octet(char *p, unsigned n)
{
	if (n >= 100) {
		*p++ = (char)('0' + n / 100);
		n %= 100;
		*p++ = (char)('0' + n / 10);
	} else if (n >= 10) {
		*p++ = (char)('0' + n / 10);
	}
	*p++ = (char)('0' + n % 10);
	return p;
}

/* By hand: this is done twice for every row. */
static size_t format_ip4(const uint8_t *bytes, char *buf)
{
	char *p = put_octet(buf, bytes[0]);

	for (int i = 1; i < 4; i++) {
		*p++ = '.';
		p = put_octet(p, bytes[i]);
	}
	*p = '\0';
	return (size_t)(p - buf);
}

size_t nb_addr_format(const struct nb_addr *addr, char *buf)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (addr->ip == 4)
		return format_ip4(addr->bytes, buf);
	if (addr->ip != 6) {
		strcpy(buf, "-");
		return 1;
	}
	if (!memcmp(addr->bytes, mapped, sizeof(mapped)))
		return format_ip4(addr->bytes + sizeof(mapped), buf);
	inet_ntop(AF_INET6, addr->bytes, buf, NB_ADDR_STRLEN);
	return strlen(buf);
}

static char *put_port(char *p, unsigned port)
{
	*p++ = ':';
	if (port >= 10000)
		*p++ = (char)('0' + port / 10000);
	if (port >= 1000)
		*p++ = (char)('0' + port / 1000 % 10);
	if (port >= 100)
		*p++ = (char)('0' + port / 100 % 10);
	if (port >= 10)
		*p++ = (char)('0' + port / 10 % 10);
	*p++ = (char)('0' + port % 10);
	return p;
}

/* Leave out what is in the middle of the first @len of @total characters. */
static size_t shorten(char *buf, size_t len, size_t total, size_t max)
{
	size_t port = total - len, keep, head, tail;

	keep = max > port + 1 ? max - port - 1 : 0;
	if (keep > len)
		return total;
	head = (keep + 1) / 2;
	tail = keep - head;
	buf[head] = '~';
	memmove(buf + head + 1, buf + len - tail, tail + port + 1);
	return head + 1 + tail + port;
}

size_t nb_addr_format_port(const struct nb_addr *addr, uint16_t port,
			   size_t max, char *buf)
{
	bool brackets = addr->ip == 6;
	size_t len = nb_addr_format(addr, buf + brackets), total;
	char *end;

	if (addr->ip != 4 && addr->ip != 6)
		return len;
	if (brackets && memchr(buf + 1, ':', len)) {
		buf[0] = '[';
		buf[++len] = ']';
		len++;
	} else if (brackets) {
		memmove(buf, buf + 1, len);
	}
	end = put_port(buf + len, port);
	*end = '\0';
	total = (size_t)(end - buf);
	return max && total > max ? shorten(buf, len, total, max) : total;
}
