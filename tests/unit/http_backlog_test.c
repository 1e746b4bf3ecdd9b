// SPDX-License-Identifier: Apache-2.0
#include "../../tools/trace_http/backlog.c"

#include <errno.h>
#include <stdint.h>

#include "test.h"

static void first_in_first_out(void)
{
	struct http_backlog b = { 0 };
	int wrong = 0;

	for (uint32_t i = 0; i < 1000; i++)
		wrong += http_backlog_add(&b, &i, sizeof(i)) != 0;
	test_int(wrong, 0, "1000 records are added");
	for (uint32_t i = 0; i < 1000; i++) {
		size_t size = 0;
		uint32_t *got = http_backlog_take(&b, &size);

		wrong += !got || size != sizeof(*got) || *got != i;
		free(got);
	}
	test_int(wrong, 0, "and taken in their order");
	test_int((long long)b.bytes, 0, "nothing is left");
}

static void bounded(void)
{
	static char big[1 << 20];
	struct http_backlog b = { 0 };
	size_t size, n = 0;
	void *data;
	int err;

	while (!(err = http_backlog_add(&b, big, sizeof(big))))
		n++;
	test_int(err, -ENOSPC, "there is a limit");
	test_int((long long)(n * sizeof(big)), HTTP_BACKLOG_MAX, "to the byte");
	test_int(http_backlog_add(&b, big, 0), 0, "nothing has room");
	data = http_backlog_take(&b, &size);
	test_int((long long)size, sizeof(big), "the oldest goes");
	free(data);
	test_int(http_backlog_add(&b, big, sizeof(big)), 0, "and makes room");
	http_backlog_free(&b);
	test_int((long long)b.bytes, 0, "all is freed");
	test_ok(!http_backlog_take(&b, &size), "none waits");
}

int main(void)
{
	first_in_first_out();
	bounded();
	return test_done();
}
