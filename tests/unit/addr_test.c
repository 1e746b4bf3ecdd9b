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

static void check_port(int ip, const char *text, uint16_t port, size_t max,
		       const char *want)
{
	struct nb_addr addr = { .ip = (uint8_t)ip };
	char buf[NB_ENDPOINT_STRLEN], name[96];
	size_t len;

	inet_pton(ip == 4 ? AF_INET : AF_INET6, text, addr.bytes);
	memset(buf, 'x', sizeof(buf));
	len = nb_addr_format_port(&addr, port, max, buf);
	snprintf(name, sizeof(name), "%s and port %u in %zu", text, port, max);
	test_str(buf, want, name);
	test_int((long long)len, (long long)strlen(want), "its length");
}

/* Whatever there is room for, the port is whole. */
static void check_every_room(void)
{
	static const char text[] = "2001:db8:1111:2222:3333:4444:5555:6666";
	struct nb_addr addr = { .ip = 6 };
	char buf[NB_ENDPOINT_STRLEN];
	int wrong = 0;

	inet_pton(AF_INET6, text, addr.bytes);
	for (size_t max = 1; max < 60; max++) {
		size_t len = nb_addr_format_port(&addr, 65535, max, buf);

		wrong += len != strlen(buf) ||
			 strcmp(buf + len - 6, ":65535") ||
			 (max >= 7 && len > max) || (max >= 46 && len != 46);
	}
	test_int(wrong, 0, "an address in any room");
}

/* printf(3) is the judge. */
static void check_every_port(void)
{
	struct nb_addr addr = { .ip = 4, .bytes = { 10, 0, 0, 1 } };
	char buf[NB_ENDPOINT_STRLEN], want[NB_ENDPOINT_STRLEN];
	int wrong = 0;

	for (unsigned port = 0; port <= UINT16_MAX; port++) {
		size_t len = nb_addr_format_port(&addr, (uint16_t)port, 0, buf);

		snprintf(want, sizeof(want), "10.0.0.1:%u", port);
		wrong += strcmp(buf, want) || len != strlen(want);
	}
	test_int(wrong, 0, "every port");
}

static void check_ports(void)
{
	struct nb_addr none = { .ip = 0 };
	char buf[NB_ENDPOINT_STRLEN];

	check_port(4, "127.0.0.1", 80, 0, "127.0.0.1:80");
	check_port(4, "255.255.255.255", 65535, 0, "255.255.255.255:65535");
	check_port(4, "0.0.0.0", 0, 0, "0.0.0.0:0");
	check_port(6, "::1", 443, 0, "[::1]:443");
	check_port(6, "::ffff:192.0.2.1", 9, 0, "192.0.2.1:9");
	check_port(6, "2001:db8:1:2:3:4:5:6", 8080, 20, "[2001:d~:4:5:6]:8080");
	check_port(4, "192.168.100.200", 65535, 15, "192.~.200:65535");
	check_every_room();
	check_every_port();
	test_int((long long)nb_addr_format_port(&none, 80, 0, buf), 1,
		 "no address has no port");
	test_str(buf, "-", "and is a dash");
}

int main(void)
{
	check_ports();
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
