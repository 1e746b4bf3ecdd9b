/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ELF files that processes have mapped, each open once however many have it,
 * so that it can be read when they, or its name, are gone.
 */
#ifndef NB_TRACE_HTTP_BINARY_H
#define NB_TRACE_HTTP_BINARY_H

#include <libelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Files kept open that no process known here has any more. */
#define HTTP_BINARIES_IDLE 64
/* Bytes of all files' symbols together; then those used last stay. */
#define HTTP_SYMBOLS_MAX (256u << 20)

/* Of a file, what has more bytes of sections of a kind is not read. */
#define HTTP_SECTIONS_MAX (256u << 20)

struct http_symbols;

/* A loadable segment, of the program headers. */
struct http_segment {
	uint64_t vaddr;
	uint64_t offset; /* in the file */
	uint64_t filesz;
	uint64_t memsz;
	uint64_t align;
	bool exec;
	bool write;
};

struct http_binary {
	struct http_binary *next;
	uint64_t dev;
	uint64_t inode;
	uint64_t size;
	uint64_t mtime_ns;
	uint64_t used; /* when, in calls */
	unsigned refs;
	int fd;	     /* -1: in memory, the vDSO */
	void *image; /* then, not owned */
	Elf *elf;    /* for unwinding; NULL: it is none */
	struct http_segment *segments;
	size_t nsegments;
	struct http_symbols *symbols; /* NULL until there are any */
	/* Of its sections, in bytes. */
	uint64_t symbol_size;
	uint64_t frame_size;
	uint64_t debug_size;
	bool no_symbols; /* there are none, or too many */
	bool no_unwind;	 /* the same for DWARF's */
};

/* Zero-initialise; http_binaries_free() at the end. */
struct http_binaries {
	struct http_binary *first;
	uint64_t calls;
	size_t symbol_bytes;
};

/*
 * The file that @fd is open on, which is taken over. 0, with a reference in
 * *ret that the caller gives back with http_binary_put(); or -errno. What is no
 * ELF file has no @elf.
 */
int http_binary_get(struct http_binaries *all, int fd,
		    struct http_binary **ret);

/* The vDSO, which is this process's, too. As above. */
int http_binary_get_vdso(struct http_binaries *all, struct http_binary **ret);

void http_binary_hold(struct http_binary *binary);
void http_binary_put(struct http_binaries *all, struct http_binary *binary);

/* Fill in segments and sizes of one that has @elf. 0 or -errno. */
int http_binary_measure(struct http_binary *binary);

/* The address, as the file has it, of what is at @offset in it; -ENOENT. */
int http_binary_vaddr(const struct http_binary *binary, uint64_t offset,
		      uint64_t *ret);

/*
 * Where @len bytes from @offset of it are mapped at @start: what is to be added
 * to the file's addresses. 0, or -ENOENT when there is no code in it.
 */
int http_binary_bias(const struct http_binary *binary, uint64_t start,
		     uint64_t offset, uint64_t len, uint64_t *ret);

/* Where it is from and to, as the file has it; aligned as libdwfl does. */
void http_binary_extent(const struct http_binary *binary, uint64_t *low,
			uint64_t *high);

/* Read @size bytes at @vaddr of what is not written to. 0 or -EFAULT. */
int http_binary_read(const struct http_binary *binary, uint64_t vaddr, void *to,
		     size_t size);

/* An ELF handle of its own, which the caller frees with elf_end(); or NULL. */
Elf *http_binary_open_elf(const struct http_binary *binary);

/*
 * Its symbols, read when they are not there, for which those of others may be
 * forgotten; NULL when it has none. They live until the next call.
 */
struct http_symbols *http_binary_symbols(struct http_binaries *all,
					 struct http_binary *binary);

void http_binaries_free(struct http_binaries *all);

#endif
