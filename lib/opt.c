// SPDX-License-Identifier: Apache-2.0
#include "opt.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

#define HELP_LINE 80 /* columns */
#define HELP_TEXT 26 /* where the texts begin */

/* clang-format off */
static const struct nb_opt standard[] = {
	{ NB_FLAG, 'q', "quiet", .help = "print errors and data only" },
	{ NB_FLAG, 'v', "verbose", .help = "say how things are done" },
	{ NB_FLAG, 'V', "version", .help = "print the version and exit" },
	{ NB_FLAG, 'h', "help", .help = "print this help and exit" },
};
/* clang-format on */

#define NSTANDARD (sizeof(standard) / sizeof(standard[0]))

/* The command's own options come first. NULL behind the last one. */
static const struct nb_opt *option(const struct nb_cmd *cmd, size_t i)
{
	if (i < cmd->nopts)
		return &cmd->opts[i];
	i -= cmd->nopts;
	return i < NSTANDARD ? &standard[i] : NULL;
}

void nb_opt_misuse(const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	nb_error("%s (try --help)", text);
	exit(2);
}

/* As nb_parse_u64(), of the @len bytes at @s. */
static int parse_digits(const char *s, size_t len, uint64_t min, uint64_t max,
			uint64_t *ret)
{
	bool overflow = false;
	uint64_t n = 0;

	if (!len)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -EINVAL;
		overflow |= __builtin_mul_overflow(n, 10, &n);
		overflow |= __builtin_add_overflow(n, s[i] - '0', &n);
	}
	if (overflow || n < min || n > max)
		return -ERANGE;
	*ret = n;
	return 0;
}

int nb_parse_u64(const char *s, uint64_t min, uint64_t max, uint64_t *ret)
{
	return parse_digits(s, strlen(s), min, max, ret);
}

static int add_port(struct nb_ports *ports, uint16_t port)
{
	for (size_t i = 0; i < ports->n; i++)
		if (ports->port[i] == port)
			return 0;
	if (ports->n == NB_PORTS_MAX)
		return -E2BIG;
	ports->port[ports->n++] = port;
	return 0;
}

int nb_parse_ports(const char *s, struct nb_ports *ports)
{
	struct nb_ports all = *ports;
	uint64_t port;
	int err;

	for (;; s++) {
		size_t len = strcspn(s, ",");

		err = parse_digits(s, len, 1, UINT16_MAX, &port);
		if (!err)
			err = add_port(&all, (uint16_t)port);
		if (err)
			return err;
		s += len;
		if (!*s)
			break;
	}
	*ports = all;
	return 0;
}

static int add_item(struct nb_list *list, const char *item)
{
	for (size_t i = 0; i < list->n; i++)
		if (!strcmp(list->item[i], item))
			return 0;
	if (list->n == NB_LIST_MAX)
		return -E2BIG;
	list->item[list->n++] = item;
	return 0;
}

/* @text in lines of at most HELP_LINE, indented by @left; the first is. */
static void put_wrapped(const char *text, int left)
{
	int at = left;

	while (*text) {
		int len = (int)strcspn(text, " ");

		if (at > left && at + 1 + len > HELP_LINE) {
			printf("\n%*s", left, "");
			at = left;
		}
		at += printf("%s%.*s", at > left ? " " : "", len, text);
		text += len;
		text += strspn(text, " ");
	}
	putchar('\n');
}

/* "  -p, --pid PID           only this process" */
static void put_option(const struct nb_opt *o)
{
	int at = 0;

	if (!o->help)
		return;
	if (o->shrt)
		at += printf("  -%c, ", o->shrt);
	else
		at += printf(o->legacy || !o->lng ? "  " : "      ");
	if (o->legacy)
		at += printf("-%s, ", o->legacy);
	if (!o->lng)
		at += printf("%s", o->arg);
	else
		at += printf("--%s", o->lng);
	if (o->lng && o->kind != NB_FLAG)
		at += printf(o->bare ? " [%s]" : " %s", o->arg);
	printf(at + 2 > HELP_TEXT ? "\n%*s" : "%*s",
	       at + 2 > HELP_TEXT ? HELP_TEXT : HELP_TEXT - at, "");
	put_wrapped(o->help, HELP_TEXT);
}

/* Nobody may take half a text on a full disk for the whole. */
static _Noreturn void end_output(const char *what)
{
	if (fflush(stdout) || ferror(stdout)) {
		nb_error("cannot write the %s: %s", what, strerror(errno));
		exit(1);
	}
	exit(0);
}

static _Noreturn void put_help(const struct nb_cmd *cmd)
{
	const char *const *example = cmd->examples;
	const struct nb_opt *o;

	printf("Usage: %s [OPTION]...", cmd->name);
	for (size_t i = 0; i < cmd->nargs; i++)
		printf(" [%s", cmd->args[i].arg);
	for (size_t i = 0; i < cmd->nargs; i++)
		putchar(']');
	putchar('\n');
	put_wrapped(cmd->about, 0);
	if (cmd->nargs)
		printf("\nArguments:\n");
	for (size_t i = 0; i < cmd->nargs; i++)
		put_option(&cmd->args[i]);
	printf("\nOptions:\n");
	for (size_t i = 0; (o = option(cmd, i)); i++)
		put_option(o);
	if (example && *example)
		printf("\nExamples:\n");
	for (; example && *example; example++)
		printf("  %s\n", *example);
	end_output("help");
}

static _Noreturn void put_version(const struct nb_cmd *cmd)
{
	printf("%s %s (netbcc)\n", cmd->name, NB_VERSION);
	end_output("version");
}

static void take_flag(const struct nb_cmd *cmd, const struct nb_opt *o)
{
	if (o->out) {
		*(bool *)o->out = true;
		return;
	}
	switch (o->shrt) {
	case 'q':
		nb_log_level(NB_LOG_QUIET);
		break;
	case 'v':
		nb_log_level(NB_LOG_VERBOSE);
		break;
	case 'V':
		put_version(cmd);
	case 'h':
		put_help(cmd);
	}
}

static uint64_t limit(const struct nb_opt *o)
{
	uint64_t top = o->kind == NB_U32 ? UINT32_MAX : UINT64_MAX;

	return o->max && o->max < top ? o->max : top;
}

/* 0, or -errno as the parsers have it; -ENOENT: none of the words. */
static int take_value(const struct nb_opt *o, const char *value)
{
	uint64_t n;
	int err;

	switch (o->kind) {
	case NB_U32:
	case NB_U64:
		err = nb_parse_u64(value, o->min, limit(o), &n);
		if (err)
			return err;
		if (o->kind == NB_U32)
			*(uint32_t *)o->out = (uint32_t)n;
		else
			*(uint64_t *)o->out = n;
		return 0;
	case NB_PORTS:
		return nb_parse_ports(value, o->out);
	case NB_CHOICE:
		for (unsigned i = 0; o->choices[i]; i++) {
			if (!strcmp(value, o->choices[i])) {
				*(unsigned *)o->out = i + 1;
				return 0;
			}
		}
		return -ENOENT;
	case NB_LIST:
		return add_item(o->out, value);
	default:
		*(const char **)o->out = value;
		return 0;
	}
}

/* Why take_value() failed with @err. */
static void explain(const struct nb_opt *o, int err, char *why, size_t size)
{
	bool is_ports = o->kind == NB_PORTS;
	int at;

	switch (err) {
	case -ENOENT:
		at = snprintf(why, size, "not one of");
		for (unsigned i = 0; o->choices[i] && at < (int)size; i++)
			at += snprintf(why + at, size - (size_t)at, "%s %s",
				       i ? "," : "", o->choices[i]);
		break;
	case -E2BIG:
		if (is_ports)
			snprintf(why, size, "more than %d ports", NB_PORTS_MAX);
		else
			snprintf(why, size, "more than %d of these",
				 NB_LIST_MAX);
		break;
	case -ERANGE:
		snprintf(why, size, "not between %" PRIu64 " and %" PRIu64,
			 is_ports ? 1 : o->min,
			 is_ports ? UINT16_MAX : limit(o));
		break;
	default:
		snprintf(why, size, "not a number");
	}
}

static bool is_number(const char *arg)
{
	return arg && *arg && !arg[strspn(arg, "0123456789")];
}

/*
 * Take @o, spelt as the @len bytes at @arg, with @value, or with the next
 * argument when that is NULL. Returns what comes after.
 */
static char **take(const struct nb_cmd *cmd, const struct nb_opt *o,
		   const char *arg, int len, const char *value, char **next)
{
	char why[256];
	int err;

	if (o->kind == NB_FLAG) {
		if (value)
			nb_opt_misuse("cannot use '%s': it takes no value",
				      arg);
		take_flag(cmd, o);
		return next;
	}
	if (!value && o->bare && !is_number(*next))
		value = o->bare;
	if (!value && !*next)
		nb_opt_misuse("cannot use '%.*s': no value", len, arg);
	if (!value)
		value = *next++;
	if (!*value)
		nb_opt_misuse("cannot use '%.*s': empty value", len, arg);
	err = take_value(o, value);
	if (err) {
		explain(o, err, why, sizeof(why));
		nb_opt_misuse("cannot use '%.*s %.500s': %s", len, arg, value,
			      why);
	}
	return next;
}

enum spelling { SHORT, LONG, LEGACY };

/* The option that is spelt by the @len bytes at @name; NULL: none. */
static const struct nb_opt *find(const struct nb_cmd *cmd, enum spelling how,
				 const char *name, size_t len)
{
	const struct nb_opt *o;

	for (size_t i = 0; (o = option(cmd, i)); i++) {
		const char *word = how == LONG ? o->lng : o->legacy;

		if (how == SHORT && o->shrt == *name)
			return o;
		if (how != SHORT && word && !strncmp(word, name, len) &&
		    !word[len])
			return o;
	}
	return NULL;
}

/*
 * The legacy option @arg, with the bytes of its name in *ret_len: with its
 * value attached if that has only digits and commas, since another option's
 * may have letters (-dppp0 is -d). "=" is no part of a value, so that it is
 * refused. NULL: it is none.
 */
static const struct nb_opt *find_legacy(const struct nb_cmd *cmd,
					const char *arg, int *ret_len)
{
	size_t len = strlen(arg), word = len;
	const struct nb_opt *o = find(cmd, LEGACY, arg + 1, len - 1);

	if (!o) {
		while (word > 1 && strchr("0123456789,=", arg[word - 1]))
			word--;
		o = find(cmd, LEGACY, arg + 1, word - 1);
		if (o && o->kind == NB_FLAG)
			o = NULL;
	}
	*ret_len = (int)word;
	return o;
}

/* "--name" or "--name=value"; returns what comes after. */
static char **take_long(const struct nb_cmd *cmd, const char *arg, char **next)
{
	size_t len = strcspn(arg, "=");
	const struct nb_opt *o = find(cmd, LONG, arg + 2, len - 2);

	if (!o)
		nb_opt_misuse("unknown option '%.*s'", (int)len, arg);
	return take(cmd, o, arg, (int)len, arg[len] ? arg + len + 1 : NULL,
		    next);
}

/* "-x", "-xVALUE" or a bundle such as "-46T"; returns what comes after. */
static char **take_short(const struct nb_cmd *cmd, const char *arg, char **next)
{
	for (const char *p = arg + 1; *p; p++) {
		const struct nb_opt *o = find(cmd, SHORT, p, 1);
		const char spelt[] = { '-', *p, '\0' };

		if (!o)
			nb_opt_misuse("unknown option '%s'", arg);
		if (o->bare && p[1] && !is_number(p + 1)) {
			take_value(o, o->bare);
			continue;
		}
		if (o->kind != NB_FLAG)
			return take(cmd, o, spelt, 2, p[1] ? p + 1 : NULL,
				    next);
		take_flag(cmd, o);
	}
	return next;
}

/*
 * Who is started without standard input, output or error must not get a map or
 * a program in their place. What can't be written must fail: read-only.
 */
static void fill_standard_files(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

/* @arg is no option: the argument number @n. */
static void take_arg(const struct nb_cmd *cmd, size_t n, const char *arg)
{
	char why[256];
	int err;

	if (n >= cmd->nargs)
		nb_opt_misuse("unexpected argument '%s'", arg);
	if (!*arg)
		nb_opt_misuse("cannot use '%s': empty value", cmd->args[n].arg);
	err = take_value(&cmd->args[n], arg);
	if (err) {
		explain(&cmd->args[n], err, why, sizeof(why));
		nb_opt_misuse("cannot use '%s %.500s': %s", cmd->args[n].arg,
			      arg, why);
	}
}

void nb_opt_parse(const struct nb_cmd *cmd, int argc, char **argv)
{
	char **next = argv + (argc > 0);
	size_t args = 0;

	fill_standard_files();
	nb_log_tool(cmd->name);
	while (*next) {
		const char *arg = *next++;
		const struct nb_opt *o;
		int len;

		if (!strcmp(arg, "--"))
			break;
		if (arg[0] != '-' || !arg[1]) {
			take_arg(cmd, args++, arg);
			continue;
		}
		o = find_legacy(cmd, arg, &len);
		if (o)
			next = take(cmd, o, arg, len,
				    arg[len] ? arg + len : NULL, next);
		else if (arg[1] == '-')
			next = take_long(cmd, arg, next);
		else
			next = take_short(cmd, arg, next);
	}
	while (*next)
		take_arg(cmd, args++, *next++);
}
