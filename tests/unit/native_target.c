// SPDX-License-Identifier: Apache-2.0
/*
 * native_target WAY: what http_native_test takes the stacks of, compiled in
 * several ways. It calls getppid() where one is to be taken, and nowhere else.
 * LIBRARY makes a library of it that the way "library" loads.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define KEEP __attribute__((noinline, noipa))
/* Keeps the call before it from becoming a jump. */
#define STAY asm volatile("" ::: "memory")

#ifdef LIBRARY
void LIBRARY(void (*fn)(void));

KEEP void LIBRARY(void (*fn)(void))
{
	fn();
	STAY;
}
#else
void leaf(void);
void outer(void (*fn)(void));
void _PyEval_EvalFrameDefault(void (*fn)(void));

KEEP void leaf(void)
{
	getppid(); /* line of leaf */
	STAY;
}

KEEP static void inner(void)
{
	leaf();
	STAY;
}

KEEP void outer(void (*fn)(void))
{
	fn(); /* line of outer */
	STAY;
}

KEEP void _PyEval_EvalFrameDefault(void (*fn)(void))
{
	fn();
	STAY;
}

/* Deeper than what is copied of a stack. */
KEEP static void recurse(int n)
{
	volatile char room[512];

	room[0] = 1;
	if (n)
		recurse(n - 1);
	else
		leaf();
	STAY;
	(void)room;
}

KEEP static void deep(void)
{
	recurse(50);
	STAY;
}

KEEP static void on_signal(int sig)
{
	(void)sig;
	inner();
	STAY;
}

KEEP static void signalled(void)
{
	signal(SIGUSR1, on_signal);
	raise(SIGUSR1);
	STAY;
}

KEEP static void *in_thread(void *ctx)
{
	(void)ctx;
	outer(inner);
	STAY;
	return NULL;
}

KEEP static void threaded(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, in_thread, NULL);
	pthread_join(thread, NULL);
}

#ifndef STATIC
KEEP static void library(const char *path, const char *name)
{
	void *lib;
	void (*fn)(void (*)(void)) = NULL;

	outer(inner); /* before it is loaded */
	lib = dlopen(path, RTLD_NOW);
	if (lib)
		*(void **)&fn = dlsym(lib, name);
	if (!fn)
		exit(9);
	fn(inner);
	STAY;
}
#endif

/* Calls what it is given, with a frame pointer. */
KEEP static void jit(void)
{
#ifdef __x86_64__
	static const unsigned char code[] = { 0x55, 0x48, 0x89, 0xe5,
					      0xff, 0xd7, 0x5d, 0xc3 };
#else
	static const unsigned code[] = { 0xa9bf7bfd, 0x910003fd, 0xd63f0000,
					 0xa8c17bfd, 0xd65f03c0 };
#endif
	unsigned char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void (*fn)(void (*)(void));
	char path[64];
	FILE *f;

	memcpy(page, code, sizeof(code));
	mprotect(page, 4096, PROT_READ | PROT_EXEC);
	*(void **)&fn = page;
	fn(inner); /* before there is a map */
	snprintf(path, sizeof(path), "/tmp/perf-%d.map", (int)getpid());
	f = fopen(path, "w");
	fprintf(f, "%lx %x JS:*made /srv/made.js:12:3\n", (unsigned long)page,
		(unsigned)sizeof(code));
	fclose(f);
	fn(inner);
	unlink(path);
}

int main(int argc, char **argv)
{
	const char *way = argc > 1 ? argv[1] : "";

	if (!strcmp(way, "plain"))
		outer(inner);
	else if (!strcmp(way, "python"))
		_PyEval_EvalFrameDefault(inner);
	else if (!strcmp(way, "deep"))
		outer(deep);
	else if (!strcmp(way, "signal"))
		outer(signalled);
	else if (!strcmp(way, "thread"))
		threaded();
	else if (!strcmp(way, "jit"))
		outer(jit);
#ifndef STATIC
	else if (!strcmp(way, "library") && argc == 4)
		library(argv[2], argv[3]);
#endif
	return 0;
}
#endif
