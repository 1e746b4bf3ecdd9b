/* SPDX-License-Identifier: Apache-2.0 */
/* A few symbols of an ELF file, which may be any file. */
#ifndef HTTP_PYELF_H
#define HTTP_PYELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Look the @n symbols @names up in the file @fd, among those of .dynsym, else
 * of .symtab; @ret are their addresses as the file has them, 0 for one that is
 * not there or not defined. 0; -ENOEXEC when it is no ELF file of this
 * machine's word size and byte order, or no good one; or another -errno.
 */
int http_pyelf_symbols(int fd, bool all, const char *const *names, size_t n,
		       uint64_t *ret);

/*
 * The address that the file gives to its byte @offset, which is executable.
 * -ENOENT when there is no such, or as above.
 */
int http_pyelf_address(int fd, uint64_t offset, uint64_t *ret);

/* Where in the file the byte is that it gives the address @addr. Likewise. */
int http_pyelf_offset(int fd, uint64_t addr, uint64_t *ret);

#endif
