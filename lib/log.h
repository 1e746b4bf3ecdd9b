/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages on standard error, one line each:
 * "tool: action 'object': reason (remedy)".
 */
#ifndef NB_LOG_H
#define NB_LOG_H

#define NB_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

enum nb_log_level {
	NB_LOG_QUIET = -1,  /* errors only */
	NB_LOG_NORMAL = 0,  /* and notes */
	NB_LOG_VERBOSE = 1, /* and how things are done */
};

/* Name the command in every message. @tool must live as long as they do. */
void nb_log_tool(const char *tool);

/* The command's name, for those who make messages of their own. */
const char *nb_log_name(void);

/* Which messages are printed; NB_LOG_NORMAL until it is called. */
void nb_log_level(enum nb_log_level level);

/* Is only what went wrong to be printed (-q)? Or everything (-v)? */
int nb_log_is_quiet(void);
int nb_log_is_verbose(void);

/*
 * Print a message and a newline: an error always, a note unless quiet, a
 * verbose one only when asked for. Control characters in it become '?', except
 * newlines in a verbose message.
 */
void nb_error(const char *fmt, ...) NB_PRINTF(1, 2);
void nb_note(const char *fmt, ...) NB_PRINTF(1, 2);
void nb_verbose(const char *fmt, ...) NB_PRINTF(1, 2);

/* Why a call of the library failed, for the command's one line. */
struct nb_error {
	char text[512];
};

/* Put the reason into @why. Returns @err, so that a failure is one statement.
 */
int nb_error_set(struct nb_error *why, int err, const char *fmt, ...)
	NB_PRINTF(3, 4);

/* nb_error() with @why, unless @err is 0. Returns @err. */
int nb_error_say(int err, const struct nb_error *why);

#endif
