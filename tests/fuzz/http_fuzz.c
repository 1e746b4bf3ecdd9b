// SPDX-License-Identifier: Apache-2.0
/*
 * http_fuzz [COUNT [SEED]]: beginnings of requests and answers, lists of
 * statuses and patterns, as anybody may send or mistype them. What is found
 * must be within the bytes, and be written back as it was.
 */
#include "../../tools/trace_http/http.c"

#include "fuzz.h"

static const char *const words[] = { "GET ",	  "POST ",
				     "HTTP/1.1 ", "HTTP/1.",
				     "\r\n\r\n",  "/a/b?c#d ",
				     "200",	  "CONNECT ",
				     "5xx,",	  "404",
				     "\n",	  "*",
				     "[",	  "HEAD / HTTP/1.0\r\n\r\n" };

#define WORDS (sizeof(words) / sizeof(words[0]))
#define TEXT_MAX 600

/* A text in memory that ends where it does, so that no byte behind is read. */
static uint8_t *make(size_t *ret_len)
{
	char text[TEXT_MAX + 32];
	size_t len = 0, want = fuzz_below(TEXT_MAX);
	uint8_t *copy;

	while (len < want) {
		const char *word = words[fuzz_below(WORDS)];

		if (fuzz_below(4)) {
			memcpy(text + len, word, strlen(word));
			len += strlen(word);
		} else {
			text[len++] = (char)fuzz_below(256);
		}
	}
	copy = malloc(len ? len : 1);
	if (!copy)
		abort();
	memcpy(copy, text, len);
	*ret_len = len;
	return copy;
}

static int check_request(const uint8_t *text, size_t len)
{
	struct http_request r;
	const uint8_t *path;

	if (http_request_parse(text, len, &r))
		return 0;
	path = (const uint8_t *)r.path;
	if (path < text || !r.path_len || path + r.path_len > text + len)
		return 1;
	if (r.cut != (path + r.path_len == text + len))
		return 1;
	for (size_t i = 0; i < r.path_len; i++)
		if (path[i] <= ' ')
			return 1;
	return memcmp(path - strlen(r.method) - 1, r.method,
		      strlen(r.method)) != 0;
}

static int check_status(const uint8_t *text, size_t len)
{
	unsigned status = http_status_parse(text, len);
	char back[16];

	if (!status)
		return 0;
	snprintf(back, sizeof(back), " %u", status);
	return status < 100 || status > 999 || memcmp(text, "HTTP/1.", 7) ||
	       memcmp(text + 8, back, 4);
}

static int check_texts(const uint8_t *text, size_t len)
{
	struct http_statuses s = { 0 };
	char *word = strndup((const char *)text, len);
	int bad = 0;

	if (!word)
		abort();
	if (!http_statuses_parse(word, &s))
		bad = !s.some || s.wanted[0] || s.wanted[99];
	http_path_matches(words[fuzz_below(WORDS)], (const char *)text, len);
	http_path_matches(word, (const char *)text, len);
	free(word);
	return bad;
}

int main(int argc, char **argv)
{
	uint64_t count = fuzz_args(argc, argv);
	int bad = 0;

	for (uint64_t i = 0; i < count && !bad; i++) {
		size_t len;
		uint8_t *text = make(&len);

		bad = check_request(text, len) + check_status(text, len) +
		      check_texts(text, len);
		free(text);
		if (bad)
			printf("# failed at %llu\n", (unsigned long long)i);
	}
	printf("%sok 1 - %llu beginnings of requests and answers\n1..1\n",
	       bad ? "not " : "", (unsigned long long)count);
	return bad != 0;
}
