// SPDX-License-Identifier: Apache-2.0
#include "device.h"

#include <errno.h>
#include <net/if.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "task.h"

/* Packets know the name of their device, and none of its other names. */
static int find(void *ctx)
{
	const char *name = ctx;
	char proper[IF_NAMESIZE];
	unsigned index = if_nametoindex(name);

	if (!index || !if_indextoname(index, proper))
		return errno == ENXIO ? -ENODEV : -errno;
	return strcmp(proper, name) ? -ENODEV : 0;
}

void out_device_look(const char *name, const char *netns)
{
	uint32_t inode;
	int fd, err;

	if (!netns) {
		if (find((void *)name) == -ENODEV)
			nb_note("no device '%s' in this network namespace: it may come later, or be in another",
				name);
		return;
	}
	fd = nb_task_netns_open(netns, &inode);
	if (fd < 0)
		return;
	err = nb_task_in_netns(fd, find, (void *)name);
	close(fd);
	if (err == -ENODEV)
		nb_note("no device '%s' in the network namespace '%s': it may come later",
			name, netns);
}
