// SPDX-License-Identifier: Apache-2.0
#include "../../tools/tcp_inerrs/reasons.c"
#include "../../tools/tcp_inerrs/rows.c"

/* They have lists of columns, and finders. */
#define columns sum_columns
#define COL_TIME SUM_COL_TIME
#define COL_COUNT SUM_COL_COUNT
#define COL_REASON SUM_COL_REASON
#define COL_IP SUM_COL_IP
#define COL_PEER SUM_COL_PEER
#define COLS SUM_COLS
#define find find_sum
#include "../../tools/tcp_inerrs/sums.c"

#include "test.h"

struct err_args err_args = { .by = ERR_BY_PEER, .json = true };

static struct err_event event_of(unsigned reason, unsigned peer)
{
	return (struct err_event){
		.reason = (uint8_t)reason,
		.ip = 4,
		.saddr = { 192, 0, 2, (uint8_t)peer },
		.daddr = { 198, 51, 100, (uint8_t)peer },
	};
}

/* As the command does with a record. */
static int add(struct err_sums *sums, unsigned reason, unsigned peer,
	       size_t max)
{
	struct err_event e = event_of(reason, peer);
	struct err_sum_key key;

	err_sums_key(&e, &key);
	return err_sums_add(sums, &key, max);
}

static void print_sums(void *ctx)
{
	static const struct err_names names;

	if (err_sums_print(ctx, &names, 0))
		exit(1);
}

#define TIME "{\"time\":\"1970-01-01T00:00:00.000000Z\","

static void prints(struct err_sums *sums, const char *want, const char *name)
{
	struct test_run run;

	test_fork(print_sums, sums, &run);
	test_ran(&run, 0, want, "", name);
}

static void counts(void)
{
	struct err_sums sums = { 0 };

	add(&sums, ERR_TCP_CSUM, 1, 9);
	add(&sums, ERR_NO_SOCKET, 2, 9);
	add(&sums, ERR_TCP_CSUM, 3, 9);
	add(&sums, ERR_TCP_CSUM, 3, 9);
	add(&sums, ERR_RESET_SENT, 4, 9);
	prints(&sums,
	       TIME
	       "\"count\":2,\"reason\":\"TCP_CSUM\",\"ip\":4,\"peer\":\"192.0.2.3\"}\n" TIME
	       "\"count\":1,\"reason\":\"TCP_CSUM\",\"ip\":4,\"peer\":\"192.0.2.1\"}\n" TIME
	       "\"count\":1,\"reason\":\"NO_SOCKET\",\"ip\":4,\"peer\":\"192.0.2.2\"}\n" TIME
	       "\"count\":1,\"reason\":\"RESET_SENT\",\"ip\":4,\"peer\":\"198.51.100.4\"}\n",
	       "the reason with most first, then the peer; to whom resets go");
	err_sums_clear(&sums);
	prints(&sums, "", "what was cleared is forgotten");
}

static void has_room(void)
{
	struct err_sums sums = { 0 };

	test_int(add(&sums, ERR_TCP_CSUM, 1, 2), 0, "the first");
	test_int(add(&sums, ERR_TCP_CSUM, 2, 2), 0, "the last");
	test_int(add(&sums, ERR_TCP_CSUM, 3, 2), -ENOSPC, "one too many");
	test_int(add(&sums, ERR_TCP_CSUM, 2, 2), 0, "again one of those");
	err_sums_clear(&sums);
	test_int(add(&sums, ERR_TCP_CSUM, 3, 2), 0,
		 "after the interval there is room");
	test_int(add(&sums, ERR_TCP_CSUM, 4, 2), 0, "for as many");
	test_int(add(&sums, ERR_TCP_CSUM, 5, 2), -ENOSPC, "and no more");
	prints(&sums,
	       TIME
	       "\"count\":1,\"reason\":\"TCP_CSUM\",\"ip\":4,\"peer\":\"192.0.2.3\"}\n" TIME
	       "\"count\":1,\"reason\":\"TCP_CSUM\",\"ip\":4,\"peer\":\"192.0.2.4\"}\n",
	       "those alone are shown");
	err_sums_clear(&sums);
}

int main(void)
{
	counts();
	has_room();
	return test_done();
}
