#!/usr/bin/env bats
# The table, -T, -c, pipes and files that take no more.

load ../helper

setup() {
	live_setup
}

teardown() {
	live_teardown
}

@test "table: IPv4 is byte for byte in the seed's format" {
	trace
	workload pairs --count 5 --from 127.0.0.2
	workload pairs --count 5 --ip mapped --addr 127.127.127.127
	stop
	compare table --seed --rows 20
	[ "$(grep -c ^TIME "$T/trace.out")" = 1 ]
}

@test "table: IPv6 widens its columns, and the header comes again" {
	in_ns ip addr add 2001:db8:1111:2222:3333:4444:5555:6666/128 dev lo
	trace
	workload pairs --count 2
	workload pairs --count 2 --ip 6
	workload pairs --count 2 --ip 6 \
		--addr 2001:db8:1111:2222:3333:4444:5555:6666
	workload pairs --count 2 --ip 6
	workload pairs --count 2
	stop
	compare table --rows 20
	[ "$(grep -c ^TIME "$T/trace.out")" -gt 1 ]
	# Narrow rows keep the wide columns: no header after the widest row.
	tail -n 8 "$T/trace.out" >"$T/tail"
	refute grep ^TIME "$T/tail"
}

@test "table: -t -l -f add their columns" {
	trace -t -l -f
	workload pairs --count 3 --accept-delay 20 --bytes-up 123456789 \
		--bytes-down 7
	workload pairs --count 3 --ip 6
	workload fail --expect ECONNREFUSED
	workload fail --expect EADDRNOTAVAIL --same-tuple --ip 6
	stop
	compare table --latency --life --failed --rows 28
	head -n 1 "$T/trace.out" | grep -Eq \
		'DIRECTION +STATE +LAT\(ms\) +ERROR +DUR\(ms\) +RX\(B\) +TX\(B\)$'
}

@test "table: one more column each for -t and -f" {
	trace -t
	local first=$TRACER
	trace_as failed "$BIN" -n "$NS" -f
	workload pairs --count 3
	workload fail --expect ECONNREFUSED --ip 6
	stop INT "$first"
	stop
	compare table --latency --rows 6
	head -n 1 "$T/trace.out" | grep -Eq 'DIRECTION +LAT\(ms\)$'
	mv "$T/failed.out" "$T/trace.out"
	compare table --failed --rows 7
	head -n 1 "$T/trace.out" | grep -Eq 'DIRECTION +ERROR$'
}

@test "table: a name with control characters spoils no terminal" {
	trace
	workload pairs --comm $'a\x1b[2J\tb'
	stop
	[ "$(wc -l <"$T/trace.out")" = 3 ]
	refute env LC_ALL=C grep -q $'[^ -~]' "$T/trace.out"
	grep -q 'a?\[2J?b' "$T/trace.out"
}

@test "JSON: a name that is no UTF-8" {
	trace --json
	workload pairs --comm $'a\xff\xc3b'
	stop
	iconv -f UTF-8 -t UTF-8 "$T/trace.out" >/dev/null
	jq -es 'length == 2 and all(.comm == "a\ufffd\ufffdb")' "$T/trace.out"
}

@test "-T: microseconds, which are true" {
	trace -T
	workload pairs --count 5
	workload pairs --count 5 --ip 6
	stop
	compare table --rows 20
	# Every row has them.
	refute grep -Ev '^(TIME|[0-9:]{8}\.[0-9]{6}) ' "$T/trace.out"
}

@test "the table's time is local" {
	trace
	workload pairs
	stop
	[ "$(date +%H)" != "$(date -u +%H)" ] # or it tests nothing
	compare table --rows 2
}

@test "-q: no header" {
	in_background quiet "$BIN" -q -n "$NS" "${PLAN[@]}"
	TRACER=$SPAWNED
	eventually shows_a_row quiet
	stop
	[ ! -s "$T/quiet.err" ]
	refute grep TIME "$T/quiet.out"
}

# Nothing says that the command is ready: connect until it sees that.
shows_a_row() {
	in_ns "$LOAD" pairs >/dev/null
	[ -s "$T/$1.out" ]
}

@test "without -v nothing is on standard error" {
	in_background plain "$BIN" --json -n "$NS" "${PLAN[@]}"
	TRACER=$SPAWNED
	eventually shows_a_row plain
	stop
	[ ! -s "$T/plain.err" ]
}

@test "the header says that it has started" {
	in_background plain "$BIN" -n "$NS" "${PLAN[@]}"
	TRACER=$SPAWNED
	eventually grep -q ^TIME "$T/plain.out"
	workload pairs --count 2
	stop
	mv "$T/plain.out" "$T/trace.out"
	compare table --seed --rows 4
}

@test "-c: so many lines and not one more" {
	trace --json -c 7
	prepare load pairs --count 20
	go load
	await_end "$TRACER"
	compare json --subset --rows 7

	: >"$TRUTH"
	trace -c 1 -l
	workload pairs --count 3
	await_end "$TRACER"
	compare table --life --subset --rows 1
}

@test "a row is out as soon as it happens" {
	trace --json
	prepare load pairs --hold 5000
	echo go >&"${LOAD_FD[load]}"
	eventually two_rows
	refute ended "${LOAD_PID[load]}"
	kill "${LOAD_PID[load]}"
	stop
}

two_rows() {
	[ "$(wc -l <"$T/trace.out")" = 2 ]
}

# trace_into_head ARG...: into "head -n 1", whose pid is in $HEAD.
trace_into_head() {
	mkfifo "$T/pipe"
	# shellcheck disable=SC2016 # for the other shell
	in_background head sh -c 'exec head -n 1 <"$0"' "$T/pipe"
	HEAD=$SPAWNED
	# shellcheck disable=SC2016 # for the other shell
	in_background trace sh -c 'exec "$@" >"$0"' "$T/pipe" "$BIN" -n "$NS" \
		-v "${PLAN[@]}" "$@"
	TRACER=$SPAWNED
	# It may have ended already: head has read the header.
	eventually attached trace
}

@test "| head -1: ends with success when its reader has gone" {
	trace_into_head --json
	workload pairs
	await_end "$HEAD"
	workload pairs
	await_end "$TRACER"
	[ "$(wc -l <"$T/head.out")" = 1 ]
	one_line "$T/trace.err" "tracing with plan"
}

@test "| head -1: ends without waiting for another connection" {
	trace_into_head
	await_end "$HEAD"
	one_line "$T/head.out" "^TIME "
	await_end "$TRACER"
	one_line "$T/trace.err" "tracing with plan"
}

@test "a full disk: one line, exit status 1" {
	refute "$BIN" -n "$NS" "${PLAN[@]}" >/dev/full 2>"$T/err"
	one_line "$T/err" '^tcpconnection: cannot write standard output: No space'

	# shellcheck disable=SC2016 # for the other shell
	trace_as full sh -c 'exec "$@" >/dev/full' - "$BIN" -n "$NS" --json
	workload pairs --count 3
	eventually ended "$TRACER"
	run wait "$TRACER"
	[ "$status" = 1 ]
	grep -v 'tracing with plan' "$T/full.err" >"$T/err"
	one_line "$T/err" '^tcpconnection: cannot write standard output: No space'
}

@test "a closed standard output: one line, exit status 1" {
	# shellcheck disable=SC2016 # for the other shell
	run sh -c 'exec "$@" >&-' - "$BIN" -n "$NS"
	[ "$status" = 1 ]
	[ "${#lines[@]}" = 1 ]
}

@test "standard files that are closed: no map takes their place" {
	run sh -c '"$@" <&- >&-' - "$BIN" --no-cache -n "$NS"
	[ "$status" = 1 ]
	[ "$output" = "tcpconnection: cannot write standard output: Bad file descriptor" ]
	"$BIN" --no-cache -n "$NS" -q -c 1 --json <&- 2>&- >"$T/closed.out" &
	PIDS+=($!)
	until [ -s "$T/closed.out" ] || ended $!; do
		workload pairs --count 1
	done
	jq -e .pid "$T/closed.out"
}
