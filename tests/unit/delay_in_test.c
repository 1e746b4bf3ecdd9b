// SPDX-License-Identifier: Apache-2.0
#include "../../tools/delay_analysis_in/stages.c"

#include "test.h"

/* "total mac ip tcp gro softirq backlog app", "-" for what is not known. */
static void shows(const struct in_times *times, const char *want,
		  const char *name)
{
	uint64_t ns[IN_STAGES];
	char got[256] = "";
	size_t len = 0;

	in_stages_get(times, ns);
	for (unsigned i = 0; i < IN_STAGES; i++)
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
	struct in_times t = { .driver = 100,
			      .stack = 110,
			      .tcp = 130,
			      .unlocked = 170,
			      .socket = 175,
			      .read = 1000 };

	shows(&t, "900 10 20 870 10 - 40 825 ", "by functions");
	t.queued = 1;
	shows(&t, "900 10 20 870 - 10 40 825 ", "of a virtual device");
	t.queued = 0;
	t.moved = 1;
	shows(&t, "900 10 20 870 - - 40 825 ", "to another processor");
	t.moved = 0;
	t.tcp = 0;
	t.unlocked = 0;
	shows(&t, "900 10 65 825 10 - - 825 ", "by tracepoints alone");
	t.stack = 0;
	shows(&t, "900 0 75 825 0 - - 825 ", "by a driver past the queues");
	t = (struct in_times){ .driver = 100,
			       .stack = 90,
			       .tcp = 80,
			       .unlocked = 70,
			       .socket = 60,
			       .read = 50 };
	shows(&t, "0 0 0 0 0 - 0 0 ", "nothing is less than nothing");
	return test_done();
}
