#!/usr/bin/env bats
# Where the kernel has kprobes: lib/kprobe, and what a plan of them leaves.

load ../helper

setup() {
	live_setup
}

teardown() {
	live_teardown
}

named() {
	grep -c netbcc/ "$TRACEFS/kprobe_events"
}

@test "named probes, what they miss, and leftovers" {
	run "$ROOT/build/san/unit/kprobe_test"
	echo "$output"
	[ "$status" = 0 ]
	# It has not only found out that there are none.
	[ "${#lines[@]}" -gt 10 ]
}

@test "SIGKILL leaves names, which the next start removes" {
	trace --json -f
	[ "$(named)" = 2 ]
	kill -KILL "$TRACER"
	eventually ended "$TRACER"
	[ "$(named)" = 2 ]
	trace --json -f
	[ "$(named)" = 2 ]
	workload fail --expect ECONNREFUSED --count 2
	workload fail --expect ENETUNREACH --addr 192.0.2.1 --port 9
	stop
	[ "$(named || true)" = 0 ]
	compare json --failed --rows 3
}

@test "two at once: the end of one leaves the other's names" {
	trace --json -f
	local first=$TRACER
	trace_as second "$BIN" -n "$NS" --json -f "${PLAN[@]}"
	[ "$(named)" = 4 ]
	stop
	[ "$(named)" = 2 ]
	workload fail --expect ENETUNREACH --addr 192.0.2.1 --port 9
	stop INT "$first"
	compare json --failed --rows 1
	[ "$(named || true)" = 0 ]
}

@test "a start with another plan cleans up as well" {
	trace --json -f
	kill -KILL "$TRACER"
	eventually ended "$TRACER"
	[ "$(named)" = 2 ]
	PLAN=(--plan tracepoint)
	trace --json
	[ "$(named || true)" = 0 ]
	stop
}
