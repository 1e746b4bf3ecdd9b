#!/usr/bin/env bats
# However the command ends, it shows what it saw and leaves nothing behind.

load ../helper

setup() {
	live_setup
}

teardown() {
	live_teardown
}

# trace_and_end SIGNAL: trace, end the command, and check.
trace_and_end() {
	tracefs_state >"$T/before"
	trace --json -t -f -l
	note_objects
	workload pairs --count 3
	if [ "$1" = KILL ]; then
		kill -KILL "$TRACER"
		eventually ended "$TRACER"
		eventually objects_gone
		# The names of kprobes go at the next start.
		trace --json
		stop
	else
		stop "$1"
		compare json --latency --failed --life --rows 12
	fi
	eventually objects_gone
	tracefs_state | cmp - "$T/before"
	refute pgrep -P "$TRACER"
}

@test "SIGINT: every row, and nothing is left" {
	trace_and_end INT
}

@test "SIGTERM: every row, and nothing is left" {
	trace_and_end TERM
}

@test "SIGHUP: every row, and nothing is left" {
	trace_and_end HUP
}

@test "SIGKILL: nothing is left" {
	trace_and_end KILL
}

@test "nothing is left in directories but images in the cache" {
	# Empty places for temporary files; the build may be in one of them.
	# shellcheck disable=SC2016 # for the other shell
	in_background holder unshare -m sh -c '
		mount --bind "$1" /mnt
		for dir in /tmp /var/tmp /var/cache /dev/shm; do
			mount -t tmpfs none $dir
		done
		echo ready
		exec sleep 60' sh "$ROOT/build"
	local holder=$SPAWNED dir
	eventually grep -q ready "$T/holder.out"
	unset NETBCC_CACHE
	for signal in INT KILL; do
		trace_as trace nsenter -m -t "$holder" \
			/mnt/bin/tcpconnection -n "$(stat -Lc %i "/run/netns/$NS")" --json
		kill -"$signal" "$TRACER"
		eventually ended "$TRACER"
	done
	for dir in tmp var/tmp dev/shm; do
		find "/proc/$holder/root/$dir" -mindepth 1 >>"$T/left"
	done
	[ ! -s "$T/left" ]
	dir=/proc/$holder/root/var/cache
	ls -A "$dir" "$dir/netbcc"
	[ "$(ls -A "$dir")" = netbcc ]
	[ "$(stat -c %a:%u "$dir/netbcc")" = 700:0 ]
	[ -n "$(ls -A "$dir/netbcc")" ]
	[ -z "$(find "$dir/netbcc" -type f ! -name 'tcpconnection-*.img')" ]
	grep -q 'warm start' "$T/trace.err"
}

@test "SIGHUP is ignored under nohup" {
	trace_as trace nohup "$BIN" -n "$NS" --json
	kill -HUP "$TRACER"
	workload pairs --count 2
	refute ended "$TRACER"
	stop
	compare json --rows 4
}

@test "a second signal ends it even while its reader hangs" {
	mkfifo "$T/pipe"
	# Nobody reads: the pipe gets full and write() blocks.
	exec {keep}<>"$T/pipe"
	# shellcheck disable=SC2016 # for the other shell
	trace_as trace sh -c 'exec "$@" >"$0"' "$T/pipe" "$BIN" -n "$NS" --json
	workload storm --count 2000
	eventually blocked_in_write "$TRACER"
	kill -INT "$TRACER"
	eventually nothing_pending "$TRACER"
	kill -TERM "$TRACER"
	eventually ended "$TRACER"
	exec {keep}<&-
}

# Have all signals to process $1 been delivered?
nothing_pending() {
	! grep -Eq '^(SigPnd|ShdPnd):.*[1-9a-f]' "/proc/$1/status"
}

blocked_in_write() {
	[[ $(cat "/proc/$1/syscall") == "1 "* ]]
}

@test "two at once see the same, and one's end is not the other's" {
	trace --json
	local first=$TRACER
	trace_as second "$BIN" -n "$NS" --json
	workload pairs --count 10 --threads 2
	stop INT "$first"
	compare json --rows 20
	workload pairs --count 5
	stop
	mv "$T/second.out" "$T/trace.out"
	compare json --rows 30
}

@test "-p: the process ends, and so does the command" {
	prepare load pairs --count 3
	trace --json -p "$(ready load server)"
	go load
	await_end "$TRACER"
	compare json --where "pid == $(ready load server)" --rows 3
	grep -q "process $(ready load server) has ended" "$T/trace.err"
}

@test "-p -l: it goes on until the connections have ended" {
	prepare load pairs --count 3
	trace --json -l -p "$(ready load server)"
	go load
	eventually grep -q "process .* has ended" "$T/trace.err"
	refute ended "$TRACER"
	stop
	compare json --life --where "pid == $(ready load server)" --rows 6
}

# More than the command takes at once, and all of it when the end is known.
@test "-p: the process ends while the command is behind" {
	prepare load pairs --count 5000
	trace --json -p "$(ready load client)" --buffer 4096
	kill -STOP "$TRACER"
	go load
	kill -CONT "$TRACER"
	await_end "$TRACER"
	compare json --where "pid == $(ready load client)" --rows 5000
}

@test "SIGINT while the command is behind: every row" {
	prepare load pairs --count 5000
	trace --json --buffer 4096
	kill -STOP "$TRACER"
	go load
	kill -INT "$TRACER"
	kill -CONT "$TRACER"
	await_end "$TRACER"
	compare json --rows 10000
}

@test "killed while it compiles: no compiler lives on, and the next starts" {
	export NETBCC_CACHE=$T/cache
	in_background trace "$BIN" -v -n "$NS" "${PLAN[@]}"
	TRACER=$SPAWNED
	eventually has_child "$TRACER"
	local compiler
	compiler=$(<"$T/child")
	kill -KILL "$TRACER"
	eventually ended "$compiler"
	trace --json
	workload pairs --count 2
	stop
	compare json --rows 4
}

has_child() {
	pgrep -P "$1" -x netbcc-cc >"$T/child"
}
