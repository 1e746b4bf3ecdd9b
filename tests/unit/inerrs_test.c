// SPDX-License-Identifier: Apache-2.0
#include "../../tools/tcp_inerrs/counters.c"
#include "../../tools/tcp_inerrs/reasons.c"

#include "test.h"

#define BIT(reason) (1ULL << (reason))

static void parses(void)
{
	struct nb_error why;
	uint64_t mask = 0;

	test_int(err_reasons_parse("TCP_CSUM", &mask, &why), 0, "one word");
	test_int(mask == BIT(ERR_TCP_CSUM), 1, "is its bit");
	test_int(err_reasons_parse("minttl,NO_SOCKET,tcp_csum", &mask, &why), 0,
		 "a list, in any case, without TCP_");
	test_int(mask == (BIT(ERR_TCP_CSUM) | BIT(ERR_TCP_MINTTL) |
			  BIT(ERR_NO_SOCKET)),
		 1, "adds its bits");
	test_int(err_reasons_parse("csum,what", &mask, &why), -EINVAL,
		 "a word that is none");
	test_str(why.text, "what", "is named");
	test_int(err_reasons_parse("", &mask, &why), -EINVAL, "nothing");
	test_int(err_reasons_parse("csum,", &mask, &why), -EINVAL,
		 "a comma at the end");
	test_int(err_reasons_parse("TCP_", &mask, &why), -EINVAL,
		 "the prefix alone");
	test_int(
		err_reasons_parse(
			"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
			&mask, &why),
		-EINVAL, "a long word");
}

static void knows_words(void)
{
	for (unsigned i = 1; i < ERR_REASONS; i++) {
		uint64_t mask = 0;
		struct nb_error why;

		test_int(err_reason_name(i) &&
				 !err_reasons_parse(err_reason_name(i), &mask,
						    &why) &&
				 mask == BIT(i),
			 1, err_reason_name(i));
	}
	test_int(!err_reason_name(ERR_NONE) && !err_reason_name(ERR_REASONS), 1,
		 "others have no name");
	test_int(err_reason_is_normal(ERR_TCP_OLD_SEQUENCE) &&
			 !err_reason_is_normal(ERR_RESET_SENT),
		 1, "what is normal");
}

static void parses_format(void)
{
	static struct err_names names;
	static const char format[] =
		"name: kfree_skb\nprint fmt: \"%p %s\", REC->a, "
		"__print_symbolic(REC->reason, { 2, \"NOT_SPECIFIED\" }, "
		"{ 9, \"PKT_TOO_SMALL\" }, { 255, \"MAX\" }, { 256, \"BEYOND\" }, "
		"{ 10, \"lower\" }, { x, \"TCP_CSUM\" }, { 11, \"CUT";

	test_int((int)err_names_parse(format, &names), 3, "three are in it");
	test_str(names.name[2], "NOT_SPECIFIED", "the first");
	test_str(names.name[9], "PKT_TOO_SMALL", "the second");
	test_str(names.name[255], "MAX", "the last number");
	test_str(names.name[10], "", "no other");
	test_int((int)err_names_parse("", &names), 0, "an empty text");
	test_int((int)err_names_parse("print fmt: __print_symbolic({", &names),
		 0, "one that is cut off");
	test_int((int)err_names_parse("print fmt: \"%p\", REC->a", &names), 0,
		 "one before Linux 5.17");
}

static void tells(void)
{
	static struct err_names old = { .name = { [2] = "TCP_CSUM" } };

	test_ok(err_reason_is_told(&old, ERR_TCP_CSUM), "a kernel's word");
	test_ok(!err_reason_is_told(&old, ERR_TCP_MINTTL), "one it has not");
	test_ok(err_reason_is_told(&old, ERR_BAD_DOFF), "the command's own");
	test_ok(err_reason_is_told(&old, ERR_TCP_OLD_SEQUENCE),
		"one that is found without the kernel's word");
}

static void maps_kernel(void)
{
	test_int((int)(err_names_entry("TCP_CSUM") & ERR_REASON_MASK),
		 ERR_TCP_CSUM, "the kernel's word");
	test_int((int)(err_names_entry("NO_SOCKET") & ERR_SHARED) != 0, 1,
		 "one that other protocols share");
	test_int((int)err_names_entry("UDP_CSUM"), 0, "another protocol's");
	test_int((int)err_names_entry("QUEUE_PURGE"), 0, "an end");
	test_int((int)err_names_entry("TCP_FROM_THE_FUTURE"), ERR_OTHER,
		 "TCP's, of a newer kernel");
	test_int((int)err_names_entry("BAD_DOFF"), 0, "the command's own");
}

static void finds_counters(void)
{
	static const char text[] = "Ip: A B\nIp: 1 2\nTcp: InSegs InErrs\n"
				   "Tcp: 100 7\nTcpExt: X\nTcpExt:\n";
	uint64_t n = 0;

	test_int(err_counters_find(text, "Tcp", "InErrs", &n), 0, "a counter");
	test_int((int)n, 7, "and its value");
	test_int(err_counters_find(text, "Tcp", "In", &n), -ENOENT,
		 "no part of a name");
	test_int(err_counters_find(text, "Tcp", "B", &n), -ENOENT,
		 "none of another group");
	test_int(err_counters_find(text, "TcpExt", "X", &n), -ENOENT,
		 "a name without a value");
	test_int(err_counters_find(text, "Udp", "A", &n), -ENOENT,
		 "a group that is not there");
	test_int(err_counters_find("", "Tcp", "A", &n), -ENOENT, "no text");
}

int main(void)
{
	parses();
	knows_words();
	parses_format();
	tells();
	maps_kernel();
	finds_counters();
	return test_done();
}
