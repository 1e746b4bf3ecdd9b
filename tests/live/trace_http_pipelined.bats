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
	PIPELINED=true
	THRESHOLD=100
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
	trace_both -t "$THRESHOLD"
	go calls
	stop_all
	calls_match --threshold "$THRESHOLD"
	[ "$(wc -l <"$T/trace.out")" = "$rows" ]
	jq -se --argjson want "$PIPELINED" 'all(.pipelined == $want)' \
		"$T/trace.out"
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

# The first request is not over when its first piece is, and what is left of it
# comes with the next one; and again, as that is to be forgotten afterwards.
two_pieces() {
	THRESHOLD=$((100 * NB_SLOW)) # what is not slowed down is in time
	burst 4 --times 2 --pause 20 --cut "$2" -- "$1:0" \
		"slow:$((120 * NB_SLOW))"
	THRESHOLD=100
}

@test "a request behind the tail of the one before, in one piece" {
	two_pieces post 0:-20
	two_pieces put 0:head
	two_pieces slow 0:50
}

more_tails() {
	local cut
	for cut in 0:head 0:50 0:3; do
		two_pieces post "$cut"
	done
	for cut in 0:-20 0:50 0:3; do
		two_pieces put "$cut"
	done
	# More than two pieces, the last one of two requests and a half.
	burst 9 --pause 20 --cut 0:-400 --cut 0:-300 --cut 0:-20 --cut 3:-30 \
		-- put:200 slow:0 fake:0 post:0 slow:0
	# Alone, several in turn.
	PIPELINED=false
	burst 4 --pause 20 --times 2 --cut 0:-30 -- post:120
	burst 4 --pause 20 --times 2 --cut 0:100 --cut 0:-600 -- put:120
}

# A megabyte is more than TCP takes at once; what is in it looks like requests.
@test "a body of which each send is cut short, and a request behind it" {
	burst 4 --nonblock --times 2 --cut 0:-100 -- big:0 slow:120
	burst 4 --nonblock --times 2 --cut 1:0 -- big:0 slow:120
	PIPELINED=false
	burst 4 --nonblock --times 2 -- big:120
}

@test "the tails of heads, bodies and chunks" {
	more_tails
}

@test "the same, and TLS" {
	with_tls
	more_tails
}

# A megabyte takes slow machines more than 100 ms.
@test "a long body over TLS, and a request behind it" {
	with_tls
	THRESHOLD=300
	burst 4 --times 2 -- big:0 slow:350
	PIPELINED=false
	burst 4 --times 2 -- big:350
}

@test "the same, of which libssl takes a part each time" {
	with_tls
	export PARTIAL=SSL_write
	THRESHOLD=300
	burst 4 --times 2 --cut 0:-100 -- big:0 slow:350
	PIPELINED=false
	burst 4 --times 2 -- big:350
}

# pieces NAME...: in each scenario of these (tests/http/pieces.py) all calls are
# told once, with their bytes, where these are known.
pieces() {
	local name
	for name; do
		rm -f "$T/calls.go"
		client calls "${PY[@]}" "$HTTP/pieces.py" "$name"
		SERVER=${LOAD_PID[calls]}
		trace_http --pid "$SERVER"
		go calls
		stop
		jq -c 'select(type == "array") |
			if .[3] == null then .[:3] else . end' "$T/calls.truth" |
			sort >"$T/want"
		jq -c --argjson sized "$(grep -c '[0-9]]$' "$T/want" || :)" '
			[.role, .method, .path, .rx_bytes, .tx_bytes] |
			if $sized == 0 then .[:3] else . end' "$T/trace.out" |
			sort >"$T/got"
		diff "$T/want" "$T/got"
		refute grep 'not followed' "$T/trace.err"
	done
}

@test "answers to a request in two pieces, of any form" {
	pieces newlines dropped padded tunnel no_http
}

@test "early answers, and what is left of their requests" {
	pieces early early_tail some_tail expected
}

@test "requests that are late before they are all there" {
	pieces late_parts
}

@test "what TCP takes in parts is told once" {
	pieces fragments refused
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
