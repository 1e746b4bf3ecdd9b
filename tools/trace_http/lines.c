// SPDX-License-Identifier: Apache-2.0
#include "lines.h"

#include <dwarf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "binary.h"

static bool ends_with_nul(Elf_Scn *scn, const GElf_Shdr *sh)
{
	Elf_Data *data;

	if (sh->sh_flags & SHF_COMPRESSED && elf_compress(scn, 0, 0) < 0)
		return false;
	data = elf_rawdata(scn, NULL);
	return data && (!data->d_size ||
			(data->d_buf &&
			 ((char *)data->d_buf)[data->d_size - 1] == '\0'));
}

bool http_lines_are_sound(Elf *elf)
{
	Elf_Scn *scn = NULL;
	const char *name;
	size_t names;
	GElf_Shdr sh;

	if (elf_getshdrstrndx(elf, &names))
		return false;
	while ((scn = elf_nextscn(elf, scn))) {
		if (!gelf_getshdr(scn, &sh) || sh.sh_type == SHT_NOBITS)
			continue;
		name = elf_strptr(elf, names, sh.sh_name);
		if (!name)
			return false;
		if (!strncmp(name, ".zdebug_", 8))
			return false; /* as only old tools make them */
		if ((!strcmp(name, ".debug_str") ||
		     !strcmp(name, ".debug_line_str")) &&
		    !ends_with_nul(scn, &sh))
			return false;
	}
	return true;
}

/*
 * The outermost inlined call of the function that @pc of @cu is in. False:
 * nothing is inlined there.
 */
static bool find_inlined(Dwarf_Die *cu, Dwarf_Addr pc, Dwarf_Die *ret)
{
	Dwarf_Die *at, *scopes;
	int n = dwarf_getscopes(cu, pc, &at);
	bool found = false;

	if (n <= 0)
		return false;
	/* The others in *at are those of what is inlined, at its source. */
	n = dwarf_getscopes_die(&at[0], &scopes);
	for (int i = 0; i < n; i++) {
		if (dwarf_tag(&scopes[i]) == DW_TAG_subprogram)
			break;
		if (dwarf_tag(&scopes[i]) != DW_TAG_inlined_subroutine)
			continue;
		*ret = scopes[i];
		found = true;
	}
	if (n > 0)
		free(scopes);
	free(at);
	return found;
}

/* Where @vaddr is in the function itself, whatever is inlined there. */
static bool find_call(Dwfl_Module *mod, uint64_t vaddr, const char **ret_file,
		      uint32_t *ret_line)
{
	Dwarf_Addr bias;
	Dwarf_Die *cu = dwfl_module_addrdie(mod, vaddr, &bias), call;
	Dwarf_Word file, line;
	Dwarf_Attribute attr;
	Dwarf_Files *files;

	if (!cu || !find_inlined(cu, vaddr - bias, &call))
		return false;
	if (!dwarf_getsrcfiles(cu, &files, NULL) &&
	    !dwarf_formudata(dwarf_attr(&call, DW_AT_call_file, &attr),
			     &file) &&
	    !dwarf_formudata(dwarf_attr(&call, DW_AT_call_line, &attr),
			     &line)) {
		*ret_file = dwarf_filesrc(files, file, NULL, NULL);
		*ret_line = *ret_file ? (uint32_t)line : 0;
	}
	return true;
}

void http_line_find(Dwfl_Module *mod, uint64_t vaddr, const char **ret_file,
		    uint32_t *ret_line)
{
	Dwfl_Line *line = dwfl_module_getsrc(mod, vaddr);
	Dwarf_Addr addr;
	int number = 0;

	if (!line || find_call(mod, vaddr, ret_file, ret_line))
		return;
	*ret_file = dwfl_lineinfo(line, &addr, &number, NULL, NULL, NULL);
	*ret_line = *ret_file && number > 0 ? (uint32_t)number : 0;
}

int http_debug_open(const unsigned char *id, size_t n, size_t *ret_size)
{
	static const char dir[] = "/usr/lib/debug/.build-id/";
	char path[sizeof(dir) + 160], *p = path + sizeof(dir) - 1;
	struct stat st;
	int fd;

	if (n < 2 || n > 64)
		return -EINVAL;
	memcpy(path, dir, sizeof(dir));
	for (size_t i = 0; i < n; i++)
		p += sprintf(p, i ? "%02x" : "%02x/", id[i]);
	strcpy(p, ".debug");
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) ||
	    st.st_size > HTTP_SECTIONS_MAX) {
		close(fd);
		return -EFBIG;
	}
	*ret_size = (size_t)st.st_size;
	return fd;
}
