// SPDX-License-Identifier: Apache-2.0
#include "screen.h"

#include <errno.h>

#include "test.h"

#define HOME "\033[H"
#define K "\033[K"
#define J "\033[J"

static void draws(unsigned rows, unsigned columns, const char *text,
		  const char *want, const char *name)
{
	const struct nb_screen_size size = { rows, columns };
	char *got = NULL;
	size_t len;
	FILE *out = open_memstream(&got, &len);

	test_int(nb_screen_draw(out, &size, text, strlen(text)), 0, "it draws");
	fclose(out);
	test_str(got, want, name);
	free(got);
}

int main(void)
{
	const struct nb_screen_size size = { 3, 3 };
	struct nb_screen_size got = { 7, 7 };
	int fds[2];
	FILE *full;

	draws(24, 80, "", HOME J, "nothing clears all");
	draws(24, 80, "one\n", HOME K "one\r\n" J, "one line");
	draws(24, 80, "one\ntwo\n", HOME K "one\r\n" K "two\r\n" J,
	      "two lines");
	draws(24, 80, "one\n\ntwo", HOME K "one\r\n" K "\r\n" K "two\r\n" J,
	      "an empty line, and one without its end");
	draws(3, 80, "one\ntwo\n", HOME K "one\r\n" K "two\r\n" J,
	      "a full screen does not scroll");
	draws(3, 80, "one\ntwo\nthree\n", HOME K "one\r\n" K "two\r\n" J,
	      "what is too much is left out");
	draws(1, 80, "one\ntwo\n", HOME K "one", "a single line");
	draws(24, 3, "a line\nabc\n", HOME K "a l\r\n" K "abc\r\n" J,
	      "what is too long is cut");
	draws(24, 3, "\xc3\xa4\xc3\xb6\xc3\xbcz\n",
	      HOME K "\xc3\xa4\xc3\xb6\xc3\xbc\r\n" J,
	      "by characters, not bytes");
	draws(24, 3, "\xf0\x9f\x98\x80\xf0\x9f\x98\x80z\n",
	      HOME K "\xf0\x9f\x98\x80\r\n" J, "some of which are wide");

	if (pipe(fds))
		return 1;
	test_int(nb_screen_size(fds[0], &got), -ENOTTY, "a pipe has no size");
	test_ok(got.rows == 7 && got.columns == 7, "and leaves it untouched");
	full = fopen("/dev/full", "w");
	test_int(nb_screen_draw(full, &size, "x\n", 2), -ENOSPC,
		 "a full disk is told");
	fclose(full);
	return test_done();
}
