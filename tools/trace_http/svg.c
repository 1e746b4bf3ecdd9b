// SPDX-License-Identifier: Apache-2.0
#include "svg.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "file.h"
#include "log.h"

#define DEBIANS "/usr/share/perl5/Devel/NYTProf/flamegraph.pl"

#define TITLE "--title=Slow HTTP calls"
#define UNIT "--countname=us"

/* None has a slash but the last: the others are looked for in PATH. */
static const char *const programs[] = {
	"flamegraph.pl",
	"inferno-flamegraph",
	DEBIANS,
};

/* As a program expects them: the command waits for signals in another way. */
static int plain_signals(posix_spawnattr_t *attr)
{
	sigset_t none, pipe;
	int err;

	sigemptyset(&none);
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	err = posix_spawnattr_setsigmask(attr, &none);
	if (!err)
		err = posix_spawnattr_setsigdefault(attr, &pipe);
	if (!err)
		err = posix_spawnattr_setflags(
			attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	return -err;
}

/* Start the first of the programs that is there. 0 or -errno. */
static int start(int in, int out, pid_t *ret)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	int err;

	if (posix_spawn_file_actions_init(&files))
		return -ENOMEM;
	if (posix_spawnattr_init(&attr)) {
		posix_spawn_file_actions_destroy(&files);
		return -ENOMEM;
	}
	err = plain_signals(&attr);
	if (!err)
		err = -posix_spawn_file_actions_adddup2(&files, in, 0);
	if (!err)
		err = -posix_spawn_file_actions_adddup2(&files, out, 1);
	for (size_t i = 0; !err || err == -ENOENT; i++) {
		char *argv[] = { NULL, (char *)TITLE, (char *)UNIT, NULL };

		if (i == sizeof(programs) / sizeof(programs[0]))
			break;
		argv[0] = (char *)programs[i];
		err = -posix_spawnp(ret, programs[i], &files, &attr, argv,
				    environ);
		if (!err)
			break;
	}
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	return err;
}

/* Wait for it. 0 or -EIO. */
static int finish(pid_t pid, const char *svg)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return 0;
	nb_error("cannot draw '%s': the flame graph program failed", svg);
	return -EIO;
}

/* Draw what is read from @in. -ENOENT: there is no program. */
static int draw(int in, int dir, const char *svg)
{
	struct http_file file;
	int out = http_file_begin(dir, svg, &file), err;
	pid_t pid;

	if (out < 0) {
		nb_error("cannot write '%s': %s", svg, strerror(-out));
		return -EIO;
	}
	err = start(in, out, &pid);
	if (!err)
		err = finish(pid, svg);
	else if (err != -ENOENT)
		nb_error("cannot draw '%s': %s", svg, strerror(-err));
	close(out);
	return http_file_commit(&file, err);
}

int http_svg_draw(int dir, const char *dir_name, const char *folded,
		  const char *svg)
{
	int in = openat(dir, folded, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), err;
	struct stat st;

	if (in < 0 || fstat(in, &st)) {
		err = -errno;
		nb_error("cannot read '%s/%s': %s", dir_name, folded,
			 strerror(-err));
		return err;
	}
	if (!st.st_size) {
		nb_note("no slow call, so no '%s'", svg);
		close(in);
		return 0;
	}
	err = draw(in, dir, svg);
	close(in);
	if (err != -ENOENT)
		return err;
	nb_error("cannot draw '%s': no flamegraph.pl (install "
		 "libdevel-nytprof-perl, then " DEBIANS " " UNIT
		 " %s/%s >%s%s%s)",
		 svg, dir_name, folded, *svg == '/' ? "" : dir_name,
		 *svg == '/' ? "" : "/", svg);
	return 0;
}
