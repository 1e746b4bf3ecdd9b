// SPDX-License-Identifier: Apache-2.0
#include "compile.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "image.h"

#define MAX_ARGS 40

/* The child's standard input, output and error: files in memory, no pipes. */
struct files {
	int fd[3];
};

static void files_close(struct files *f)
{
	for (int i = 0; i < 3; i++)
		if (f->fd[i] >= 0)
			close(f->fd[i]);
}

static int files_open(struct files *f, const char *text)
{
	size_t len = strlen(text);

	for (int i = 0; i < 3; i++)
		f->fd[i] = -1;
	for (int i = 0; i < 3; i++) {
		f->fd[i] = memfd_create("netbcc-cc", MFD_CLOEXEC);
		if (f->fd[i] < 0)
			return -errno;
	}
	while (len) {
		ssize_t n = write(f->fd[0], text, len);

		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return lseek(f->fd[0], 0, SEEK_SET) ? -errno : 0;
}

/* All that was written to @fd, NUL-terminated. The caller frees it. */
static char *contents(int fd, size_t *ret_len)
{
	struct stat st;
	ssize_t n;
	char *buf;

	if (fstat(fd, &st) || st.st_size > NB_IMAGE_MAX)
		return NULL;
	buf = malloc((size_t)st.st_size + 1);
	if (!buf)
		return NULL;
	n = pread(fd, buf, (size_t)st.st_size, 0);
	if (n < 0) {
		free(buf);
		return NULL;
	}
	buf[n] = '\0';
	*ret_len = (size_t)n;
	return buf;
}

static int find_helper(char *path, size_t size)
{
	static const char *const places[] = {
		"/../libexec/netbcc-cc",
		"/../libexec/netbcc/netbcc-cc",
	};
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (n > 0) {
		self[n] = '\0';
		slash = strrchr(self, '/');
		if (slash)
			*slash = '\0';
		for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
			if (snprintf(path, size, "%s%s", self, places[i]) <
				    (int)size &&
			    !access(path, X_OK))
				return 0;
		}
	}
	snprintf(path, size, "%s/netbcc-cc", NB_LIBEXECDIR);
	return access(path, X_OK) ? -errno : 0;
}

static _Noreturn void become_helper(const char *path, char *const *argv,
				    const struct files *f, pid_t parent)
{
	/* No compiler outlives the command that wanted its result. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Whose privileges are of the file has an environment of others. */
	if (getauxval(AT_SECURE))
		unsetenv("BCC_KERNEL_SOURCE");
	if (getppid() == parent && dup2(f->fd[0], STDIN_FILENO) >= 0 &&
	    dup2(f->fd[1], STDOUT_FILENO) >= 0 &&
	    dup2(f->fd[2], STDERR_FILENO) >= 0)
		execv(path, argv);
	_exit(127);
}

/* The helper's own last word, "netbcc-cc: ...", or how it ended. */
static void explain(char *words, int status, struct nb_error *why)
{
	static const char prefix[] = "netbcc-cc: ";
	static const char more[] = " (-v shows the compiler's words)";
	const char *last = NULL;
	char *save = NULL;

	for (char *line = strtok_r(words, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		if (!strncmp(line, prefix, sizeof(prefix) - 1))
			last = line + sizeof(prefix) - 1;
	if (last)
		nb_error_set(why, 0, "%s%s", last,
			     last[strlen(last) - 1] == ')' ? "" : more);
	else if (WIFSIGNALED(status))
		nb_error_set(
			why, 0,
			"cannot compile the eBPF text: netbcc-cc was killed by signal %d%s",
			WTERMSIG(status), more);
	else
		nb_error_set(
			why, 0,
			"cannot compile the eBPF text: netbcc-cc ended with status %d%s",
			WEXITSTATUS(status), more);
}

static int run(const char *path, char *const *argv, const struct files *f,
	       struct nb_error *why)
{
	pid_t parent = getpid(), pid;
	int status;
	size_t len;
	char *words;

	signal(SIGCHLD, SIG_DFL); /* were it ignored, there is no status */
	pid = fork();
	if (pid < 0)
		return nb_error_set(why, -errno, "cannot start '%s': %s", path,
				    strerror(errno));
	if (pid == 0)
		become_helper(path, argv, f, parent);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return nb_error_set(why, -errno,
					    "cannot wait for '%s': %s", path,
					    strerror(errno));
	words = contents(f->fd[2], &len);
	if (words && len)
		nb_verbose("the compiler says:\n%s", words);
	if (status)
		explain(words ? words : (char[]){ "" }, status, why);
	free(words);
	return status ? -ENOEXEC : 0;
}

int nb_compile(const char *text, const char *const *defines, void **ret_buf,
	       size_t *ret_len, struct nb_error *why)
{
	char path[PATH_MAX], *argv[MAX_ARGS] = { "netbcc-cc" };
	struct files files;
	int err, n = 1;

	for (; *defines && n < MAX_ARGS - 3; defines++) {
		argv[n++] = "-D";
		argv[n++] = (char *)*defines;
	}
	err = find_helper(path, sizeof(path));
	if (err)
		return nb_error_set(
			why, err, "cannot run '%s': %s (install netbcc again)",
			path, strerror(-err));
	err = files_open(&files, text);
	if (err) {
		nb_error_set(why, err, "cannot make a file in memory: %s",
			     strerror(-err));
		goto out;
	}
	err = run(path, argv, &files, why);
	if (err)
		goto out;
	*ret_buf = contents(files.fd[1], ret_len);
	if (!*ret_buf)
		err = nb_error_set(why, -ENOMEM,
				   "cannot read what netbcc-cc wrote: %s",
				   strerror(ENOMEM));
out:
	files_close(&files);
	return err;
}
