// SPDX-License-Identifier: Apache-2.0
#include "records.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include "args.h"
#include "backlog.h"
#include "calls.h"
#include "rows.h"
#include "trace_http.h"

struct http_records {
	struct http_records_to to;
	struct http_calls *calls;
	struct http_backlog backlog;
	bool busy; /* with the backlog */
	struct nb_loop *loop;
	int socks; /* the map, which is the prog's */
};

static int on_end(void *ctx, const struct http_call *call,
		  const struct http_frames *frames, const struct http_end *end)
{
	const struct http_records_to *to = &((struct http_records *)ctx)->to;

	return http_show_call(to->show, to->names, call, frames, end);
}

int http_records_new(const struct http_records_to *to,
		     struct http_records **ret)
{
	struct http_records *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return -ENOMEM;
	r->to = *to;
	err = http_calls_new(on_end, r, &r->calls);
	if (err)
		http_records_free(r);
	else
		*ret = r;
	return err;
}

void http_records_free(struct http_records *r)
{
	if (!r)
		return;
	http_backlog_free(&r->backlog);
	http_calls_free(r->calls);
	free(r);
}

/*
 * A call's stack gets its names at once: its process may not live for as long
 * as the call.
 */
static int on_call(struct http_records *r, const struct http_record *rec,
		   size_t size)
{
	const struct http_call *call = &rec->call;
	struct http_frames *frames;
	bool has_stack = call->flags & HTTP_STACK;

	if (size < sizeof(*call) ||
	    (has_stack &&
	     (size < sizeof(*call) + HTTP_STACK_HEAD ||
	      size < sizeof(*call) + http_stack_size(&rec->stack))))
		return -EBADMSG;
	if (!http_rows_wanted(call))
		return 0;
	frames = http_calls_begin(r->calls, call);
	if (!frames)
		return -ENOMEM;
	if (has_stack)
		http_names_resolve(r->to.names, (pid_t)call->pid, &rec->stack,
				   frames);
	return 0;
}

static int on_proc(struct http_records *r, const struct http_proc_rec *proc)
{
	pid_t pid = (pid_t)proc->pid;

	http_tls_look(r->to.tls, pid);
	if (proc->is_new)
		http_names_exec(r->to.names, pid);
	else
		http_names_open(r->to.names, pid);
	return 0;
}

static int work_on(struct http_records *r, const void *data, size_t size)
{
	const struct http_proc_rec *proc = data;

	switch (proc->kind) {
	case HTTP_REC_CALL:
		return on_call(r, data, size);
	case HTTP_REC_END:
		return http_calls_end(r->calls, data);
	case HTTP_REC_WAIT:
		return http_show_wait(r->to.show, data, size);
	case HTTP_REC_SAMPLE:
		return http_show_sample(r->to.show, data, size);
	case HTTP_REC_PROC:
		return on_proc(r, proc);
	default:
		return -EBADMSG;
	}
}

/* Work on the oldest record that waits, if any does. */
static int work_on_oldest(struct http_records *r)
{
	size_t size;
	void *data = http_backlog_take(&r->backlog, &size);
	int err = data ? work_on(r, data, size) : 0;

	free(data);
	return err;
}

/* Take it out of the buffer; it is worked on when that is empty. */
static int on_event(void *ctx, const void *data, size_t size)
{
	struct http_records *r = ctx;
	int err;

	while ((err = http_backlog_add(&r->backlog, data, size)) &&
	       r->backlog.first) {
		err = work_on_oldest(r);
		if (err)
			return err;
	}
	return err ? work_on(r, data, size) : 0;
}

/* Between two records the buffer is emptied again. */
static int work_on_all(struct http_records *r)
{
	int err = 0;

	r->busy = true;
	while (!err && r->backlog.first) {
		err = work_on_oldest(r);
		if (!err)
			err = nb_loop_drain(r->loop);
	}
	r->busy = false;
	return err;
}

static int on_idle(void *ctx)
{
	struct http_records *r = ctx;
	int err = r->busy ? 0 : work_on_all(r);

	return err || r->busy ? err : http_show_flush(r->to.show);
}

int http_records_take(struct http_records *r, struct nb_loop *loop,
		      const struct nb_prog *prog)
{
	r->loop = loop;
	r->socks = nb_prog_map(prog, "socks");
	nb_loop_idle(loop, on_idle, r);
	return nb_loop_records(loop, prog, sizeof(struct http_proc_rec),
			       (size_t)http_args.prog.buffer_kb * 1024,
			       on_event, r);
}

int http_records_look(struct http_records *r, uint64_t now)
{
	return http_calls_look(r->calls, r->socks, now);
}
