// SPDX-License-Identifier: Apache-2.0
#include "../../tools/trace_http/http.c"

#include <stdio.h>

#include "test.h"

/* "METHOD path[...]" of the request at @text, or "none". */
static void request_is(const char *text, const char *want)
{
	struct http_request r;
	char got[512] = "none";

	if (!http_request_parse((const uint8_t *)text, strlen(text), &r))
		snprintf(got, sizeof(got), "%s %.*s%s", r.method,
			 (int)r.path_len, r.path, r.cut ? "..." : "");
	test_str(got, want, text);
}

static void requests(void)
{
	request_is("GET / HTTP/1.1\r\n", "GET /");
	request_is("OPTIONS * HTTP/1.1\r\n", "OPTIONS *");
	request_is("CONNECT a:443 HTTP/1.1\r\n", "CONNECT a:443");
	request_is("GET http://a/b HTTP/1.1\r\n", "GET http://a/b");
	request_is("DELETE /long", "DELETE /long...");
	request_is("GET ", "none");
	request_is("GET", "none");
	request_is("GET  /", "none");
	request_is("get / HTTP/1.1\r\n", "none");
	request_is("GETX / HTTP/1.1\r\n", "none");
	request_is("", "none");
}

static void status_is(const char *text, unsigned want)
{
	test_int(http_status_parse((const uint8_t *)text, strlen(text)), want,
		 text);
}

static void statuses(void)
{
	struct http_statuses s = { 0 };

	status_is("HTTP/1.1 200 OK", 200);
	status_is("HTTP/1.0 404", 404);
	status_is("HTTP/1.1 999", 999);
	status_is("HTTP/1.1 099", 0);
	status_is("HTTP/1.1 20", 0);
	status_is("HTTP/1.1 2x0", 0);
	status_is("HTTP/2.0 200", 0);
	status_is("HTTP/1.x 200", 0);
	status_is("", 0);
	test_int(http_status_wanted(&s, 200), 1, "without a list each");
	test_int(http_status_wanted(&s, 0), 1, "also one that is not known");
	test_int(http_statuses_parse("5xx,404", &s), 0, "a list");
	test_int(http_status_wanted(&s, 404), 1, "one of it");
	test_int(http_status_wanted(&s, 403), 0, "none of it");
	test_int(http_status_wanted(&s, 500), 1, "the first of a class");
	test_int(http_status_wanted(&s, 599), 1, "the last of it");
	test_int(http_status_wanted(&s, 0), 0, "none");
	test_int(http_status_wanted(&s, 1000), 0, "too large");
	test_int(http_statuses_parse("40", &s), -EINVAL, "too short");
	test_int(http_statuses_parse("4x4", &s), -EINVAL, "half a class");
	test_int(http_statuses_parse("404,", &s), -EINVAL, "nothing behind");
}

static void path_matches(const char *glob, const char *path, int want)
{
	test_int(http_path_matches(glob, path, strlen(path)), want, path);
}

static void paths(void)
{
	path_matches("/api/*", "/api/a/b", 1);
	path_matches("/api/*", "/app", 0);
	path_matches("/a", "/a?b=1", 1);
	path_matches("/a?b=*", "/a?b=1", 1);
	path_matches("*.php", "/x/y.php?z", 1);
	path_matches("/a", "/a/", 0);
}

int main(void)
{
	requests();
	statuses();
	paths();
	return test_done();
}
