#!/usr/bin/env bats
# trace_http: where a call was made, and where its server spent the time.

TOOL=trace_http
load ../helper
load ../http

setup() {
	live_setup
	CLIENT=()
}

teardown() {
	live_teardown
}

# This machine's Python, which may be another than Debian's.
others_python() {
	local python
	python=$(python3 -c 'import os, sys
print(os.path.realpath(sys.executable))')
	echo "# the other Python: $python"
	PY=("$python" -IS)
}

# The names are in each stack, leaf first, in that order, maybe with others in
# between, and a class before them.
# stacks_have ROLE NAME...: of all rows of that role.
stacks_have() {
	jq -c 'select(.role == $role) | .stack' --arg role "$1" "$T/trace.out" |
		tee "$T/stacks"
	jq -se '
		def has_all($names): reduce .[] as $frame ($names;
			if length > 0 and (.[0] as $name | $frame |
				startswith($name) or contains("." + $name))
			then .[1:] else . end) == [];
		length > 0 and all(has_all($ARGS.positional))' "$T/stacks" \
		--args "${@:2}"
}

# folded_us REGEX: microseconds of the stacks that match; root first.
folded_us() {
	cat "$T/stacks.folded"
	FOLDED=$(awk -v regex="$1" '
		$0 ~ regex { sum += $NF }
		END { print sum + 0 }' "$T/stacks.folded")
	echo "$FOLDED us: $1"
}

# between LEAST MOST, of $FOLDED in ms.
between() {
	[ "$FOLDED" -ge $(($1 * 1000)) ]
	[ "$FOLDED" -le $(($2 * 1000 * NB_SLOW)) ]
}

# latency_us ROLE: what those calls took until the first byte, in all.
latency_us() {
	jq -s --arg role "$1" 'map(select(.role == $role) | .latency_us) |
		add | floor' "$T/trace.out"
}

# most_us ROLE: and what is known of where they waited has no more than that. On
# a slow machine a sample, which counts as 10.1 ms, may hit the way into the wait
# and out of it, too.
most_us() {
	local us
	us=$(latency_us "$1")
	[ "$NB_SLOW" = 1 ] || us=$((us + 2 * 10102))
	echo "$us"
}

# The first frame of Python's in each part of what was waited is that, and there
# are N such parts.
waited_in() {
	grep -A 40 '^Waited: ' "$T/stack_traces.txt"
	[ "$(awk '/^Waited: [0-9][0-9][0-9]/ { look = 1; next } /^[^ ]/ { look = 0 }
		look && /\.py:[0-9]+\)$/ { print; look = 0 }' \
		"$T/stack_traces.txt" | sort | uniq -c |
		sed 's/^ *//')" = "$1     $2" ]
}

python_calls() {
	CLIENT=(--host 127.0.0.1)
	run_calls plain 150 250 0
	stacks_have client "sendall (stamped.py:" "make_call (client.py:" \
		"plain (client.py:" "main (client.py:" "<module> (client.py:"
	stacks_have server "sendall (stamped.py:" "answer (server.py:" \
		"get_slow (server.py:" "do_GET (server.py:"
	waited_in 2 "slow_database_query (server.py:11)"
	folded_us 'get_slow \(server\.py:[0-9]+\);slow_database_query \(server\.py:11\)[; ]'
	[ "$FOLDED" -ge 398000 ]
	[ "$FOLDED" -le "$(most_us server)" ]
	folded_us '^[^;]+;.*<module> \(client\.py:.*;make_call \(client\.py:'
	[ "$FOLDED" -ge 400000 ]
	[ "$((FOLDED - $(latency_us client)))" -le 10 ]
}

@test "Debian's Python" {
	python_calls
}

@test "another Python" {
	others_python
	python_calls
}

@test "Python that computes" {
	CLIENT=(--path /work)
	run_calls plain 300 0
	folded_us 'get_work \(server\.py:[0-9]+\);hard_work \(server\.py:1[67]\)[; ]'
	between 200 400
}

# To one sample in ten milliseconds, and that of the time on a processor.
@test "what is waited and what is computed is all of a call" {
	CLIENT=(--path /both)
	run_calls plain 200 0
	folded_us 'get_both \(server\.py:[0-9]+\);slow_database_query \(server\.py:11\)[; ]'
	between 199 210
	folded_us 'get_both \(server\.py:[0-9]+\);hard_work \(server\.py:1[67]\)[; ]'
	between 170 230
	folded_us 'get_both \(server\.py:'
	[ "$FOLDED" -ge $(($(latency_us server) * 85 / 100)) ]
	[ "$FOLDED" -le $(($(latency_us server) * 115 / 100)) ]
	grep '^Computed: .* ms, stack trace:$' "$T/stack_traces.txt"
}

# waits_in FRAME MS: how many parts of what was waited, of at least that long,
# have a frame that begins so as their first one of Python's.
waits_in() {
	awk -v frame="    $1" -v ms="$2" '
		/^Waited: / { look = $2 + 0 >= ms; next } /^[^ ]/ { look = 0 }
		look && /\.py:[0-9]+\)$/ { n += index($0, frame) == 1; look = 0 }
		END { print n + 0 }' "$T/stack_traces.txt"
}

# One that was not seen to end would go on to the end of the next one. That is
# of one call in fifty where PID 1's threads run now and then, if those are shown
# to nobody as they stop running. (A wait that ends just then is not known.)
@test "no wait goes on to the end of the next one" {
	local calls=$((100 / NB_SLOW)) waits
	serve "${PY[@]}" "$HTTP/server.py"
	# shellcheck disable=SC2046 # words
	py_client calls --path /early plain "$PORT" $(yes 40 | head -n "$calls")
	trace_both -t 30
	go calls
	stop_all
	waits=$(waits_in "slow_database_query (server.py:11)" 39)
	echo "$waits waits in $calls calls"
	[ "$waits" -ge $((calls * 95 / 100)) ]
	[ "$waits" -le "$calls" ]
	[ "$(waits_in "hard_work (" 35)" = 0 ]
}

# Where the kernel takes the processor from a thread as it goes back to user
# space, it does so in the same way as when the thread waits of itself.
@test "a thread that has to leave the processor to another does not wait" {
	local cpu hog
	cpu=$(taskset -pc $$ | sed 's/.*: //; s/[-,].*//')
	serve taskset -c "$cpu" "$ROOT/build/work/httpload" server
	trace_http --pid "$SERVER" -t 20
	in_background hog timeout $((60 * NB_SLOW)) taskset -c "$cpu" \
		sh -c 'while :; do :; done'
	hog=$SPAWNED
	for _ in 1 2 3; do
		in_ns curl -s -o /dev/null \
			"127.0.0.1:$PORT/work?ms=$((200 * NB_SLOW))"
	done
	in_ns curl -s -o /dev/null "127.0.0.1:$PORT/slow?ms=$((100 * NB_SLOW))"
	stop
	kill "$hog"
	cat "$T/stack_traces.txt"
	# Half of the time or more was the other's.
	[ "$(latency_us server)" -ge $((1200000 * NB_SLOW)) ]
	[ "$(grep -c '^Waited: ' "$T/stack_traces.txt")" = 1 ]
	grep -A 5 '^Waited: ' "$T/stack_traces.txt" | grep slow_query
	[ "$(sed -n 's/^Waited: \([0-9]*\).*/\1/p' "$T/stack_traces.txt")" \
		-ge $((99 * NB_SLOW)) ]
}

@test "what a call computes before it is late" {
	CLIENT=(--path /early)
	run_calls plain 120 120 120 120 120 120 120 120 120 120
	folded_us 'get_early \(server\.py:[0-9]+\);hard_work \(server\.py:1[67]\)[; ]'
	between 150 250
}

@test "nothing is sampled of clients, and of calls in time nothing is kept" {
	serve "${PY[@]}" "$HTTP/server.py"
	py_client calls --path /work plain "$PORT" 60 60 60
	trace_both -t $((100 * NB_SLOW))
	go calls
	stop_all
	[ ! -s "$T/trace.out" ]
	[ ! -s "$T/stacks.folded" ]
	refute grep -E 'lost|no room' "$T/trace.err"
	rm "$T/calls.go"
	: >"$TRUTH"
	serve "${PY[@]}" "$HTTP/server.py"
	py_client calls --path /work plain "$PORT" 150
	trace_both --client
	go calls
	stop_all
	[ "$(wc -l <"$T/trace.out")" = 1 ]
	refute grep '^Computed: ' "$T/stack_traces.txt"
}

@test "asyncio: whose calls wait in nobody's thread" {
	serve "${PY[@]}" "$HTTP/aserver.py"
	client calls "${PY[@]}" "$HTTP/aclient.py" "$PORT" 2 300 110
	trace_both
	go calls
	stop_all
	stacks_have client "send (stamped.py:" "make_calls (aclient.py:" \
		"<module> (aclient.py:"
	stacks_have server "send (stamped.py:" "serve (aserver.py:"
}

# c_calls PROGRAM
c_calls() {
	serve "$ROOT/build/work/$1" server
	client calls "$ROOT/build/work/$1" client "$PORT" 150 0 250
	trace_both
	go calls
	stop_all
	calls_match
	stacks_have client "send_request" "make_call" "main"
	stacks_have server "handle_request" "serve_connection" "main"
	folded_us "^$1;(.*;)?main[^;]*;(.*;)?serve_connection[^;]*;handle_request[^;]*;slow_query"
	[ "$FOLDED" -ge 398000 ]
	[ "$FOLDED" -le "$(most_us server)" ]
	folded_us "^$1;(.*;)?main[^;]*;(.*;)?make_call[^;]*;send_request"
	[ "$FOLDED" -ge 400000 ]
	[ "$((FOLDED - $(latency_us client)))" -le 10 ]
}

@test "C with frame pointers" {
	c_calls httpload
}

@test "C without frame pointers" {
	c_calls httpload_nofp
}

@test "node, with a map of its code" {
	serve env -C "$T" node --perf-basic-prof "$HTTP/server.js"
	client calls node "$HTTP/client.js" "$PORT" 150 0
	trace_http --pid "$SERVER" --server
	go calls
	stop_all
	folded_us 'slowDatabaseQuery'
	between 0 0
	# It waits in no thread; but where it computes is known, once that is
	# code of its own.
	rm "$T/calls.go"
	serve env -C "$T" node --perf-basic-prof "$HTTP/server.js"
	trace_http --pid "$SERVER" --server
	in_ns curl -s -o /dev/null "127.0.0.1:$PORT/work?ms=$((300 * NB_SLOW))"
	stop
	folded_us 'slowDatabaseQuery'
	between 200 400
	rm -f "/tmp/perf-$SERVER.map"
}

@test "Java, with a map of its code" {
	javac -d "$T" "$HTTP/Server.java"
	# What is compiled when it is first called is in the map then.
	serve env -C "$T" java -XX:+PreserveFramePointer -Xcomp \
		-XX:TieredStopAtLevel=1 -XX:CompileCommand=quiet \
		-XX:CompileCommand=compileonly,Server::* \
		-XX:CompileCommand=dontinline,Server::* Server
	in_ns curl -s -o /dev/null "127.0.0.1:$PORT/first?ms=0"
	jcmd "$SERVER" Compiler.perfmap
	trace_http --pid "$SERVER" --server
	in_ns curl -s -o /dev/null "127.0.0.1:$PORT/slow?ms=150"
	stop
	rm -f "/tmp/perf-$SERVER.map"
	jq -se 'length == 1 and .[0].path == "/slow?ms=150"' "$T/trace.out"
	stacks_have server "void Server.answer("
	folded_us ';void Server\.answer\([^;]*;void Server\.slowDatabaseQuery\(long\)[; ]'
	[ "$FOLDED" -ge 149000 ]
	[ "$FOLDED" -le "$(most_us server)" ]
}

@test "a process that has ended when its calls are shown" {
	serve "${PY[@]}" "$HTTP/server.py"
	trace_http -p httpload_nofp
	in_ns "$ROOT/build/work/httpload_nofp" client "$PORT" 150 <<<go
	stop
	only_ours
	stacks_have client "send_request" "make_call" "main"
}

@test "another mount namespace, where files have other names" {
	mkdir "$T/root"
	# shellcheck disable=SC2016 # for the other shell
	serve unshare -m sh -c 'mount --bind "$1" "$2" &&
		mount -t tmpfs none "$3" && exec "$2/httpload_nofp" server' sh \
		"$ROOT/build/work" /mnt "$ROOT/build"
	trace_http --pid "$SERVER"
	in_ns curl -s -o /dev/null "127.0.0.1:$PORT/slow?ms=150"
	stop
	stacks_have server "handle_request" "serve_connection" "main"
}

@test "no frame is without a name, and what was lost is said" {
	CLIENT=(--host 127.0.0.1)
	run_calls plain 150 0 120
	jq -se 'all(.stack | length > 0 and all(length > 0))' "$T/trace.out"
	refute grep -Ei 'lost|not followed|not read' "$T/trace.err"
}
