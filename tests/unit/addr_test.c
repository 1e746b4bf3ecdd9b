// SPDX-License-Identifier: Apache-2.0
#include "addr.h"

#include <arpa/inet.h>

#include "test.h"

/* Format @text, parsed by inet_pton(3), and compare with @want. */
static void check(uint8_t ip, const char *text, const char *want)
{
	struct nb_addr addr = { .ip = ip };
	char buf[NB_ADDR_STRLEN + 1], name[128];
	size_t len;

	memset(buf, 'x', sizeof(buf));
	if (inet_pton(ip == 4 ? AF_INET : AF_INET6, text, addr.bytes) != 1) {
		test_ok(false, "the test's own address is valid");
		return;
	}
	len = nb_addr_format(&addr, buf);
	snprintf(name, sizeof(name), "%s as %s", text, want);
	test_str(buf, want, name);
	snprintf(name, sizeof(name), "%s: length, and no byte too many", text);
	test_ok(len == strlen(want) && buf[NB_ADDR_STRLEN] == 'x', name);
}

/* Every octet value at every position against inet_ntop(3). */
static void check_every_octet(void)
{
	char got[NB_ADDR_STRLEN], want[INET_ADDRSTRLEN];
	unsigned wrong = 0;

	for (int at = 0; at < 4; at++) {
		for (unsigned n = 0; n < 256; n++) {
			struct nb_addr addr = {
				.ip = 4,
				.bytes = { 9, 99, 109, 255 },
			};

			addr.bytes[at] = (uint8_t)n;
			inet_ntop(AF_INET, addr.bytes, want, sizeof(want));
			if (nb_addr_format(&addr, got) != strlen(want) ||
			    strcmp(got, want)) {
				printf("# want %s, got %s\n", want, got);
				wrong++;
			}
		}
	}
	test_int(wrong, 0, "every octet at every position");
}

static void check_neither(uint8_t ip)
{
	struct nb_addr addr = { .ip = ip, .bytes = { 127, 0, 0, 1 } };
	char buf[NB_ADDR_STRLEN], name[64];
	size_t len = nb_addr_format(&addr, buf);

	snprintf(name, sizeof(name), "ip %u is neither 4 nor 6", ip);
	test_str(buf, "-", name);
	test_int((long long)len, 1, "its length");
}

int main(void)
{
	check(4, "0.0.0.0", "0.0.0.0");
	check(4, "127.0.0.1", "127.0.0.1");
	check(4, "255.255.255.255", "255.255.255.255");
	check(4, "10.100.200.9", "10.100.200.9");
	check_every_octet();
	check(6, "::", "::");
	check(6, "::1", "::1");
	check(6, "2001:db8:0:0:0:0:0:1", "2001:db8::1");
	check(6, "fe80::a:b:c:d", "fe80::a:b:c:d");
	check(6, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	      "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	check(6, "::ffff:192.0.2.1", "192.0.2.1");
	check(6, "::ffff:0:0", "0.0.0.0");
	check(6, "::fffe:c000:201", "::fffe:c000:201");
	check(6, "1::ffff:192.0.2.1", "1::ffff:c000:201");
	check(6, "::127.0.0.1", "::127.0.0.1");
	check_neither(0);
	check_neither(5);
	check_neither(255);
	return test_done();
}
