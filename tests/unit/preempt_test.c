// SPDX-License-Identifier: Apache-2.0
#include "preempt.h"

#include "test.h"

#define DEBIAN "#1 SMP PREEMPT_DYNAMIC Debian 6.1.192-2 (2026-11-16)"

int main(void)
{
	test_ok(nb_preempt_says("none voluntary (full) \n", DEBIAN, ""),
		"debugfs: full");
	test_ok(nb_preempt_says("none voluntary full (lazy)\n", DEBIAN, ""),
		"debugfs: lazy");
	test_ok(!nb_preempt_says("none (voluntary) full\n", DEBIAN,
				 "preempt=full"),
		"debugfs: voluntary, which was chosen since the start");
	test_ok(!nb_preempt_says("(none)\n", DEBIAN, ""), "debugfs: none");
	test_ok(nb_preempt_says(NULL, DEBIAN, "quiet preempt=full\n"),
		"command line: full");
	test_ok(nb_preempt_says(NULL, DEBIAN, "preempt=lazy quiet"),
		"command line: lazy");
	test_ok(!nb_preempt_says(NULL, DEBIAN, "xpreempt=full quiet"),
		"command line: another word that ends so");
	test_ok(!nb_preempt_says(NULL, DEBIAN, "preempt=fuller"),
		"command line: another word that begins so");
	test_ok(!nb_preempt_says(NULL, DEBIAN, ""), "nothing says so");
	test_ok(nb_preempt_says(NULL, "#1 SMP PREEMPT Arch", ""), "built in");
	test_ok(nb_preempt_says(NULL, "#1 SMP PREEMPT_RT Debian", ""),
		"real time");
	test_ok(!nb_preempt_says(NULL, "#1 SMP Debian", "preempt=full"),
		"a kernel that can't");
	test_ok(nb_preempt_says(NULL, "PREEMPT", ""), "and nothing else");
	test_ok(!nb_preempt_says(NULL, "", ""), "nothing");
	return test_done();
}
