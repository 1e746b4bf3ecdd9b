// SPDX-License-Identifier: Apache-2.0
#include "preempt.h"

#include <fcntl.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define MODE "/sys/kernel/debug/sched/preempt"

/* Is @word in @text, between blanks or the text's ends? */
static bool has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = strstr(text, word); at; at = strstr(at + 1, word))
		if ((at == text || at[-1] == ' ') && strchr(" \n", at[len]))
			return true;
	return false;
}

bool nb_preempt_says(const char *mode, const char *version, const char *cmdline)
{
	if (mode)
		return strstr(mode, "(full)") || strstr(mode, "(lazy)");
	if (has_word(version, "PREEMPT") || has_word(version, "PREEMPT_RT"))
		return true;
	return has_word(version, "PREEMPT_DYNAMIC") &&
	       (has_word(cmdline, "preempt=full") ||
		has_word(cmdline, "preempt=lazy"));
}

/* What is in the file at @path, as a string. NULL: it can't be read. */
static const char *read_text(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = -1;

	if (fd >= 0) {
		n = read(fd, buf, size - 1);
		close(fd);
	}
	if (n < 0)
		return NULL;
	buf[n] = '\0';
	return buf;
}

bool nb_preempt(void)
{
	char mode[128], cmdline[4096];
	const char *args = read_text("/proc/cmdline", cmdline, sizeof(cmdline));
	struct utsname name;

	if (uname(&name))
		return false;
	return nb_preempt_says(read_text(MODE, mode, sizeof(mode)),
			       name.version, args ? args : "");
}
