// SPDX-License-Identifier: Apache-2.0
#include "report.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "addr.h"
#include "utf8.h"

/* More of a path is no help. */
#define WORD_MAX 2048

static int result(FILE *out)
{
	if (!ferror(out))
		return 0;
	return errno ? -errno : -EIO;
}

/* @text as others have named it, or "-". */
static void put_word(FILE *out, const char *label, const char *text)
{
	char word[WORD_MAX];

	snprintf(word, sizeof(word), "%s", text && *text ? text : "-");
	nb_utf8_clean(word);
	fprintf(out, "%s%s", label, word);
}

static void put_ms(FILE *out, const char *label, uint64_t us)
{
	if (us == HTTP_NOT_MEASURED)
		fprintf(out, "%s-", label);
	else
		fprintf(out, "%s%" PRIu64 ".%02u ms", label, us / 1000,
			(unsigned)(us % 1000 / 10));
}

static void put_addr(FILE *out, const char *label, uint8_t ip,
		     const uint8_t *bytes)
{
	struct nb_addr addr = { .ip = ip };
	char text[NB_ADDR_STRLEN];

	memcpy(addr.bytes, bytes, sizeof(addr.bytes));
	nb_addr_format(&addr, text);
	fprintf(out, "%s%s", label, text);
}

static void put_frames(FILE *out, const struct http_frames *frames)
{
	char buf[HTTP_FRAME_STRLEN];

	for (size_t i = 0; i < frames->n; i++) {
		http_frame_format(&frames->f[i], buf);
		fprintf(out, "    %s\n", buf);
	}
	if (!frames->n)
		fputs("    [no stack]\n", out);
	if (frames->truncated)
		fputs("    [more]\n", out);
}

static void put_http(FILE *out, const struct http_call_info *info)
{
	fprintf(out, "Role: %s", info->server ? "server" : "client");
	put_word(out, ", Method: ", info->method);
	put_word(out, ", Path: ", info->path);
	if (info->status)
		fprintf(out, ", Status: %u", info->status);
	else
		fputs(", Status: -", out);
	put_ms(out, ", First byte: ", info->latency_us);
	put_ms(out, ", Total: ", info->duration_us);
	fputc('\n', out);
}

int http_report_call(FILE *out, const struct http_call_info *info, uint32_t id,
		     const struct http_frames *frames)
{
	errno = 0;
	fprintf(out, "\nPID: %" PRIu32, info->pid);
	put_word(out, ", Comm: ", info->comm);
	if (id)
		fprintf(out, ", Stack ID: %" PRIu32 "\n", id);
	else
		fputs(", Stack ID: -\n", out);
	put_ms(out, "Duration: ", info->latency_us);
	fprintf(out, ", Size: %" PRIu64 " bytes\n", info->size);
	put_addr(out, "Src IP: ", info->ip, info->saddr);
	put_addr(out, ", Dst IP: ", info->ip, info->daddr);
	fprintf(out, ", Dst Port: %u\n", info->dport);
	put_http(out, info);
	fputs("Stack trace:\n", out);
	put_frames(out, frames);
	return result(out);
}

int http_report_part(FILE *out, enum http_part part, uint64_t us,
		     const struct http_frames *frames)
{
	errno = 0;
	put_ms(out, part == HTTP_WAITED ? "Waited: " : "Computed: ", us);
	fputs(", stack trace:\n", out);
	put_frames(out, frames);
	return result(out);
}
