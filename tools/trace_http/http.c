// SPDX-License-Identifier: Apache-2.0
#include "http.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>

static const char *const methods[] = { "GET",	  "POST",    "PUT",
				       "HEAD",	  "DELETE",  "PATCH",
				       "OPTIONS", "CONNECT", NULL };

/* The method at @text with the blank behind it, or NULL. */
static const char *find_method(const uint8_t *text, size_t len)
{
	for (size_t i = 0; methods[i]; i++) {
		size_t n = strlen(methods[i]);

		if (n < len && !memcmp(text, methods[i], n) && text[n] == ' ')
			return methods[i];
	}
	return NULL;
}

int http_request_parse(const uint8_t *text, size_t len,
		       struct http_request *ret)
{
	const uint8_t *end = text + len, *path, *p;
	const char *method = find_method(text, len);

	if (!method)
		return -EBADMSG;
	path = text + strlen(method) + 1;
	for (p = path; p<end && * p> ' '; p++)
		;
	if (p == path)
		return -EBADMSG;
	strcpy(ret->method, method);
	ret->path = (const char *)path;
	ret->path_len = (size_t)(p - path);
	ret->cut = p == end;
	return 0;
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

unsigned http_status_parse(const uint8_t *text, size_t len)
{
	static const char version[] = "HTTP/1.";
	const size_t at = sizeof(version) + 1; /* a digit, a blank */
	unsigned status;

	if (len < at + 3 || memcmp(text, version, sizeof(version) - 1))
		return 0;
	if (!is_digit(text[at - 2]) || text[at - 1] != ' ')
		return 0;
	if (!is_digit(text[at]) || !is_digit(text[at + 1]) ||
	    !is_digit(text[at + 2]))
		return 0;
	status = (text[at] - '0') * 100U + (text[at + 1] - '0') * 10U +
		 (text[at + 2] - '0');
	return status < 100 ? 0 : status;
}

/* One word of the list, of @len characters. */
static int parse_one(const char *word, size_t len, struct http_statuses *s)
{
	unsigned first, last;

	if (len != 3 || word[0] < '1' || word[0] > '9')
		return -EINVAL;
	first = (unsigned)(word[0] - '0') * 100;
	if (word[1] == 'x' && word[2] == 'x') {
		last = first + 99;
	} else {
		if (!is_digit((uint8_t)word[1]) || !is_digit((uint8_t)word[2]))
			return -EINVAL;
		first += (unsigned)(word[1] - '0') * 10 +
			 (unsigned)(word[2] - '0');
		last = first;
	}
	for (unsigned i = first; i <= last; i++)
		s->wanted[i] = true;
	return 0;
}

int http_statuses_parse(const char *text, struct http_statuses *ret)
{
	struct http_statuses s = *ret;
	const char *end;

	for (;; text = end + 1) {
		end = strchrnul(text, ',');
		if (parse_one(text, (size_t)(end - text), &s))
			return -EINVAL;
		if (!*end)
			break;
	}
	s.some = true;
	*ret = s;
	return 0;
}

bool http_status_wanted(const struct http_statuses *statuses, unsigned status)
{
	return !statuses->some ||
	       (status < HTTP_STATUS_MAX && statuses->wanted[status]);
}

bool http_path_matches(const char *glob, const char *path, size_t len)
{
	char text[512];

	if (len >= sizeof(text))
		len = sizeof(text) - 1;
	memcpy(text, path, len);
	text[len] = '\0';
	if (!strchr(glob, '?') && !strchr(glob, '#'))
		text[strcspn(text, "?#")] = '\0';
	return !fnmatch(glob, text, 0);
}
