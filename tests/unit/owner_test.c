// SPDX-License-Identifier: Apache-2.0
#include "owner.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "../../lib/ksyms.c"
#include "clock.h"
#include <signal.h>

#include "test.h"

static uint64_t inode_of_fd(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? 0 : (uint64_t)st.st_ino;
}

static void finds_owners(void)
{
	struct nb_owners o = { 0 };
	const struct nb_owner *owner;
	uint32_t self = (uint32_t)getpid();
	int fds[2], late;
	uint64_t inode, peer;
	pid_t child;

	prctl(PR_SET_NAME, "owner;test");
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds))
		exit(1);
	inode = inode_of_fd(fds[0]);
	peer = inode_of_fd(fds[1]);
	test_ok(!nb_owners_find(&o, 0, 0, nb_clock_now()), "no inode, nobody");
	owner = nb_owners_find(&o, 0, inode, nb_clock_now());
	test_ok(owner && owner->pid == self, "the process that has it open");
	test_str(owner ? owner->comm : "", "owner;test", "and its name");
	owner = nb_owners_find(&o, 0, inode_of_fd(fds[1]), nb_clock_now());
	test_ok(owner && owner->pid == self, "another one of its");
	test_ok(!nb_owners_find(&o, 0, ~0ULL, nb_clock_now()),
		"one that nobody has");
	/* What comes after a search is searched for anew. */
	late = socket(AF_UNIX, SOCK_DGRAM, 0);
	owner = nb_owners_find(&o, 0, inode_of_fd(late), nb_clock_now());
	test_ok(owner && owner->pid == self, "a socket that is new");
	/* What came before the last search is not there. */
	close(late);
	test_ok(!nb_owners_find(&o, 0, ~1ULL, 0), "no search for what is old");
	/* Closed, and another one in its place. */
	usleep(20000);
	close(fds[1]);
	late = socket(AF_UNIX, SOCK_DGRAM, 0);
	test_ok(!nb_owners_find(&o, 0, peer, nb_clock_now()),
		"one that was closed since");
	prctl(PR_SET_NAME, "another");
	usleep(20000);
	owner = nb_owners_find(&o, 0, inode, nb_clock_now());
	test_str(owner ? owner->comm : "", "another",
		 "a name that has changed");
	close(late);
	child = fork();
	if (!child) {
		pause();
		_exit(0);
	}
	nb_owners_free(&o);
	owner = nb_owners_find(&o, 0, inode, nb_clock_now());
	test_ok(owner && owner->pid == (self < (uint32_t)child
						? self
						: (uint32_t)child),
		"of two processes the one with the lower number");
	nb_owners_free(&o);
	owner = nb_owners_find(&o, (uint32_t)child, inode, nb_clock_now());
	test_ok(owner && owner->pid == (uint32_t)child, "of one process alone");
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	nb_owners_free(&o);
	test_ok(!nb_owners_find(&o, (uint32_t)child, inode, nb_clock_now()),
		"a process that is gone has none");
	nb_owners_free(&o);
	close(fds[0]);
}

/* With a list of our own. */
static void names_functions(void)
{
	static const char list[] = "0000000000001000 T first\n"
				   "0000000000002000 d data\n"
				   "0000000000003000 t second\n"
				   "not a line\n"
				   "0000000000004000 W third\t[module]\n";
	struct nb_ksyms *k = calloc(1, sizeof(*k));
	uint64_t addr[ROOM];
	char buf[256];
	size_t len;

	k->file = fmemopen((char *)(uintptr_t)list, sizeof(list) - 1, "r");
	addr[0] = 0x3010;
	addr[1] = 0x1000;
	addr[2] = 0x2fff;
	addr[3] = 0x10;
	addr[4] = 0x4001;
	len = nb_ksyms_format(k, addr, 5, buf, sizeof(buf));
	test_int((int)len, (int)strlen(buf), "the length");
	test_str(buf, "second+0x10;first+0x0;first+0x1fff;0x10;third+0x1",
		 "names and offsets");
	nb_ksyms_format(k, addr, 5, buf, 24);
	test_str(buf, "second+0x10;first+0x0", "as much as there is room for");
	test_int((int)nb_ksyms_format(k, addr, 0, buf, sizeof(buf)), 0,
		 "no frames");
	for (size_t i = 0; i < ROOM; i++)
		addr[i] = 0x5000 + i;
	nb_ksyms_format(k, addr, ROOM, buf, sizeof(buf));
	test_ok(k->n == ROOM && !strncmp(buf, "third+0x1000;", 13),
		"more than there is room for: forgotten");
	nb_ksyms_free(k);
}

int main(void)
{
	finds_owners();
	names_functions();
	return test_done();
}
