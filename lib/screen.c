// SPDX-License-Identifier: Apache-2.0
#include "screen.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#define HOME "\033[H"
#define CLEAR_LINE "\033[K"
#define CLEAR_REST "\033[J"

int nb_screen_size(int fd, struct nb_screen_size *ret)
{
	struct winsize size;

	if (ioctl(fd, TIOCGWINSZ, &size) || !size.ws_row || !size.ws_col)
		return -ENOTTY;
	ret->rows = size.ws_row;
	ret->columns = size.ws_col;
	return 0;
}

/*
 * The bytes of the @len that fit @columns. A character above U+0FFF may take
 * two of them (and those below that do, do not stand in names).
 */
static size_t cut(const char *line, size_t len, size_t columns)
{
	size_t at = 0;

	while (at < len) {
		size_t width = (unsigned char)line[at] > 0xe0 ? 2 : 1;

		if (columns < width)
			break;
		columns -= width;
		at++;
		while (at < len && (line[at] & 0xc0) == 0x80)
			at++;
	}
	return at;
}

int nb_screen_draw(FILE *out, const struct nb_screen_size *size,
		   const char *text, size_t len)
{
	/* One is left for the cursor, and for what others print. */
	unsigned rows = size->rows > 1 ? size->rows - 1 : 1, row = 0;
	const char *end = text + len;

	errno = 0;
	fputs(HOME, out);
	for (; row < rows && text < end; row++) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		size_t line = (size_t)((stop ? stop : end) - text);

		/* Cleared first: behind a full line it would clear its end. */
		fputs(row ? "\r\n" CLEAR_LINE : CLEAR_LINE, out);
		fwrite(text, 1, cut(text, line, size->columns), out);
		text = stop ? stop + 1 : end;
	}
	if (row < size->rows)
		fputs(row ? "\r\n" CLEAR_REST : CLEAR_REST, out);
	if (fflush(out) || ferror(out))
		return errno ? -errno : -EIO;
	return 0;
}
