// SPDX-License-Identifier: Apache-2.0
/*
 * http_elf_fuzz [COUNT [SEED]]: ELF files as no linker makes them, which a
 * process may have mapped, and stacks that never were: symbols are read, and
 * stacks are unwound. Nothing is to be judged but that it ends well.
 */
#include <stdbool.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../tools/trace_http/maps.h"
#include "../../tools/trace_http/symbols.h"
#include "../../tools/trace_http/unwind.h"
#include "fuzz.h"

#define ROOM 65536
#define BASE 0x555555554000
#define SP 0x7ffff0000000

/* libelf 0.188 forgets some bytes of files that are no good; not ours. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
	return "leak:libelf";
}

static struct http_binaries binaries;
static uint64_t with_symbols, unwound;

/* The vDSO: small, with symbols and CFI. */
static size_t make_file(char *buf)
{
	const Elf64_Ehdr *ehdr = (void *)getauxval(AT_SYSINFO_EHDR);
	size_t len = ehdr->e_shoff + (size_t)ehdr->e_shnum * ehdr->e_shentsize;
	size_t head = ehdr->e_phoff + (size_t)ehdr->e_phnum * ehdr->e_phentsize;
	uint64_t n;

	if (len > ROOM)
		len = ROOM;
	memcpy(buf, ehdr, len);
	for (uint64_t i = fuzz_below(8); i; i--) {
		size_t at = fuzz_below(len - sizeof(n));

		if (!fuzz_below(4))
			at = fuzz_below(head);
		else if (!fuzz_below(4))
			at = ehdr->e_shoff +
			     fuzz_below(len - ehdr->e_shoff - sizeof(n));
		n = fuzz_next() >> fuzz_below(64);
		if (fuzz_below(2))
			buf[at] = (char)n;
		else
			memcpy(buf + at, &n, sizeof(n));
	}
	return fuzz_below(16) ? len : fuzz_below(len) + 1;
}

static struct http_binary *make_binary(void)
{
	static char buf[ROOM];
	size_t len = make_file(buf);
	int fd = memfd_create("elf", MFD_CLOEXEC);
	struct http_binary *binary;

	if (fd < 0 || write(fd, buf, len) != (ssize_t)len ||
	    http_binary_get(&binaries, fd, &binary)) {
		printf("Bail out! no file\n");
		exit(1);
	}
	return binary;
}

static void find_symbols(struct http_binary *binary)
{
	struct http_symbols *symbols = http_binary_symbols(&binaries, binary);
	struct http_symbol symbol;

	with_symbols += symbols != NULL;
	for (int i = 0; symbols && i < 16; i++)
		http_symbols_find(symbols, fuzz_below(8192), &symbol);
}

/* Words that may be return addresses, or frame pointers. */
static void make_stack(struct http_stack *st)
{
	st->flags = HTTP_STACK_REGS;
	st->ip = BASE + fuzz_below(8192);
	st->sp = SP;
	st->bp = SP + 8 * fuzz_below(64);
	st->stack_bytes = 4096;
	for (size_t at = 0; at < st->stack_bytes; at += sizeof(uint64_t)) {
		uint64_t word = fuzz_below(2) ? BASE + fuzz_below(8192)
					      : SP + 8 * fuzz_below(512);

		memcpy(st->bytes + at, &word, sizeof(word));
	}
}

static void unwind_stacks(struct http_binary *binary)
{
	static struct http_stack stack;
	static struct http_chain chain;
	struct http_map map = { .start = BASE,
				.end = BASE + ROOM,
				.path = (char[]){ "elf" },
				.binary = binary,
				.bias = BASE };
	struct http_maps maps = { .map = &map, .n = 1, .room = 1 };
	struct http_unwind *unwind;

	if (!binary->elf || binary->no_unwind ||
	    http_unwind_new(&maps, &unwind))
		return;
	for (int i = 0; i < 4; i++) {
		make_stack(&stack);
		http_unwind_run(unwind, &stack, &chain);
		unwound += chain.n > 1;
	}
	http_unwind_free(unwind);
}

int main(int argc, char **argv)
{
	uint64_t count = fuzz_args(argc, argv) / 10;
	bool good;

	for (uint64_t i = 0; i < count; i++) {
		struct http_binary *binary = make_binary();

		find_symbols(binary);
		unwind_stacks(binary);
		http_binary_put(&binaries, binary);
	}
	http_binaries_free(&binaries);
	/* Had none been taken, nothing was tested. */
	good = count < 1000 || (with_symbols && unwound);
	printf("%sok 1 - %llu files: of %llu symbols, %llu stacks\n1..1\n",
	       good ? "" : "not ", (unsigned long long)count,
	       (unsigned long long)with_symbols, (unsigned long long)unwound);
	return !good;
}
