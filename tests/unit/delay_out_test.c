// SPDX-License-Identifier: Apache-2.0
#include "../../tools/delay_analysis_out/stages.c"

#include "test.h"

/* "total qdisc ip tcp sock driver", "-" for what is not known. */
static void shows(const struct out_times *times, const char *want,
		  const char *name)
{
	uint64_t ns[OUT_STAGES];
	char got[256] = "";
	size_t len = 0;

	out_stages_get(times, ns);
	for (unsigned i = 0; i < OUT_STAGES; i++)
		len += (size_t)(ns[i] == NB_DELAY_UNKNOWN
					? snprintf(got + len, sizeof(got) - len,
						   "- ")
					: snprintf(got + len, sizeof(got) - len,
						   "%llu ",
						   (unsigned long long)ns[i]));
	test_str(got, want, name);
}

int main(void)
{
	struct out_times t = { .called = 50,
			       .begun = 100,
			       .ip = 110,
			       .queued = 130,
			       .sent = 1000,
			       .done = 1007 };

	shows(&t, "900 870 20 10 50 7 ", "by functions");
	t.called = 0;
	shows(&t, "900 870 20 10 - 7 ", "a call that nobody saw");
	t.ip = 0;
	shows(&t, "900 870 30 - - 7 ", "by tracepoints alone");
	t.done = 0;
	shows(&t, "900 870 30 - - - ", "a driver whose end nobody saw");
	t.begun = 0;
	shows(&t, "870 870 - - - - ", "a beginning that is not known");
	t = (struct out_times){ .called = 100,
				.begun = 90,
				.ip = 80,
				.queued = 70,
				.sent = 60,
				.done = 50 };
	shows(&t, "0 0 0 0 0 0 ", "nothing is less than nothing");
	return test_done();
}
