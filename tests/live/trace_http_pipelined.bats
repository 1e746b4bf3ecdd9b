#!/usr/bin/env bats
# trace_http: pipelined calls, several in one piece, each once and as late as it
# was; without TLS and with it.

TOOL=trace_http
load ../helper
load ../http

setup() {
	live_setup
	unset TLS
	LATE=()
}

teardown() {
	live_teardown
}

with_tls() {
	export TLS=$T/tls.pem
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-subj /CN=test -days 1 -keyout "$T/key" -out "$T/cert" 2>/dev/null
	cat "$T/key" "$T/cert" >"$TLS"
	LATE=(--late)
}

# burst ROWS [OPTION]... -- MS...: so many of these calls are late.
burst() {
	local rows=$1 options=()
	shift
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	: >"$TRUTH"
	rm -f "$T/calls.go"
	serve "${PY[@]}" "$HTTP/burst.py" server
	client calls "${PY[@]}" "$HTTP/burst.py" "${LATE[@]}" "${options[@]}" \
		client "$PORT" "$@"
	trace_both
	go calls
	stop_all
	calls_match
	[ "$(wc -l <"$T/trace.out")" = "$rows" ]
	jq -se 'all(.pipelined)' "$T/trace.out"
	refute grep 'not followed' "$T/trace.err"
}

@test "all at once, and answered at once" {
	burst 16 -- 150 0 0 0 0 0 0 0
	with_tls
	burst 16 -- 150 0 0 0 0 0 0 0
}

both_ways() {
	# Of each piece some are in time.
	burst 10 -- 0 0 30 0 0 110 0 0 120 0
	# Answers of the second piece are longer than what is read at once.
	burst 32 -- 120 0 0 0 0 0 0 0 20 0 0 0 0 0 0 0
	# Requests in several pieces, of which the server looks at the first, and
	# at the others when it has answered that.
	burst 11 --parts 3 --pause 20 -- 150 0 0 0 0 0 0 0
	# Answers cut anywhere.
	burst 16 --read 7 -- 150 0 0 0 0 0 0 0
	burst 16 --read 300 -- 150 0 0 0 0 0 0 0
}

@test "several requests in one send, answers in one receive" {
	both_ways
}

@test "the same over TLS" {
	with_tls
	both_ways
}

# What is more than a piece may have is missing, and said. What else was told is
# true, and other connections are traced as ever.
too_many() {
	local ms=150 i
	for i in {2..40}; do
		ms+=" 0"
	done
	serve "${PY[@]}" "$HTTP/burst.py" server
	# shellcheck disable=SC2086 # words
	client calls "${PY[@]}" "$HTTP/burst.py" "${LATE[@]}" client "$PORT" $ms
	client after "${PY[@]}" "$HTTP/burst.py" "${LATE[@]}" client "$PORT" \
		150 0 0
	trace_both --pid "${LOAD_PID[after]}"
	go calls
	go after
	stop_all
	calls_match >"$T/differs" || :
	refute grep -Ev '^missing: |^[0-9]+ calls, ' "$T/differs"
	grep -E '[1-9][0-9]* pipelined calls not followed' "$T/trace.err"
	jq -se --argjson pid "${LOAD_PID[after]}" '
		map(select(.pid == $pid)) as $mine |
		map(select(.role == "server" and .sport == $mine[0].sport)) |
		length == 3 and ($mine | length) == 3' "$T/trace.out"
}

@test "more in one piece than is followed" {
	too_many
}

@test "the same, over TLS" {
	with_tls
	too_many
}
