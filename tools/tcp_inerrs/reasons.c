// SPDX-License-Identifier: Apache-2.0
#include "reasons.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel.h"

/* The names of the kernel's reasons in BTF begin with this. */
#define PREFIX "SKB_DROP_REASON_"

/* Not the kernel's word, but the command's. */
#define DERIVED 0x10000

#define BEFORE (ERR_SHARED | ERR_AT_HEADER)

/* clang-format off */
static const struct {
	const char *name;
	uint32_t flags;
} words[ERR_REASONS] = {
	[ERR_OTHER]                    = { "OTHER", DERIVED },
	[ERR_NOT_SPECIFIED]            = { "NOT_SPECIFIED", BEFORE },
	[ERR_PKT_TOO_SMALL]            = { "PKT_TOO_SMALL", BEFORE },
	[ERR_BAD_DOFF]                 = { "BAD_DOFF", DERIVED },
	[ERR_TCP_CSUM]                 = { "TCP_CSUM", 0 },
	[ERR_NO_SOCKET]                = { "NO_SOCKET", BEFORE },
	[ERR_TCP_MINTTL]               = { "TCP_MINTTL", 0 },
	[ERR_XFRM_POLICY]              = { "XFRM_POLICY", BEFORE },
	[ERR_TCP_AUTH_HDR]             = { "TCP_AUTH_HDR", 0 },
	[ERR_TCP_MD5NOTFOUND]          = { "TCP_MD5NOTFOUND", 0 },
	[ERR_TCP_MD5UNEXPECTED]        = { "TCP_MD5UNEXPECTED", 0 },
	[ERR_TCP_MD5FAILURE]           = { "TCP_MD5FAILURE", 0 },
	[ERR_TCP_AONOTFOUND]           = { "TCP_AONOTFOUND", 0 },
	[ERR_TCP_AOUNEXPECTED]         = { "TCP_AOUNEXPECTED", 0 },
	[ERR_TCP_AOKEYNOTFOUND]        = { "TCP_AOKEYNOTFOUND", 0 },
	[ERR_TCP_AOFAILURE]            = { "TCP_AOFAILURE", 0 },
	[ERR_SOCKET_FILTER]            = { "SOCKET_FILTER", BEFORE },
	[ERR_SOCKET_BACKLOG]           = { "SOCKET_BACKLOG", ERR_SHARED },
	[ERR_PROTO_MEM]                = { "PROTO_MEM", ERR_SHARED },
	[ERR_TCP_FLAGS]                = { "TCP_FLAGS", 0 },
	[ERR_TCP_INVALID_SYN]          = { "TCP_INVALID_SYN", 0 },
	[ERR_TCP_RESET]                = { "TCP_RESET", 0 },
	[ERR_TCP_RFC7323_PAWS]         = { "TCP_RFC7323_PAWS", 0 },
	[ERR_TCP_RFC7323_TW_PAWS]      = { "TCP_RFC7323_TW_PAWS", 0 },
	[ERR_TCP_RFC7323_TSECR]        = { "TCP_RFC7323_TSECR", 0 },
	[ERR_TCP_INVALID_SEQUENCE]     = { "TCP_INVALID_SEQUENCE", 0 },
	[ERR_TCP_INVALID_END_SEQUENCE] = { "TCP_INVALID_END_SEQUENCE", 0 },
	[ERR_TCP_INVALID_ACK_SEQUENCE] = { "TCP_INVALID_ACK_SEQUENCE", 0 },
	[ERR_TCP_ACK_UNSENT_DATA]      = { "TCP_ACK_UNSENT_DATA", 0 },
	[ERR_TCP_TOO_OLD_ACK]          = { "TCP_TOO_OLD_ACK", 0 },
	[ERR_TCP_ZEROWINDOW]           = { "TCP_ZEROWINDOW", 0 },
	[ERR_TCP_OVERWINDOW]           = { "TCP_OVERWINDOW", 0 },
	[ERR_TCP_OFO_QUEUE_PRUNE]      = { "TCP_OFO_QUEUE_PRUNE", 0 },
	[ERR_TCP_ABORT_ON_DATA]        = { "TCP_ABORT_ON_DATA", 0 },
	[ERR_TCP_CLOSE]                = { "TCP_CLOSE", 0 },
	[ERR_TCP_FASTOPEN]             = { "TCP_FASTOPEN", 0 },
	[ERR_TCP_LISTEN_OVERFLOW]      = { "TCP_LISTEN_OVERFLOW", 0 },
	[ERR_SYN_QUEUE_FULL]           = { "SYN_QUEUE_FULL", DERIVED },
	[ERR_COOKIE_FAILED]            = { "COOKIE_FAILED", DERIVED },
	[ERR_RESET_RECEIVED]           = { "RESET_RECEIVED", DERIVED },
	[ERR_RESET_SENT]               = { "RESET_SENT", DERIVED },
	[ERR_TCP_OLD_SEQUENCE]         = { "TCP_OLD_SEQUENCE", 0 },
	[ERR_TCP_OLD_DATA]             = { "TCP_OLD_DATA", 0 },
	[ERR_TCP_OLD_ACK]              = { "TCP_OLD_ACK", 0 },
	[ERR_TCP_RFC7323_PAWS_ACK]     = { "TCP_RFC7323_PAWS_ACK", 0 },
	[ERR_PAWS_DUPLICATE]           = { "PAWS_DUPLICATE", DERIVED },
	[ERR_TW_PAWS_DUPLICATE]        = { "TW_PAWS_DUPLICATE", DERIVED },
	[ERR_TCP_OFOMERGE]             = { "TCP_OFOMERGE", 0 },
	[ERR_TCP_OFO_DROP]             = { "TCP_OFO_DROP", 0 },
	[ERR_TIME_WAIT]                = { "TIME_WAIT", DERIVED },
	[ERR_DEFER_ACCEPT]             = { "DEFER_ACCEPT", DERIVED },
	[ERR_CLOSING_ACK]              = { "CLOSING_ACK", DERIVED },
	[ERR_RESET_OR_DATA]            = { "RESET_OR_DATA", DERIVED },
};
/* clang-format on */

const char *err_reason_name(unsigned reason)
{
	return reason < ERR_REASONS ? words[reason].name : NULL;
}

bool err_reason_is_normal(unsigned reason)
{
	return reason >= ERR_TCP_OLD_SEQUENCE;
}

/* What is said of the reason alone: "PAWS" of "TCP_RFC7323_PAWS". */
static const char *without_prefix(const char *name)
{
	if (!strncasecmp(name, "TCP_", 4))
		name += 4;
	return strncasecmp(name, "RFC7323_", 8) ? name : name + 8;
}

static unsigned find(const char *word)
{
	for (unsigned i = 1; i < ERR_REASONS; i++)
		if (!strcasecmp(without_prefix(words[i].name),
				without_prefix(word)))
			return i;
	return ERR_NONE;
}

int err_reasons_parse(const char *list, uint64_t *mask, struct nb_error *why)
{
	for (;;) {
		size_t len = strcspn(list, ",");
		char word[ERR_NAME_LEN];
		unsigned reason;

		snprintf(word, sizeof(word), "%.*s", (int)len, list);
		reason = len < sizeof(word) ? find(word) : ERR_NONE;
		if (!reason)
			return nb_error_set(why, -EINVAL, "%.*s", (int)len,
					    list);
		*mask |= 1ULL << reason;
		if (!list[len])
			return 0;
		list += len + 1;
	}
}

void err_reasons_list(char *buf, size_t size)
{
	size_t len = 0;

	for (unsigned i = 1; i < ERR_REASONS && len < size; i++)
		len += (size_t)snprintf(buf + len, size - len, "%s%s",
					i > 1 ? ", " : "", words[i].name);
}

size_t err_names_parse(const char *format, struct err_names *ret)
{
	const char *at = strstr(format, "print fmt:");
	size_t n = 0;

	memset(ret, 0, sizeof(*ret));
	at = at ? strstr(at, "__print_symbolic(") : NULL;
	while (at && (at = strchr(at, '{'))) {
		char name[ERR_NAME_LEN];
		unsigned long value;
		int end = 0;

		sscanf(at, "{ %lu, \"%47[A-Z0-9_]\" }%n", &value, name, &end);
		if (end && value < ERR_KERNEL_REASONS) {
			strcpy(ret->name[value], name);
			n++;
		}
		at++;
	}
	return n;
}

/* 0 when the tracepoint's description could not be read. */
static size_t from_tracefs(struct nb_kernel *kernel, struct err_names *ret)
{
	int root = nb_kernel_tracefs(kernel), fd;
	size_t size = 1 << 16, len = 0, names;
	char *text;

	fd = root < 0 ? -1
		      : openat(root, "events/skb/kfree_skb/format",
			       O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	text = malloc(size);
	while (text && len < size - 1) {
		ssize_t n = read(fd, text + len, size - 1 - len);

		if (n <= 0)
			break;
		len += (size_t)n;
	}
	close(fd);
	if (!text)
		return 0;
	text[len] = '\0';
	names = err_names_parse(text, ret);
	free(text);
	return names;
}

static size_t from_btf(struct nb_kernel *kernel, struct err_names *ret)
{
	size_t n = 0;

	memset(ret, 0, sizeof(*ret));
	for (int i = 0; i < ERR_KERNEL_REASONS; i++) {
		const char *name;

		if (nb_kernel_enum_name(kernel, "skb_drop_reason", i, &name) ||
		    strncmp(name, PREFIX, sizeof(PREFIX) - 1))
			continue;
		snprintf(ret->name[i], ERR_NAME_LEN, "%s",
			 name + sizeof(PREFIX) - 1);
		n++;
	}
	return n;
}

int err_names_get(struct err_names *ret, struct nb_error *why)
{
	struct nb_kernel *kernel;
	int err = nb_kernel_new(&kernel);

	if (err)
		return nb_error_set(why, err, "cannot look at the kernel: %s",
				    strerror(-err));
	if (!from_tracefs(kernel, ret) && !from_btf(kernel, ret))
		err = nb_error_set(
			why, -EOPNOTSUPP,
			"cannot tell why packets are dropped: the kernel has no reasons (Linux 5.17)");
	nb_kernel_free(kernel);
	return err;
}

bool err_reason_is_told(const struct err_names *names, unsigned reason)
{
	if (words[reason].flags & DERIVED)
		return true;
	/* What newer kernels have a word for, it can tell by itself. */
	if (reason == ERR_TCP_OLD_SEQUENCE || reason == ERR_TCP_LISTEN_OVERFLOW)
		return true;
	for (size_t i = 0; i < ERR_KERNEL_REASONS; i++)
		if (!strcmp(names->name[i], words[reason].name))
			return true;
	return false;
}

uint32_t err_names_entry(const char *name)
{
	for (unsigned i = 1; i < ERR_REASONS; i++)
		if (!strcmp(words[i].name, name) && !(words[i].flags & DERIVED))
			return i | words[i].flags;
	/* What newer kernels may have to say of TCP. */
	return strncmp(name, "TCP_", 4) ? 0 : ERR_OTHER;
}
