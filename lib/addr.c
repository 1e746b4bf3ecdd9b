// SPDX-License-Identifier: Apache-2.0
#include "addr.h"

#include <arpa/inet.h>
#include <string.h>

static char *put_octet(char *p, unsigned n)
{
	if (n >= 100)
		*p++ = (char)('0' + n / 100);
	if (n >= 10)
		*p++ = (char)('0' + n / 10 % 10);
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
