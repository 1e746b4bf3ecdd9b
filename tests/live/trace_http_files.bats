#!/usr/bin/env bats
# trace_http: the files it leaves, and what it prints.

TOOL=trace_http
load ../helper
load ../http

setup() {
	live_setup
	CLIENT=()
	DIR=$T/out
	mkdir "$DIR"
}

teardown() {
	live_teardown
}

# record DIR ARG...: the calls of these delays ($DELAYS), with files there.
record() {
	local dir=$1
	shift
	rm -f "$T/calls.go"
	serve "${PY[@]}" "$HTTP/server.py"
	# shellcheck disable=SC2086 # a list of words
	py_client calls "${CLIENT[@]}" plain "$PORT" $DELAYS
	trace_as trace "$BIN" -o "$dir" --pid "$SERVER" \
		--pid "${LOAD_PID[calls]}" "$@"
	go calls
	stop
	kill "$SERVER"
}

# speedscope FILE: it is as the format has it, of as many us as stacks.folded.
speedscope() {
	jq -e --argjson us "$(awk '{ sum += $NF } END { print sum + 0 }' \
		"$DIR/stacks.folded")" '
		(.shared.frames | length) as $frames |
		."$schema" == "https://www.speedscope.app/file-format-schema.json"
		and (.shared.frames | all((.name | type == "string") and
			(.file // "" | type == "string") and
			(.line // 1 | type == "number")))
		and (.profiles | length > 0 and all(.type == "sampled" and
			.unit == "microseconds" and (.name | length > 0) and
			(.samples | length) == (.weights | length) and
			(.samples | flatten | all(. >= 0 and . < $frames)) and
			(.weights | add) == .endValue - .startValue))
		and ([.profiles[].weights | add] | add == $us)' "$1"
}

@test "the text of each call, on standard output and in stack_traces.txt" {
	DELAYS="150 0" record "$DIR" --client -p nobody -p "no one"
	cat "$T/trace.out"
	grep -q '^Tracing\.\.\. Hit Ctrl-C to end\. (Duration threshold: 100 ms)$' \
		"$T/trace.out"
	grep -q '^Process filters: nobody, no one$' "$T/trace.out"
	sed -n '/^PID/,$p' "$T/trace.out" >"$T/text"
	sed -n '/^PID/,$p' "$DIR/stack_traces.txt" | diff "$T/text" -
	local ms='15[0-9]'
	[ "$NB_SLOW" = 1 ] || ms='(1[5-9]|[2-9][0-9])[0-9]'
	sed -E "s/\\b$ms\\.[0-9]{2}\\b/15N/g; s/Size: [0-9]+/Size: N/" "$T/text" |
		sed '/^Stack trace:/,$d' | diff - <(cat <<-END
		PID: ${LOAD_PID[calls]}, Comm: python3, Stack ID: 1
		Duration: 15N ms, Size: N bytes
		Src IP: 127.0.0.1, Dst IP: 127.0.0.1, Dst Port: $PORT
		Role: client, Method: GET, Path: /slow?ms=150, Status: 200, First byte: 15N ms, Total: 15N ms
	END
	)
	[ "$(grep -c '^    [^ ]' "$T/text")" -ge 1 ]
	[ "$(sed '1,/^Stack trace:/d' "$T/text" | grep -vc '^    [^ ]')" = 0 ]
}

@test "files are those of one run" {
	DELAYS="150" record "$DIR" --speedscope x.json
	[ -s "$DIR/stacks.folded" ]
	speedscope "$DIR/x.json"
	DELAYS="0" record "$DIR" --speedscope x.json
	[ ! -s "$DIR/stacks.folded" ]
	[ ! -s "$DIR/stack_traces.txt" ]
	[ "$(jq '.profiles | length' "$DIR/x.json")" = 0 ]
	[ "$(find "$DIR" -type f | wc -l)" = 3 ]
	[ "$(stat -c %a "$DIR"/* | sort -u)" = 644 ]
}

@test "folded stacks are whole microseconds, each stack once" {
	DELAYS="150 150 150 0 120" record "$DIR"
	cat "$DIR/stacks.folded"
	[ -s "$DIR/stacks.folded" ]
	refute grep -Evq '^[^;]+(;[^;]+)+ [1-9][0-9]*$' "$DIR/stacks.folded"
	[ -z "$(sed 's/ [0-9]*$//' "$DIR/stacks.folded" | sort | uniq -d)" ]
}

@test "speedscope: a profile for each role and process" {
	DELAYS="150 0 120" record "$DIR" --speedscope "$T/other.json"
	speedscope "$T/other.json"
	jq -e --arg client "client python3 ${LOAD_PID[calls]}" \
		--arg server "server python3 $SERVER" '
		(.profiles | map(.name)) == [$client, $server] and
		any(.shared.frames[]; .name == "slow_database_query" and
			.line == 11 and (.file | endswith("/server.py")))' \
		"$T/other.json"
}

# As many calls are in stacks.folded as were told.
all_folded() {
	[ "$(grep -c '^PID' "$DIR/stack_traces.txt")" = 2 ] &&
		[ "$(grep -c 'make_call' "$DIR/stacks.folded")" -ge 1 ] &&
		[ "$(awk '/make_call/ { sum += $NF } END { print sum + 0 }' \
			"$DIR/stacks.folded")" -gt 300000 ]
}

@test "who is killed loses nothing that is a second old" {
	serve "${PY[@]}" "$HTTP/server.py"
	py_client calls plain "$PORT" 150 160
	trace_as trace "$BIN" -o "$DIR" --client --pid "$SERVER" \
		--pid "${LOAD_PID[calls]}"
	go calls
	eventually all_folded
	kill -KILL "$TRACER"
	all_folded
	[ "$(find "$DIR" -type f | wc -l)" = 2 ]
}

# fails REGEX ARG...: the command ends at once, and says why in one line.
fails() {
	local regex=$1
	shift
	run --separate-stderr timeout 20 "$BIN" "$@"
	echo "$status: $stderr"
	[ "$status" = 1 ]
	[ -z "$output" ]
	[ "${#stderr_lines[@]}" = 1 ]
	[[ $stderr =~ $regex ]]
}

@test "a directory that is none, or cannot be written" {
	fails "^trace_http: cannot write to '$T/none': No such file" -o "$T/none"
	: >"$T/file"
	fails "^trace_http: cannot write to '$T/file': Not a directory" \
		-o "$T/file"
	fails "^trace_http: cannot write 'stack_traces.txt' in '/proc': " -o /proc
	fails "^trace_http: cannot write 'none/x.json' in '$DIR': No such file" \
		-o "$DIR" --speedscope none/x.json
}

@test "links, and what is no file, are left as they are" {
	local name
	for name in stack_traces.txt stacks.folded x.json; do
		ln -s "$T/target" "$DIR/$name"
		fails "^trace_http: cannot write '$name' in '$DIR': it is there and no regular file" \
			-o "$DIR" --speedscope x.json
		[ ! -e "$T/target" ]
		rm "$DIR/$name"
	done
	rm "$DIR"/*
	mkfifo "$DIR/stacks.folded"
	fails "no regular file" -o "$DIR"
	[ -p "$DIR/stacks.folded" ]
	fails "no regular file" -o "$T" --speedscope /dev/null
	[ -c /dev/null ]
}

@test "a file that has another name too" {
	echo mine >"$T/mine"
	ln "$T/mine" "$DIR/stack_traces.txt"
	ln "$T/mine" "$DIR/stacks.folded"
	DELAYS="150" record "$DIR"
	[ "$(<"$T/mine")" = mine ]
	grep -q make_call "$DIR/stacks.folded"
}

@test "somebody else's directory" {
	chown nobody "$DIR"
	chmod 755 "$DIR"
	DELAYS="150" record "$DIR"
	grep -q make_call "$DIR/stacks.folded"
	grep -q make_call "$DIR/stack_traces.txt"
}

@test "a full disk ends it, with one message, and what there was remains" {
	MOUNTS+=("$DIR")
	mount -t tmpfs -o size=16k none "$DIR"
	serve "${PY[@]}" "$HTTP/server.py"
	py_client calls threads "$PORT" 150
	# shellcheck disable=SC2046 # a list of words
	py_client more threads "$PORT" $(seq 150 2 250)
	trace_as trace "$BIN" -o "$DIR" --pid "${LOAD_PID[calls]}" \
		--pid "${LOAD_PID[more]}"
	go calls
	folded() {
		[ -s "$DIR/stacks.folded" ]
	}
	eventually folded
	go more
	eventually ended "$TRACER"
	run wait "$TRACER"
	cat "$T/trace.err"
	[ "$(grep -c '^trace_http: cannot write .*No space left' "$T/trace.err")" = 1 ]
	grep -q make_call "$DIR/stacks.folded"
	refute grep -Evq '^[^;]+(;[^;]+)+ [1-9][0-9]*$' "$DIR/stacks.folded"
	[ "$(find "$DIR" -type f | wc -l)" = 2 ]
}

@test "a flame graph" {
	DELAYS="150 0" record "$DIR" --svg graph.svg
	python3 -IS -c '
import sys, xml.dom.minidom
xml.dom.minidom.parse(sys.argv[1])' "$DIR/graph.svg"
	grep -q 'slow_database_query (server.py:11)' "$DIR/graph.svg"
}

@test "a flame graph where there is no program for it" {
	serve "${PY[@]}" "$HTTP/server.py"
	py_client calls plain "$PORT" 150
	# shellcheck disable=SC2016 # for the other shell
	trace_as trace unshare -m sh -c 'mount -t tmpfs none \
		/usr/share/perl5/Devel/NYTProf && exec "$@"' sh \
		"$BIN" -o "$DIR" --svg graph.svg --pid "${LOAD_PID[calls]}"
	go calls
	stop
	cat "$T/trace.err"
	grep -q 'libdevel-nytprof-perl.*flamegraph.pl.*stacks.folded >' "$T/trace.err"
	[ ! -e "$DIR/graph.svg" ]
	grep -q make_call "$DIR/stacks.folded"
}

@test "no call, no flame graph" {
	DELAYS="0" record "$DIR" --svg graph.svg
	[ ! -e "$DIR/graph.svg" ]
}
