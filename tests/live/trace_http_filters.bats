#!/usr/bin/env bats
# trace_http: whose calls, and which.

TOOL=trace_http
load ../helper
load ../http

setup() {
	live_setup
	CLIENT=()
	serve "${PY[@]}" "$HTTP/server.py"
}

teardown() {
	live_teardown
}

# rows FILTER WANT: what jq makes of all rows.
rows() {
	only_ours
	jq -sc "$1" "$T/trace.out" | tee "$T/rows"
	[ "$(<"$T/rows")" = "$2" ]
}

# calls ARG... -- MS...: Python's client calls with that, under trace_http.
calls() {
	local args=()
	while [ "$1" != -- ]; do
		args+=("$1")
		shift
	done
	shift
	rm -f "$T/calls.go"
	py_client calls "${CLIENT[@]}" plain "$PORT" "$@"
	trace_http "${args[@]}"
	go calls
	stop
}

@test "-p: a script, a program, a beginning" {
	calls -p client.py -- 150
	rows 'map(.role)' '["client"]'
	calls -p python3 -- 150
	rows 'map(.role) | sort' '["client","server"]'
	calls -p serv -- 150
	rows 'map(.role)' '["server"]'
	calls -p erver -p nobody -- 150
	rows 'map(.role)' '[]'
}

@test "-p: a name longer than a comm" {
	cp "$ROOT/build/work/httpload" "$T/a-program-whose-name-is-long"
	trace_http -p a-program-whose-name-is-long
	in_ns "$T/a-program-whose-name-is-long" client "$PORT" 150 <<<go
	stop
	rows 'map([.role, .comm])' '[["client","a-program-whose"]]'
	trace_http -p a-program-whose-name-is-longer
	in_ns "$T/a-program-whose-name-is-long" client "$PORT" 150 <<<go
	stop
	rows length 0
}

@test "-p: a process that starts later, and a thread's name" {
	trace_http -p curl
	in_ns curl -s -o /dev/null "127.0.0.1:$PORT/slow?ms=150"
	stop
	rows 'map(.comm)' '["curl"]'
}

@test "-p: nobody of that name is said" {
	trace_http -p no-such-name
	stop
	grep -Eq "^trace_http: .*no-such-name" "$T/trace.err"
}

@test "--pid" {
	calls --pid "$SERVER" -- 150
	rows "map([.role, .pid])" "[[\"server\",$SERVER]]"
}

@test "--pid of nobody" {
	run --separate-stderr timeout 20 "$BIN" --pid 4194303 -o "$T"
	[ "$status" = 1 ]
	[ "${#stderr_lines[@]}" = 1 ]
	[[ $stderr == *4194303* ]]
}

@test "--client and --server" {
	calls --client -p python3 -- 150
	rows 'map(.role)' '["client"]'
	calls --server -p python3 -- 150
	rows 'map(.role)' '["server"]'
}

@test "--status" {
	CLIENT=(--path /fail)
	calls -p client.py --status 5xx -- 150
	rows 'map(.status)' '[503]'
	CLIENT=()
	calls -p client.py --status 5xx -- 150
	rows length 0
	calls -p client.py --status 200,404 -- 150
	rows length 1
}

@test "--path" {
	calls -p client.py --path '/slow?ms=15*' -- 150 160
	rows 'map(.path)' '["/slow?ms=150"]'
	calls -p client.py --path '/fast*' -- 150
	rows length 0
}

@test "--min-size" {
	calls -p client.py --min-size 500 -- 150
	rows length 1
	calls -p client.py --min-size 100000 -- 150
	rows length 0
}

@test "-t" {
	calls -p client.py -t 200 -- 150 250 0
	rows 'map(.path)' '["/slow?ms=250"]'
}

@test "-c" {
	py_client calls plain "$PORT" 150 160 170
	trace_http --pid "${LOAD_PID[calls]}" -c 2
	go calls
	await_end "$TRACER"
	rows 'map(.path)' '["/slow?ms=150","/slow?ms=160"]'
}
