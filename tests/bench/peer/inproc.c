// SPDX-License-Identifier: Apache-2.0
/*
 * inproc TEXT: what tcpconnection would be with libbcc in its own process, to
 * measure against. Compiles the same text with the same types, loads and
 * attaches the same programs, says so and waits for a signal.
 *
 * inproc -t TEXT: print the text with its types in front, for withbcc.py.
 */
#include <bcc/bcc_common.h>
#include <bcc/libbpf.h>
#include <bpf/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../../lib/cc/types.h"
#include "../../../tools/tcpconnection/tcpconnection.h"

static const struct {
	const char *prog;
	const char *category; /* NULL: a raw tracepoint */
	const char *name;
} hooks[] = {
	{ "conn_begin", NULL, "inet_sock_set_state" },
	{ "conn_state", NULL, "inet_sock_set_state" },
	{ "conn_state", NULL, "inet_sock_set_state" },
	{ "conn_destroy", NULL, "tcp_destroy_sock" },
	{ "conn_destroy", NULL, "tcp_destroy_sock" },
	{ "conn_accept", "syscalls", "sys_exit_accept" },
	{ "conn_accept", "syscalls", "sys_exit_accept4" },
};

static void die(const char *what)
{
	fprintf(stderr, "inproc: cannot %s\n", what);
	exit(1);
}

static char *read_file(const char *path)
{
	static char buf[1 << 20];
	FILE *in = fopen(path, "r");

	if (!in)
		die("open the text");
	buf[fread(buf, 1, sizeof(buf) - 1, in)] = '\0';
	fclose(in);
	return buf;
}

static char *with_types(const char *text)
{
	static struct nb_image_func funcs[NB_IMAGE_MAX_FUNCS];
	char missing[128], *full = NULL;
	uint32_t nfuncs;
	size_t len;
	FILE *out = open_memstream(&full, &len);

	if (!out || nb_types_write(text, true, out, funcs, &nfuncs, missing,
				   sizeof(missing)))
		die("take the types from BTF");
	fprintf(out, "\n#line 1 \"text\"\n%s", text);
	fclose(out);
	return full;
}

static void attach(void *mod, size_t i)
{
	enum bpf_prog_type type = hooks[i].category
					  ? BPF_PROG_TYPE_TRACEPOINT
					  : BPF_PROG_TYPE_RAW_TRACEPOINT;
	int fd;

	fd = bcc_func_load(mod, (int)type, hooks[i].prog,
			   bpf_function_start(mod, hooks[i].prog),
			   (int)bpf_function_size(mod, hooks[i].prog), "GPL", 0,
			   0, NULL, 0, NULL, -1);
	if (fd < 0)
		die("load");
	fd = hooks[i].category ? bpf_attach_tracepoint(fd, hooks[i].category,
						       hooks[i].name)
			       : bpf_attach_raw_tracepoint(fd, hooks[i].name);
	if (fd < 0)
		die("attach");
}

int main(int argc, char **argv)
{
	const char *cflags[] = { "-DNB_TYPES_BTF", "-DNB_PLAN_tracepoint",
				 "-Wno-unknown-pragmas" };
	struct conn_config config = {
		.flags = CONN_LIVE | CONN_WANT_CONNECT | CONN_WANT_ACCEPT,
	};
	__u32 zero = 0;
	char *full;
	void *mod;

	if (argc == 3 && !strcmp(argv[1], "-t")) {
		fputs(with_types(read_file(argv[2])), stdout);
		return 0;
	}
	if (argc != 2)
		die("start: usage: inproc [-t] TEXT");
	full = with_types(read_file(argv[1]));
	mod = bpf_module_create_c_from_string(full, 0, cflags, 3, true, NULL);
	free(full);
	if (!mod)
		die("compile");
	for (size_t i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++)
		attach(mod, i);
	if (bpf_map_update_elem(bpf_table_fd(mod, "config"), &zero, &config, 0))
		die("configure");
	puts("attached");
	fflush(stdout);
	pause();
	return 0;
}
