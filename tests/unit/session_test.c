// SPDX-License-Identifier: Apache-2.0
#include "../../lib/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

static void shows(const struct nb_session *s, const char *want,
		  const char *name)
{
	char local[NB_ENDPOINT_STRLEN], remote[NB_ENDPOINT_STRLEN];
	char got[2 * NB_ENDPOINT_STRLEN + 2];

	nb_addr_format_port(&s->local, s->lport, 0, local);
	nb_addr_format_port(&s->remote, s->rport, 0, remote);
	snprintf(got, sizeof(got), "%s %s", local, remote);
	test_str(got, want, name);
}

static void environment(void)
{
	static const char *const bad[] = {
		"",
		"10.0.0.1 1 10.0.0.2",
		"10.0.0.1 0 10.0.0.2 22",
		"10.0.0.1 1 10.0.0.2 65536",
		"10.0.0 1 10.0.0.2 22",
		"x 1 y 2",
		"::g 1 ::1 2",
	};
	struct nb_session s;

	test_int(nb_session_parse("10.0.0.1 50000 10.0.0.2 22", &s), 0, "IPv4");
	shows(&s, "10.0.0.2:22 10.0.0.1:50000", "the client is remote");
	test_int(nb_session_parse("fe80::1 50000 fe80::2 22", &s), 0, "IPv6");
	shows(&s, "[fe80::2]:22 [fe80::1]:50000", "its addresses");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		test_int(nb_session_parse(bad[i], &s), -EINVAL, bad[i]);
}

static void lines(void)
{
	struct nb_session s;
	uint64_t inode = 0;

	test_int(
		nb_session_parse_line(
			"   1: 0100007F:0016 0200007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0",
			4, &s, &inode),
		0, "a line of tcp");
	test_int((long long)inode, 4711, "its socket");
	shows(&s, "127.0.0.1:22 127.0.0.2:50000", "its ends");
	test_int(
		nb_session_parse_line(
			"   1: 0000000000000000FFFF00000100007F:0016 0000000000000000FFFF00000200007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 4712 1 0",
			6, &s, &inode),
		0, "a line of tcp6");
	shows(&s, "127.0.0.1:22 127.0.0.2:50000", "is IPv4 when it is mapped");
	test_int(
		nb_session_parse_line(
			"   1: B80D0120000000000000000001000000:0016 B80D0120000000000000000002000000:C350 01 00000000:00000000 00:00000000 00000000  1000        0 4713 1 0",
			6, &s, &inode),
		0, "another one");
	shows(&s, "[2001:db8::1]:22 [2001:db8::2]:50000", "is IPv6");
	test_int(
		nb_session_parse_line(
			"   1: 0100007F:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0",
			4, &s, &inode),
		-EINVAL, "a listener is no connection");
	test_int(nb_session_parse_line("  sl  local_address rem_address   st",
				       4, &s, &inode),
		 -EINVAL, "nor is the header");
	test_int(nb_session_parse_line("", 4, &s, &inode), -EINVAL, "nothing");
}

static void finding(void)
{
	struct nb_session s;

	setenv("SSH_CONNECTION", "10.0.0.1 50000 10.0.0.2 22", 1);
	test_int(nb_session_find(&s), 0, "of the environment");
	shows(&s, "10.0.0.2:22 10.0.0.1:50000", "as it says");
}

int main(void)
{
	environment();
	lines();
	finding();
	return test_done();
}
