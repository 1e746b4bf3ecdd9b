// SPDX-License-Identifier: Apache-2.0
#include "module.h"

static struct http_module **owner_of(Dwfl_Module *mod)
{
	void **userdata = NULL;

	dwfl_module_info(mod, &userdata, NULL, NULL, NULL, NULL, NULL, NULL);
	return (struct http_module **)userdata;
}

static int find_elf(Dwfl_Module *mod, void **userdata, const char *name,
		    Dwarf_Addr base, char **file, Elf **elf)
{
	const struct http_module *module = *userdata;

	(void)mod, (void)name, (void)base;
	*file = NULL;
	/* A reference; it is not opened anew. */
	*elf = elf_begin(-1, ELF_C_READ, module->elf);
	return -1;
}

/* What is told is what the file itself has. */
static int find_debuginfo(Dwfl_Module *mod, void **userdata, const char *name,
			  Dwarf_Addr base, const char *file, const char *link,
			  GElf_Word crc, char **ret)
{
	(void)mod, (void)userdata, (void)name, (void)base;
	(void)file, (void)link, (void)crc, (void)ret;
	return -1;
}

Dwfl *http_module_begin(void)
{
	static const Dwfl_Callbacks callbacks = {
		.find_elf = find_elf,
		.find_debuginfo = find_debuginfo,
	};
	Dwfl *dwfl = dwfl_begin(&callbacks);

	if (dwfl)
		dwfl_report_begin(dwfl);
	return dwfl;
}

Dwfl_Module *http_module_report(Dwfl *dwfl, const char *name,
				struct http_module *module)
{
	uint64_t low, high;
	Dwfl_Module *mod;

	http_binary_extent(module->binary, &low, &high);
	mod = dwfl_report_module(dwfl, name, low + module->bias,
				 high + module->bias);
	if (mod)
		*owner_of(mod) = module;
	return mod;
}

const struct http_module *http_module_find(Dwfl *dwfl, uint64_t addr)
{
	Dwfl_Module *mod = dwfl_addrmodule(dwfl, addr);

	return mod ? *owner_of(mod) : NULL;
}
