#!/usr/bin/env bats
# trace_http: calls over TLS, each once, as late as it was.

TOOL=trace_http
load ../helper
load ../http

setup() {
	live_setup
	CLIENT=(--late)
	TRACE=()
	export TLS=$T/tls.pem
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-subj /CN=test -days 1 -keyout "$T/key" -out "$T/cert" 2>/dev/null
	cat "$T/key" "$T/cert" >"$TLS"
}

teardown() {
	live_teardown
}

# rows N: there are as many, all over TLS.
rows() {
	cat "$T/trace.out"
	[ "$(wc -l <"$T/trace.out")" = "$1" ]
	jq -se 'all(.tls)' "$T/trace.out"
}

@test "one after the other on a connection that was open before" {
	serve "${PY[@]}" "$HTTP/server.py"
	py_client calls plain "$PORT" 250 0 120 300 0 150
	trace_both
	go calls
	stop_all
	# The server was in SSL_read() when the hook on that came.
	untold '"server".*ms=250'
	calls_match
	rows 7
	refute grep 'not looked into' "$T/trace.err"
}

@test "on a connection that is younger than the command, IPv6" {
	CLIENT=(--late --host ::1)
	ADDRESS=::1 run_calls plain 250 0 120
	rows 4
	[ "$(jq -s 'map(.ip) | unique == [6]' "$T/trace.out")" = true ]
}

@test "POST, whose body is of its own" {
	CLIENT=(--late --method POST --body "$(printf '%04000d' 0)")
	run_calls plain 150 0 120
	rows 4
}

# Each record is told of on its own: so many bytes were taken, of all that are
# left.
@test "writes of which libssl takes a part" {
	local body
	body=$(printf '%050000d' 0)
	CLIENT=(--late --method POST --path /big --body "$body")
	for PARTIAL in SSL_write SSL_write_ex; do
		export PARTIAL
		: >"$TRUTH"
		rm -f "$T/calls.go"
		run_calls plain 150 0 120
		rows 4
	done
}

@test "all calls, with -t 0" {
	TRACE=(-t 0)
	run_calls plain 0 0 10 0 0
	rows 10
}

@test "an answer of many parts: the first byte, and the last" {
	CLIENT=(--late --path /chunked)
	run_calls plain 150 0 120
	rows 4
	jq -se 'all(.duration_us > .latency_us + 85000)' "$T/trace.out"
}

@test "a request that is written byte by byte" {
	run_calls bytewise 150 0 120
	rows 4
}

@test "100 Continue is no answer" {
	run_calls expect 150 0 120
	rows 4
}

@test "another connection with the same descriptor" {
	run_calls reuse 150 0 120 0 130
	rows 6
}

@test "pipelined requests" {
	run_calls pipelined 150 0 20 130 0
	rows 10
}

@test "threads at once" {
	run_calls threads 150 0 250 120 0 300 180 0 200
	rows 12
}

@test "stacks, of the client's request and of the server's answer" {
	# The client lives until its names have been read.
	run_calls plain 150 30 30 30
	rows 2
	jq -se 'all(.stack | any(test("(make_call|get_slow) ")))' \
		"$T/trace.out"
}

@test "asyncio, which sends and receives itself" {
	serve "${PY[@]}" "$HTTP/tls_aserver.py"
	client calls "${PY[@]}" "$HTTP/tls_aclient.py" "$PORT" 2 300 110
	trace_both
	go calls
	stop_all
	calls_match
	rows 8
}

@test "node, which has a libssl of its own" {
	serve node "$HTTP/server.js"
	client calls node "$HTTP/client.js" "$PORT" 150 0 250 120
	trace_both
	go calls
	stop_all
	calls_match
	rows 6
}

# It sends the request when it is connected, and says that it is about to
# afterwards.
@test "curl, which lives for one call only" {
	serve "${PY[@]}" "$HTTP/server.py"
	trace_http -p curl
	for ms in 150 0 200; do
		in_ns curl -sk --http1.1 -o /dev/null \
			-w '%{time_starttransfer} %{time_appconnect} %{time_pretransfer} %{local_port}\n' \
			"https://127.0.0.1:$PORT/slow?ms=$ms" >>"$T/curl"
	done
	stop
	only_ours
	cat "$T/curl"
	rows 2
	jq -se --rawfile truth "$T/curl" '
		($truth | split("\n") | map(select(. != "") | split(" ") |
			map(tonumber))) as $truth |
		.[0].comm == "curl" and .[0].role == "client" and
		.[0].method == "GET" and .[0].path == "/slow?ms=150" and
		.[0].status == 200 and
		([., [$truth[0], $truth[2]]] | transpose | all(
			.[0].sport == .[1][3] and
			.[0].latency_us < 1e6 * (.[1][0] - .[1][1]) +
				2000 * '"$NB_SLOW"' and
			.[0].latency_us > 1e6 * (.[1][0] - .[1][2]) -
				2000 * '"$NB_SLOW"'))' "$T/trace.out"
}

@test "nginx in between: what it serves, and what it asks for" {
	serve "${PY[@]}" "$HTTP/server.py"
	LATE=(--late)
	nginx_calls https 8443 "ssl; ssl_certificate $TLS; ssl_certificate_key $TLS"
}

@test "a copy of libssl in a mount namespace, which comes later" {
	local lib
	lib=$(ldconfig -p | sed -n 's/.*libssl\.so\.3 .*x86-64.* => //p' | head -n 1)
	serve "${PY[@]}" "$HTTP/server.py"
	cp "$lib" "$T/libssl.so.3"
	trace_http -p curl
	# The first call that uses it may be over its beginning by then.
	for ms in 150 160; do
		in_ns env LD_LIBRARY_PATH="$T" curl -sk --http1.1 -o /dev/null \
			"https://127.0.0.1:$PORT/slow?ms=$ms"
	done
	stop
	only_ours
	jq -se 'map(.path) | .[-1] == "/slow?ms=160" and length <= 2 and
		(length == 1 or .[0] == "/slow?ms=150")' "$T/trace.out"
	grep "hooks on '$T/libssl.so.3'" "$T/trace.err"
}

@test "--no-tls: none of them, and no hooks" {
	serve "${PY[@]}" "$HTTP/server.py"
	py_client calls plain "$PORT" 150
	trace_both --no-tls
	go calls
	stop
	kill "$SERVER"
	rows 0
	refute grep hooks "$T/trace.err"
	grep 'connections with TLS, not looked into' "$T/trace.err"
}

# hooked N: as many of libssl's functions, in the server's memory, have a
# breakpoint.
hooked() {
	local lib
	lib=$(awk '/libssl/ { print $NF; exit }' "/proc/$SERVER/maps")
	[ "$(python3 -IS "$ROOT/tests/breakpoints.py" "$SERVER" "$lib" \
		SSL_read SSL_read_ex SSL_write SSL_write_ex SSL_free)" = "$1" ]
}

@test "killed by SIGKILL: no breakpoint is left, and libssl's users go on" {
	tracefs_state >"$T/before"
	serve "${PY[@]}" "$HTTP/server.py"
	py_client calls --late plain "$PORT" 150 0 250
	hooked 0
	trace_both
	hooked 5
	note_objects
	# shellcheck disable=SC2153 # trace_both has set it
	kill -KILL "$TRACER"
	eventually ended "$TRACER"
	eventually objects_gone
	eventually hooked 0
	# The next one begins as the first did, and has all calls to tell. The
	# server may be in SSL_read() for the first of them.
	trace_both
	hooked 5
	go calls
	stop_all
	untold '"server".*ms=150'
	sed -i '/"server".*ms=150/d' "$T/trace.out"
	calls_match
	rows 3
	tracefs_state | cmp - "$T/before"
}
