// SPDX-License-Identifier: Apache-2.0
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static const char *tool = "netbcc";
static enum nb_log_level log_level = NB_LOG_NORMAL;

void nb_log_tool(const char *name)
{
	tool = name;
}

const char *nb_log_name(void)
{
	return tool;
}

void nb_log_level(enum nb_log_level level)
{
	log_level = level;
}

int nb_log_is_quiet(void)
{
	return log_level <= NB_LOG_QUIET;
}

int nb_log_is_verbose(void)
{
	return log_level >= NB_LOG_VERBOSE;
}

/* A terminal also obeys U+0080 to U+009F, which are 0xc2 and one byte. */
static bool is_control(const char *p)
{
	unsigned char c = (unsigned char)p[0], next = (unsigned char)p[1];

	return c < ' ' || c == 0x7f ||
	       (c == 0xc2 && next >= 0x80 && next < 0xa0);
}

static void clean(char *p, bool lines)
{
	for (; *p; p++) {
		if (!is_control(p) || (*p == '\n' && lines))
			continue;
		if ((unsigned char)*p == 0xc2)
			*p++ = '?';
		*p = '?';
	}
}

/* "tool: message\n" in one write, so that processes don't mix their lines. */
NB_PRINTF(2, 0)
static void message(enum nb_log_level level, const char *fmt, va_list ap)
{
	char *text = NULL, *line = NULL;
	int saved = errno, len;

	if (level > log_level)
		return;
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	else
		clean(text, level == NB_LOG_VERBOSE);
	len = asprintf(&line, "%s: %s\n", tool, text ? text : "out of memory");
	if (len > 0) {
		fwrite(line, 1, (size_t)len, stderr);
		free(line);
	}
	free(text);
	errno = saved;
}

void nb_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	message(NB_LOG_QUIET, fmt, ap);
	va_end(ap);
}

void nb_note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	message(NB_LOG_NORMAL, fmt, ap);
	va_end(ap);
}

void nb_verbose(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	message(NB_LOG_VERBOSE, fmt, ap);
	va_end(ap);
}

int nb_error_set(struct nb_error *why, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why->text, sizeof(why->text), fmt, ap);
	va_end(ap);
	return err;
}

int nb_error_say(int err, const struct nb_error *why)
{
	if (err)
		nb_error("%s", why->text);
	return err;
}
