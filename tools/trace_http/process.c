// SPDX-License-Identifier: Apache-2.0
#include "process.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "clock.h"

/* A process's maps are not read again sooner, nor more than that of the time.
 */
#define REST_NS (100 * 1000 * 1000)
#define REST 20

int http_process_identify(pid_t pid, uint64_t *started, uint64_t *exe)
{
	char path[32], line[1024], *s;
	struct stat st;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	s = f && fgets(line, sizeof(line), f) ? strrchr(line, ')') : NULL;
	if (f)
		fclose(f);
	if (!s)
		return -ESRCH;
	/* Behind the name are 19 others. */
	for (int i = 0; s && i < 20; i++)
		s = strchr(s + 1, ' ');
	if (!s)
		return -ESRCH;
	*started = strtoull(s, NULL, 10);
	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	*exe = stat(path, &st) ? 0 : st.st_ino;
	return 0;
}

int http_process_read(struct http_process *p, struct http_binaries *binaries)
{
	uint64_t began = nb_clock_now(), took;
	bool changed;
	int err = http_maps_read(&p->maps, binaries, p->pid, &changed);

	if (changed) {
		http_unwind_free(p->unwind);
		p->unwind = NULL;
	}
	for (size_t i = 0; i < p->maps.n; i++) {
		if (!p->maps.map[i].jit)
			continue;
		http_perfmap_read(&p->perfmap, p->pid);
		break;
	}
	took = REST * (nb_clock_now() - began);
	p->next_ns = began + (took > REST_NS ? took : REST_NS);
	return err;
}

bool http_process_is_stale(struct http_process *p,
			   const struct http_chain *chain)
{
	if (nb_clock_now() < p->next_ns)
		return false;
	if (chain->astray)
		return true;
	for (size_t i = 0; i < chain->n; i++) {
		uint64_t addr = chain->pc[i] - !chain->at[i];
		const struct http_map *map = http_maps_find(&p->maps, addr);

		if (!map || (map->jit && !http_perfmap_find(&p->perfmap, addr)))
			return true;
	}
	return false;
}

void http_process_forget(struct http_process *p, struct http_binaries *binaries)
{
	http_unwind_free(p->unwind);
	p->unwind = NULL;
	http_maps_free(&p->maps, binaries);
	http_perfmap_free(&p->perfmap);
}
