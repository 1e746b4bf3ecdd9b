// SPDX-License-Identifier: Apache-2.0
#include "loop.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "bpf/counters.h"
#include "prog.h"

/* More than any record of a perf buffer's; a header of perf's says up to 64 k.
 */
#define RECORD_MAX 65536

enum { SLOT_SIGNAL, SLOT_OUTPUT, SLOT_TIMER, SLOT_WATCH, SLOT_RECORDS, SLOTS };

struct nb_loop {
	struct pollfd fds[SLOTS];
	struct ring_buffer *ring;
	struct perf_buffer *perf;
	size_t record_size;
	nb_loop_record_fn on_record;
	void *record_ctx;
	nb_loop_fn on_timer;
	void *timer_ctx;
	nb_loop_fn on_watch;
	void *watch_ctx;
	nb_loop_fn on_idle;
	void *idle_ctx;
	int result;	 /* of a callback inside libbpf; not 0: stop */
	unsigned budget; /* records to hand over before looking up */
	int linger_ms;	 /* 0: not at all */
	int looks;	 /* that are still to be made, */
	int wait_ms;	 /* the next one then; -1: when it is woken up */
};

/* So that signals and timers are served while records pour in. */
#define BATCH 4096

/*
 * Handlers, and no signalfd: a second signal must end the process even while
 * it hangs in a write that nobody reads. What they need has to be static.
 */
static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
static int signal_fd = -1;

static void on_signal(int sig)
{
	const uint64_t one = 1;
	int saved = errno;

	(void)sig;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], SIG_DFL);
	if (write(signal_fd, &one, sizeof(one)) < 0) {
		/* it is awake already */
	}
	errno = saved;
}

static void catch_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal,
				.sa_flags = SA_RESTART };
	struct sigaction old;

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		/* nohup(1) wants SIGHUP ignored. A shell's "&" has SIGINT
		 * ignored as well, but who sends it means it. */
		if (signals[i] == SIGHUP && !sigaction(SIGHUP, NULL, &old) &&
		    old.sa_handler == SIG_IGN)
			continue;
		sigaction(signals[i], &sa, NULL);
	}
	signal(SIGPIPE, SIG_IGN);
}

int nb_loop_new(struct nb_loop **ret)
{
	struct nb_loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return -ENOMEM;
	loop->wait_ms = -1;
	for (int i = 0; i < SLOTS; i++) {
		loop->fds[i].fd = -1;
		loop->fds[i].events = POLLIN;
	}
	signal_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (signal_fd < 0) {
		int err = -errno;

		free(loop);
		return err;
	}
	loop->fds[SLOT_SIGNAL].fd = signal_fd;
	catch_signals();
	*ret = loop;
	return 0;
}

void nb_loop_free(struct nb_loop *loop)
{
	if (!loop)
		return;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], SIG_DFL);
	ring_buffer__free(loop->ring);
	perf_buffer__free(loop->perf);
	close(loop->fds[SLOT_SIGNAL].fd);
	if (loop->fds[SLOT_TIMER].fd >= 0)
		close(loop->fds[SLOT_TIMER].fd);
	free(loop);
}

static int on_ring(void *ctx, void *data, size_t size)
{
	struct nb_loop *loop = ctx;

	if (size < loop->record_size)
		loop->result = -EBADMSG;
	else
		loop->result = loop->on_record(loop->record_ctx, data, size);
	if (loop->result)
		return -ECANCELED;
	/* Ends the round after this record, which counts as consumed. */
	return loop->budget && --loop->budget == 0 ? -EAGAIN : 0;
}

static enum bpf_perf_event_ret on_perf(void *ctx, int cpu,
				       struct perf_event_header *event)
{
	struct nb_loop *loop = ctx;
	const struct {
		struct perf_event_header header;
		__u32 size;
		char data[];
	} *sample = (const void *)event;
	_Alignas(8) char copy[RECORD_MAX];

	(void)cpu;
	/* What was lost is counted in the kernel, where it is lost. */
	if (event->type != PERF_RECORD_SAMPLE || loop->result)
		return LIBBPF_PERF_EVENT_CONT;
	if (sample->size < loop->record_size || sample->size > sizeof(copy)) {
		loop->result = -EBADMSG;
	} else {
		/* It starts at byte 12: bring it to where a u64 may be read. */
		memcpy(copy, sample->data, sample->size);
		loop->result =
			loop->on_record(loop->record_ctx, copy, sample->size);
	}
	return loop->result ? LIBBPF_PERF_EVENT_DONE : LIBBPF_PERF_EVENT_CONT;
}

static int open_perf(struct nb_loop *loop, int map, size_t bytes)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_BPF_OUTPUT,
		.size = sizeof(attr),
		.sample_type = PERF_SAMPLE_RAW,
		.sample_period = 1,
		.wakeup_events = 1,
	};
	size_t cpus = (size_t)libbpf_num_possible_cpus(), pages = 1;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	while (pages * cpus * page < bytes)
		pages *= 2;
	loop->perf =
		perf_buffer__new_raw(map, pages, &attr, on_perf, loop, NULL);
	return loop->perf ? 0 : -errno;
}

int nb_loop_records(struct nb_loop *loop, const struct nb_prog *prog,
		    size_t size, size_t buffer_bytes, nb_loop_record_fn fn,
		    void *ctx)
{
	int map = nb_prog_map(prog, "events"), err;

	if (map < 0)
		return map;
	loop->record_size = size;
	loop->on_record = fn;
	loop->record_ctx = ctx;
	if (nb_prog_has_ringbuf(prog)) {
		loop->ring = ring_buffer__new(map, on_ring, loop, NULL);
		if (!loop->ring)
			return -errno;
		loop->fds[SLOT_RECORDS].fd = ring_buffer__epoll_fd(loop->ring);
		return 0;
	}
	err = open_perf(loop, map, buffer_bytes);
	if (!err)
		loop->fds[SLOT_RECORDS].fd = perf_buffer__epoll_fd(loop->perf);
	return err;
}

int nb_loop_every(struct nb_loop *loop, unsigned ms, nb_loop_fn fn, void *ctx)
{
	struct itimerspec when = {
		.it_interval = { ms / 1000, ms % 1000 * 1000000L },
		.it_value = { ms / 1000, ms % 1000 * 1000000L },
	};
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

	if (fd < 0)
		return -errno;
	if (timerfd_settime(fd, 0, &when, NULL)) {
		int err = -errno;

		close(fd);
		return err;
	}
	loop->fds[SLOT_TIMER].fd = fd;
	loop->on_timer = fn;
	loop->timer_ctx = ctx;
	return 0;
}

void nb_loop_watch(struct nb_loop *loop, int fd, nb_loop_fn fn, void *ctx)
{
	loop->fds[SLOT_WATCH].fd = fd;
	loop->on_watch = fn;
	loop->watch_ctx = ctx;
}

void nb_loop_unwatch(struct nb_loop *loop)
{
	loop->fds[SLOT_WATCH].fd = -1;
}

void nb_loop_output(struct nb_loop *loop, int fd)
{
	loop->fds[SLOT_OUTPUT].fd = fd;
	loop->fds[SLOT_OUTPUT].events = 0; /* POLLERR and POLLHUP */
}

void nb_loop_idle(struct nb_loop *loop, nb_loop_fn fn, void *ctx)
{
	loop->on_idle = fn;
	loop->idle_ctx = ctx;
}

void nb_loop_linger(struct nb_loop *loop, int ms)
{
	loop->linger_ms = ms;
}

/* When to look again, of itself: the last look took @n records. */
static void plan_look(struct nb_loop *loop, int n)
{
	if (n > 0 || n == -EAGAIN)
		loop->looks = 1 + NB_QUIET_NS / 1000000 / loop->linger_ms;
	else if (loop->looks)
		loop->looks--;
	loop->wait_ms = n == -EAGAIN ? 0 : loop->looks ? loop->linger_ms : -1;
}

/* Hand over at most @budget records (0: all), then be idle. */
static int take_records(struct nb_loop *loop, unsigned budget)
{
	int err = 0;

	loop->result = 0;
	loop->budget = budget;
	if (loop->ring)
		err = ring_buffer__consume(loop->ring);
	else if (loop->perf)
		err = perf_buffer__consume(loop->perf);
	if (loop->linger_ms)
		plan_look(loop, err);
	if (!loop->result && err < 0 && err != -EINTR && err != -EAGAIN)
		loop->result = err;
	if (!loop->result && loop->on_idle)
		loop->result = loop->on_idle(loop->idle_ctx);
	return loop->result;
}

int nb_loop_drain(struct nb_loop *loop)
{
	return take_records(loop, 0);
}

static bool ready(struct nb_loop *loop, int slot)
{
	return loop->fds[slot].fd >= 0 && loop->fds[slot].revents;
}

int nb_loop_run(struct nb_loop *loop)
{
	uint64_t expirations;
	int err, n;

	for (;;) {
		/* Not woken up for each while it looks for itself. */
		loop->fds[SLOT_RECORDS].events = loop->looks ? 0 : POLLIN;
		n = poll(loop->fds, SLOTS, loop->wait_ms);
		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (ready(loop, SLOT_SIGNAL))
			return 0;
		if (ready(loop, SLOT_OUTPUT))
			return -EPIPE;
		if (ready(loop, SLOT_RECORDS) || n == 0) {
			err = take_records(loop, BATCH);
			if (err)
				return err;
		}
		if (ready(loop, SLOT_TIMER) &&
		    read(loop->fds[SLOT_TIMER].fd, &expirations, 8) == 8) {
			err = loop->on_timer(loop->timer_ctx);
			if (err)
				return err;
		}
		if (ready(loop, SLOT_WATCH)) {
			err = loop->on_watch(loop->watch_ctx);
			if (err)
				return err;
		}
	}
}
