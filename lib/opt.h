/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command lines. One table drives parsing and --help. Every command has -h,
 * -V, -v and -q besides its own options.
 */
#ifndef NB_OPT_H
#define NB_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum nb_opt_kind {
	NB_FLAG,   /* bool *out = true */
	NB_U32,	   /* uint32_t *out, from min to max (0: UINT32_MAX) */
	NB_U64,	   /* uint64_t *out, from min to max (0: UINT64_MAX) */
	NB_STR,	   /* const char **out, not empty */
	NB_PORTS,  /* struct nb_ports *out, from a comma list */
	NB_CHOICE, /* unsigned *out = 1 + index of the word in choices */
	NB_LIST,   /* struct nb_list *out, not empty; each time one more */
};

#define NB_PORTS_MAX 1024

/* A set of ports; the same one twice is kept once. */
struct nb_ports {
	uint16_t port[NB_PORTS_MAX]; /* host order, 1 to 65535 */
	size_t n;
};

#define NB_LIST_MAX 64

/* A set of words; the same one twice is kept once. */
struct nb_list {
	const char *item[NB_LIST_MAX]; /* of argv */
	size_t n;
};

struct nb_opt {
	enum nb_opt_kind kind;
	char shrt;	    /* -x; 0: none */
	const char *lng;    /* --name */
	const char *legacy; /* the seed's single-dash word, -name; or NULL */
	const char *arg;    /* what the value is called in --help */
	const char *help;   /* NULL: hidden */
	void *out;
	uint64_t min;
	uint64_t max;
	const char *const *choices; /* NULL-terminated */
	const char *bare; /* a number's value when none follows; or NULL */
};

struct nb_cmd {
	const char *name;
	const char *about;	     /* one line under the usage */
	const char *const *examples; /* lines; NULL ends them */
	const struct nb_opt *opts;
	size_t nopts;
	const struct nb_opt *args; /* without a name, in their order; all of
				    * them may be left out */
	size_t nargs;
};

/*
 * Parse @argv. An option may be written -x VALUE, -xVALUE, --name VALUE,
 * --name=VALUE, -legacy VALUE or, with digits and commas only, -legacyVALUE,
 * and one that is "bare" without a value, if what comes next is no number;
 * flags may be bundled (-46T); "--" ends the options; a later value replaces an
 * earlier one (ports and lists are added to). No abbreviations. What is no
 * option is the next of cmd->args. Sets the log's name and level, and opens
 * /dev/null for reading where standard input, output or error is closed.
 *
 * Misuse is one line on standard error and exit status 2; --help and
 * --version print on standard output and exit 0 (1 if that can't be written).
 */
void nb_opt_parse(const struct nb_cmd *cmd, int argc, char **argv);

/* For a check of the command's own: that same line, and exit status 2. */
_Noreturn void nb_opt_misuse(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));

/*
 * Parse decimal digits (no sign, no blanks, no suffix) between @min and @max.
 * 0; -EINVAL for anything else; -ERANGE outside the bounds.
 */
int nb_parse_u64(const char *s, uint64_t min, uint64_t max, uint64_t *ret);

/* Parse "80,81" and add it to @ports. 0, -EINVAL, -ERANGE or -E2BIG. */
int nb_parse_ports(const char *s, struct nb_ports *ports);

#endif
