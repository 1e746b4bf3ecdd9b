/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One poll loop: signals, timers, records of an eBPF program, descriptors.
 */
#ifndef NB_LOOP_H
#define NB_LOOP_H

#include <stddef.h>
#include <stdint.h>

struct nb_loop;
struct nb_prog;

/*
 * Called for each record; @data is 8-byte aligned and lives for the call
 * only. Not 0 ends the loop with that value.
 */
typedef int (*nb_loop_record_fn)(void *ctx, const void *data, size_t size);

/* What a function may return to end the loop without an error. */
#define NB_LOOP_STOP 1

/* Called at an interval, or for a descriptor. Not 0 ends the loop. */
typedef int (*nb_loop_fn)(void *ctx);

/*
 * From here on the first SIGINT, SIGTERM or SIGHUP ends nb_loop_run() with 0
 * and the second has its default action; SIGPIPE is ignored (a SIGHUP that is
 * ignored, as under nohup(1), stays so). One loop at a time. 0 or -errno. The
 * caller frees *ret with nb_loop_free().
 */
int nb_loop_new(struct nb_loop **ret);
void nb_loop_free(struct nb_loop *loop);

/*
 * Take the records of @prog's map "events": a ring buffer, or a perf buffer of
 * @buffer_bytes in all. Records smaller than @size bytes are a fault
 * (-EBADMSG). 0 or -errno. @prog must outlive the loop.
 */
int nb_loop_records(struct nb_loop *loop, const struct nb_prog *prog,
		    size_t size, size_t buffer_bytes, nb_loop_record_fn fn,
		    void *ctx);

/* Call @fn every @ms milliseconds (CLOCK_MONOTONIC). Once a loop. 0 or -errno.
 */
int nb_loop_every(struct nb_loop *loop, unsigned ms, nb_loop_fn fn, void *ctx);

/* Call @fn while @fd is readable. Once a loop; @fd stays the caller's. */
void nb_loop_watch(struct nb_loop *loop, int fd, nb_loop_fn fn, void *ctx);
void nb_loop_unwatch(struct nb_loop *loop);

/*
 * End nb_loop_run() with -EPIPE as soon as the reader of the pipe or terminal
 * @fd has gone, not only when something is written. @fd stays the caller's.
 */
void nb_loop_output(struct nb_loop *loop, int fd);

/* Call @fn whenever all the records that were waiting have been handed over. */
void nb_loop_idle(struct nb_loop *loop, nb_loop_fn fn, void *ctx);

/*
 * After records have come, look for more every @ms milliseconds (at least 1),
 * and for nothing else in between, until there were none for NB_QUIET_NS: for
 * those that nobody is woken up for (nb_submit_soon() in bpf/events.bpf.h).
 */
void nb_loop_linger(struct nb_loop *loop, int ms);

/*
 * Run until a signal (0), or until a function returned something else than 0
 * (that), or -errno.
 */
int nb_loop_run(struct nb_loop *loop);

/*
 * Hand over the records that are waiting, once, and call the idle function:
 * for after nb_loop_run() and nb_prog_detach(). As nb_loop_run().
 */
int nb_loop_drain(struct nb_loop *loop);

#endif
