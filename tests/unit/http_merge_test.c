// SPDX-License-Identifier: Apache-2.0
#include "../../tools/trace_http/frames.c"
#include "../../tools/trace_http/merge.c"

#include "test.h"

static struct http_frames native, python, out;

/* A word for each frame, "*" behind it for "eval". */
static void fill(struct http_frames *to, const char *words, bool truncated,
		 uint8_t kind)
{
	char buf[1024], *rest = buf, *word;

	http_frames_clear(to);
	snprintf(buf, sizeof(buf), "%s", words);
	while ((word = strsep(&rest, " "))) {
		struct http_frame f = { .name = word, .kind = kind };
		size_t len = strlen(word);

		if (!len)
			continue;
		if (word[len - 1] == '*') {
			f.eval = true;
			word[len - 1] = '\0';
		}
		http_frames_add(to, &f);
	}
	to->truncated = truncated;
}

/* A '+' at the end of a stack: there was more of it. */
static void merges(const char *n, const char *p, const char *want,
		   const char *name)
{
	char got[2048] = "";

	fill(&native, n, strchr(n, '+'), HTTP_NATIVE);
	fill(&python, p, strchr(p, '+'), HTTP_PYTHON);
	native.n -= native.truncated;
	python.n -= python.truncated;
	http_frames_clear(&out);
	out.truncated = false;
	test_int(http_merge(&native, &python, &out), 0, "merges");
	for (size_t i = 0; i < out.n; i++)
		sprintf(got + strlen(got), "%s%s%s", i ? " " : "",
			out.f[i].name, out.f[i].eval ? "*" : "");
	if (out.truncated)
		strcat(got, " +");
	test_str(got, want, name);
}

#define MAIN                                                          \
	"PyEval_EvalCode run_mod _PyRun_SimpleFileObject Py_RunMain " \
	"Py_BytesMain main __libc_start_call_main _start"

static void loops(void)
{
	merges("send sock_send eval* _PyFunction_Vectorcall eval* " MAIN,
	       "query* <module>*", "send sock_send query <module>",
	       "a loop for each frame");
	merges("send eval* " MAIN, "query handle <module>*",
	       "send query handle <module>", "a loop for all frames");
	merges("send sock_send cfunction_vectorcall_O PyObject_Vectorcall "
	       "eval* " MAIN,
	       "a*", "send sock_send a", "how the leaf is called");
	merges("send [python3.11] eval* " MAIN, "a*", "send [python3.11] a",
	       "a leaf without a name");
	merges("take_gil PyEval_RestoreThread sock_send method_vectorcall_O "
	       "eval* " MAIN,
	       "a*", "take_gil PyEval_RestoreThread sock_send a",
	       "waiting for the lock");
	merges("send eval* _PyFunction_Vectorcall list_sort.isra.0 "
	       "method_vectorcall_FASTCALL_KEYWORDS.cold [python3.11] eval* " MAIN,
	       "key* a <module>*", "send key list_sort.isra.0 a <module>",
	       "C between two loops");
	merges("eval* " MAIN, "a*", "a", "no leaf");
}

static void bottoms(void)
{
	merges("send eval* method_vectorcall thread_run pythread_wrapper "
	       "start_thread clone3",
	       "run*", "send run", "a thread");
	merges("send eval* [python3.11] [python3.11] [libc.so.6]", "run*",
	       "send run", "a thread without symbols");
	merges("send eval* PyObject_Call python_call uwsgi_request "
	       "simple_loop main __libc_start_main",
	       "app*",
	       "send app python_call uwsgi_request simple_loop main "
	       "__libc_start_main",
	       "a program with CPython in it");
}

static void unequal(void)
{
	merges("send main", "a* b*", "send main a b", "no loops");
	merges("", "a* b*", "a b", "nothing native");
	merges("send eval* main", "", "send eval* main", "nothing of Python");
	merges("send eval* _PyFunction_Vectorcall eval* uwsgi main", "a*",
	       "send a eval* uwsgi main", "more loops than Python has");
	merges("send eval* call_it eval* " MAIN, "a* +",
	       "send a call_it eval* +", "Python's are cut");
	merges("send eval* list_sort +", "a* b* c*", "send a list_sort b c",
	       "native ones are cut");
	merges("send eval* " MAIN, "a* b* c*", "send a b c",
	       "fewer loops than Python has");
	merges("send +", "a*", "send a", "a leaf only, and Python's are whole");
	merges("send +", "", "send +", "a leaf only");
}

static void full(void)
{
	struct http_frame f = { .name = "f" };

	http_frames_clear(&native);
	http_frames_clear(&python);
	http_frames_clear(&out);
	native.truncated = python.truncated = out.truncated = false;
	for (int i = 0; i < HTTP_FRAMES_MAX; i++)
		http_frames_add(&native, &f);
	f.eval = true;
	http_frames_add(&python, &f);
	test_int(http_merge(&native, &python, &out), 0,
		 "more than there may be");
	test_ok(out.truncated && out.n == HTTP_FRAMES_MAX, "is truncated");
}

int main(void)
{
	loops();
	bottoms();
	unequal();
	full();
	test_ok(http_merge_is_internal("[libpython3.8.so.1.0]") &&
			!http_merge_is_internal("[libssl.so.3]") &&
			!http_merge_is_internal("PyEval_RestoreThread"),
		"what is internal");
	http_frames_free(&native);
	http_frames_free(&python);
	http_frames_free(&out);
	return test_done();
}
