#!/usr/bin/env bats
# trace_http: each call once, as late as it was.

TOOL=trace_http
load ../helper
load ../http

setup() {
	live_setup
	CLIENT=()
	TRACE=()
}

teardown() {
	live_teardown
}

# rows N: there are as many.
rows() {
	[ "$(wc -l <"$T/trace.out")" = "$1" ]
}

@test "a cold start, a warm start" {
	local how
	serve "${PY[@]}" "$HTTP/server.py"
	for how in cold warm; do
		rm -f "$T/calls.go"
		py_client calls plain "$PORT" 150
		trace_http --pid "${LOAD_PID[calls]}"
		go calls
		stop
		rows 1
		grep -Eq "tracing with plan '[a-z]+' \($how start\)" \
			"$T/trace.err"
	done
}

# best_plan MODE: which one works here without losses, where the kernel says
# that it takes the processor from who is in it (full), or does not.
best_plan() {
	if grep -q ' __traceiter_tcp_sendmsg_locked$' /proc/kallsyms; then
		echo raw
	elif [ "$1" = full ] || [ ! -e /sys/kernel/btf/vmlinux ]; then
		echo kprobe
	else
		echo fentry
	fi
}

@test "where the kernel preempts, fentry comes behind kprobes" {
	local mode plan cache=$NETBCC_CACHE
	PLAN=()
	# Where all that is to be known is the plan, an image that others have made
	# does, if it is for one that was asked for by name.
	export NETBCC_CACHE=$T/cache
	mkdir "$NETBCC_CACHE"
	cp -p "$cache/trace_http-fentry-only.img" \
		"$NETBCC_CACHE/trace_http-fentry.img" || :
	for mode in full voluntary; do
		echo "none voluntary full " | sed "s/$mode/($mode)/" >"$T/mode"
		# shellcheck disable=SC2016 # for the other shell
		trace_as trace unshare -m sh -c '
			mount -t debugfs none /sys/kernel/debug
			mount --bind "$1" /sys/kernel/debug/sched/preempt
			shift
			exec "$@"' sh "$T/mode" "$BIN" --json \
			-o "$T" --pid $$
		plan=$(best_plan "$mode")
		grep "tracing with plan '$plan'" "$T/trace.err"
		# shellcheck disable=SC2153 # trace_as has set it
		kill "$TRACER"
		eventually ended "$TRACER"
	done
}

@test "one after the other on a connection that was open before, IPv4" {
	run_calls plain 250 0 120 300 0 150
	rows 8
}

@test "the same, IPv6, and IPv4 on a socket of IPv6" {
	CLIENT=(--host ::1)
	ADDRESS=::1 run_calls plain 250 0 120
	[ "$(jq -s 'map(.ip) | unique == [6]' "$T/trace.out")" = true ]
	: >"$TRUTH"
	rm "$T/calls.go"
	# The server's socket is one of IPv6, for both.
	CLIENT=(--host ::ffff:127.0.0.1)
	ADDRESS=:: run_calls plain 130 0
	[ "$(jq -s 'map(.ip) | unique == [4]' "$T/trace.out")" = true ]
}

@test "-4 and -6 leave out the others" {
	CLIENT=(--host ::1) TRACE=(-6)
	ADDRESS=::1 run_calls plain 130
	rows 2
	: >"$TRUTH"
	rm "$T/calls.go"
	serve "${PY[@]}" "$HTTP/server.py" ::1
	py_client calls --host ::1 plain "$PORT" 130
	trace_both -4
	go calls
	stop_all
	rows 0
}

@test "on a connection that is younger than the command" {
	CLIENT=(--late)
	run_calls plain 250 0 120
	rows 4
}

@test "all calls, with -t 0" {
	TRACE=(-t 0)
	run_calls plain 0 0 10 0 0
	rows 10
}

@test "HEAD" {
	CLIENT=(--method HEAD)
	run_calls plain 150 0 120
	rows 4
}

@test "POST" {
	CLIENT=(--method POST --body "$(printf '%04000d' 0)")
	run_calls plain 150 0 120
	rows 4
}

@test "an answer of many parts: the first byte, and the last" {
	CLIENT=(--path /chunked)
	run_calls plain 150 0 120
	jq -se 'all(.duration_us > .latency_us + 85000)' "$T/trace.out"
}

@test "an answer whose first byte is early is not late" {
	CLIENT=(--path /chunked)
	run_calls plain 20 150
	rows 2
}

@test "an error is a call too" {
	CLIENT=(--path /fail)
	run_calls plain 150 0
	[ "$(jq -s 'map(.status) == [503, 503]' "$T/trace.out")" = true ]
}

@test "a request that is written byte by byte" {
	run_calls bytewise 150 0 120
	rows 4
}

@test "reads that find nothing at first" {
	run_calls epoll 150 0 120
	rows 4
}

@test "100 Continue is no answer" {
	run_calls expect 150 0 120
	rows 4
}

@test "what follows 101 is no call" {
	run_calls upgrade 150
	rows 2
}

@test "another connection with the same descriptor" {
	run_calls reuse 150 0 120 0 130
	rows 6
}

@test "pipelined requests" {
	run_calls pipelined 150 0 0 60 130 0
	rows 12
}

@test "threads at once" {
	run_calls threads 150 0 250 120 0 300 180 0 200
	rows 12
}

@test "two asyncio calls at once, of which one is later" {
	serve "${PY[@]}" "$HTTP/aserver.py"
	client calls "${PY[@]}" "$HTTP/aclient.py" "$PORT" 2 300 110
	trace_both
	go calls
	stop_all
	calls_match
	rows 8
}

@test "500 connections at once that are kept alive" {
	local delays=(0 120 400 250 10 150)
	serve "${PY[@]}" "$HTTP/aserver.py"
	client calls "${PY[@]}" "$HTTP/aclient.py" "$PORT" 500 "${delays[@]}"
	trace_both
	WITHIN=60 go calls
	stop_all
	# Some wait for a processor between the call and the clock.
	calls_match --rows-least 4000
}

@test "node" {
	serve node "$HTTP/server.js"
	client calls node "$HTTP/client.js" "$PORT" 150 0 250 120
	trace_both
	go calls
	stop_all
	calls_match
	rows 6
}

@test "C" {
	serve "$ROOT/build/work/httpload" server
	client calls "$ROOT/build/work/httpload" client "$PORT" 150 0 250 120
	trace_both
	go calls
	stop_all
	calls_match
	rows 6
}

# A server's call begins when it reads the request, which has been there longer.
@test "requests that wait for their server" {
	serve "$ROOT/build/work/httpload" server 60
	client calls "$ROOT/build/work/httpload" client "$PORT" 0 150 0 150 150
	trace_both
	go calls
	stop_all
	calls_match
}

# Where the command can't try whether TCP's clock tells when a request came.
@test "the same, without loopback for the command" {
	serve "$ROOT/build/work/httpload" server 60
	client calls "$ROOT/build/work/httpload" client "$PORT" 0 150 0 150
	trace_as trace unshare -n "$BIN" --json -o "$T" --pid "$SERVER" \
		--pid "${LOAD_PID[calls]}"
	go calls
	stop_all
	calls_match
	grep 'TCP is not asked when a request was received' "$T/trace.err"
}

# Not by TCP, so that its clock says nothing of them, and none of its functions.
@test "the same, sent by way of a sockmap" {
	client calls "$ROOT/build/work/httpload" redirected 60 0 150 0 150 150
	trace_http --pid "${LOAD_PID[calls]}"
	go calls
	wait "${LOAD_PID[calls]}"
	stop
	if grep -q "plan 'raw'" "$T/trace.err"; then
		calls_match
	else
		[ ! -s "$T/trace.out" ]
	fi
}

# It sends the request when it is connected, and says that it is about to
# afterwards.
@test "curl, which lives for one call only" {
	serve "${PY[@]}" "$HTTP/server.py"
	trace_http -p curl
	for ms in 150 0 200; do
		in_ns curl -s -o /dev/null \
			-w '%{time_starttransfer} %{time_connect} %{time_pretransfer} %{local_port}\n' \
			"127.0.0.1:$PORT/slow?ms=$ms" >>"$T/curl"
	done
	stop
	only_ours
	cat "$T/curl" "$T/trace.out"
	rows 2
	jq -se --rawfile truth "$T/curl" '
		($truth | split("\n") | map(select(. != "") | split(" ") |
			map(tonumber))) as $truth |
		.[0].comm == "curl" and .[0].role == "client" and
		([., [$truth[0], $truth[2]]] | transpose | all(
			.[0].sport == .[1][3] and
			.[0].latency_us < 1e6 * (.[1][0] - .[1][1]) +
				2000 * '"$NB_SLOW"' and
			.[0].latency_us > 1e6 * (.[1][0] - .[1][2]) -
				2000 * '"$NB_SLOW"'))' "$T/trace.out"
}

@test "nginx in between: what it serves, and what it asks for" {
	serve "${PY[@]}" "$HTTP/server.py"
	nginx_calls http 8080
}

@test "what is not HTTP is no call" {
	client calls "${PY[@]}" "$HTTP/other.py"
	trace_http --pid "${LOAD_PID[calls]}"
	go calls
	stop
	rows 0
}

@test "what is not HTTP is no call, of whichever process" {
	client calls "${PY[@]}" "$HTTP/other.py"
	trace_http
	go calls
	stop
	cat "$T/trace.out"
	jq -se --argjson pid "${LOAD_PID[calls]}" 'all(.pid != $pid)' "$T/trace.out"
}
