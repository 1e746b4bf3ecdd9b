#!/usr/bin/env bats
# delay_analysis_out: whose packets, which of them, and how they are shown.

bats_require_minimum_version 1.5.0

TOOL=delay_analysis_out
load ../helper
load ../delays

setup() {
	live_setup
}

teardown() {
	live_teardown
}

@test "processes: each sender's, and only one of them with -p" {
	far_end
	sink 10.9.0.2 7000
	to_far behind
	local pid sport
	pid=$(ready pid far) sport=$(ready sport far)
	trace_as mine "$BIN" --netns "$NS" --json -p "$pid"
	MINE=$TRACER
	trace_as other "$BIN" --netns "$NS" --json -p $$
	OTHER=$TRACER
	trace --json
	prepare_rr
	go rr
	go far
	closed
	stop
	# It ends as its process does.
	await_end "$MINE"
	stop INT "$OTHER"
	jq -es "map(select(.sport == $sport)) | length >= 5 and
		all(.pid == $pid and .comm == \"python3\")" "$T/trace.out"
	jq -es "map(select(.sport != $sport)) | length > 1000 and
		all(.pid != $pid)" "$T/trace.out"
	jq -es "length >= 5 and all(.sport == $sport)" "$T/mine.out"
	[ ! -s "$T/other.out" ]
}

@test "filters: ports, addresses, families, namespaces" {
	late recv --count 2
	local sport dport
	sport=$(ready sport) dport=$(ready dport)
	LOOK=()
	for look in "-sp $sport" "-dp $dport" "--sport $sport --dport $dport" \
		"-a 127.0.0.1 -sp $sport" "-a 127.0.0.0/8 -sp $sport" "-4 -sp$sport" "-46 -sp$sport"; do
		# shellcheck disable=SC2086 # several words
		trace_as "yes${#LOOK[@]}" "$BIN" --netns "$NS" --json $look
		LOOK+=("$TRACER")
	done
	NONE=()
	for look in "-sp 1" "-dp 1" "-a 127.0.0.2" "-a 10.0.0.0/8" \
		"-a ::/0" "-a 127.0.0.2/31" -6 "--netns /proc/$$/ns/net" "-d va"; do
		# shellcheck disable=SC2086
		trace_as "no${#NONE[@]}" "$BIN" --netns "$NS" --json $look
		NONE+=("$TRACER")
	done
	go late
	for i in "${!LOOK[@]}"; do
		stop INT "${LOOK[i]}"
		[ "$(jq -s 'map(select(.length > 0)) | length' "$T/yes$i.out")" = 2 ]
		jq -es "all(.sport == $sport and .dport == $dport)" "$T/yes$i.out"
	done
	for i in "${!NONE[@]}"; do
		stop INT "${NONE[i]}"
		[ ! -s "$T/no$i.out" ]
	done
}

@test "--min: only what took that long" {
	far_end
	queue tbf rate 2mbit burst 1600 limit 200000
	sink 10.9.0.2 7000
	to_far behind
	trace --json --min 50000
	go far
	closed
	stop
	jq -es 'length == 5 and all(.length == 100 and .total_us >= 50000)' "$T/trace.out"
	[ "$(of 'left out')" -ge 2 ]
}

@test "--summary and --hist: of all packets, by stage" {
	far_end
	queue tbf rate 2mbit burst 1600 limit 200000
	sink 10.9.0.2 7000
	to_far behind
	trace_as hist "$BIN" --netns "$NS" --hist --json
	HIST=$TRACER
	trace_as rows "$BIN" --netns "$NS" --json
	ROWS=$TRACER
	trace --summary -w -i 60
	go far
	closed
	stop
	stop INT "$HIST"
	stop INT "$ROWS"
	cat "$T/trace.out"
	n=$(wc -l <"$T/rows.out")
	awk '$2 == "TOTAL" || $2 == "QDisc" { print $3 }' "$T/trace.out" |
		sort -u | tee "$T/n"
	[ "$(<"$T/n")" = "$n" ]
	for stage in total qdisc driver; do
		[ "$(jq -s "map(select(.stage == \"$stage\") | .count) | add" "$T/hist.out")" = "$n" ]
	done
	# The longest is exact; the row of the same packet is another program's.
	awk -v most="$(jq -s 'map(.qdisc_us) | max' "$T/rows.out")" '
		$2 == "QDisc" { exit !($7 > most * 0.99 - 1000 && $7 < most * 1.01 + 1000) }' "$T/trace.out"
	[ "$(jq -s 'map(select(.stage == "qdisc" and .from_us >= 32768) | .count) | add' "$T/hist.out")" = \
		"$(jq -s 'map(select(.qdisc_us >= 32768)) | length' "$T/rows.out")" ]
}

@test "the connection of one's own session is left out, and named" {
	late recv --count 2
	SSH_CONNECTION="127.0.0.1 $(ready dport) 127.0.0.1 $(ready sport)" \
		trace_as own "$BIN" --netns "$NS" --json -sp "$(ready sport)"
	OWN=$TRACER
	trace --json -sp "$(ready sport)"
	go late
	closed
	stop
	stop INT "$OWN"
	grep -q "leaving out this session's connection, with 127.0.0.1:$(ready dport)\$" "$T/own.err"
	[ ! -s "$T/own.out" ]
	[ "$(jq -s 'map(select(.length > 0)) | length' "$T/trace.out")" = 2 ]
}

@test "a table: the columns of old, stages in microseconds" {
	late recv --count 2
	trace
	go late
	closed
	stop
	cat "$T/trace.out"
	head -n 1 "$T/trace.out" | grep -Eqx 'SADDR:SPORT +-> +NAT:PORT +-> +DADDR:DPORT +SEQ +ACK +TIME +TOTAL +QDisc +IP +TCP +DEV +RETRANS'
	tcp='-'
	! by_functions || tcp='[0-9]+\.[0-9]{3}'
	[ "$(grep -Ec "^127\.0\.0\.1:[0-9]+ +-> 127\.0\.0\.1:[0-9]+ +-> 127\.0\.0\.1:[0-9]+ +[0-9]+ +[0-9]+ +[0-9]{16}( +[0-9]+\.[0-9]{3}){3} +$tcp +lo +-\$" "$T/trace.out")" -ge 4 ]
	# The time is the time.
	awk -v now="$(date +%s)" 'NR > 1 && ($8 > now * 1e6 + 1e6 || $8 < now * 1e6 - 6e8) { exit 1 }' "$T/trace.out"
}

@test "-d: a device that is not there yet, which a note says" {
	trace --json -d va
	grep -qx "delay_analysis_out: no device 'va' in the network namespace '$NS': it may come later" "$T/trace.err"
	far_end
	sink 10.9.0.2 7000
	to_far block --bytes 1000
	trace_as there "$BIN" --netns "$NS" --json -d va
	THERE=$TRACER
	# In the tests' own there is none of that name; -q: no note.
	in_background here "$BIN" -v -d nb-none0 "${PLAN[@]}"
	HERE=$SPAWNED
	in_background lo "$BIN" -v -d lo "${PLAN[@]}"
	LO=$SPAWNED
	in_background quiet "$BIN" -q -c 1 -d nb-none0 -H -i 1 "${PLAN[@]}"
	QUIET=$SPAWNED
	for name in here lo; do
		eventually grep -q "tracing with plan" "$T/$name.err"
	done
	await_end "$QUIET"
	go far
	closed
	for pid in "$THERE" "$HERE" "$LO" "$TRACER"; do
		stop INT "$pid"
	done
	grep -qx "delay_analysis_out: no device 'nb-none0' in this network namespace: it may come later, or be in another" "$T/here.err"
	refute grep -q "no device" "$T/there.err" "$T/lo.err"
	[ ! -s "$T/quiet.err" ]
	for name in trace there; do
		jq -es 'map(.length) | add == 1000' "$T/$name.out"
	done
}

@test "nothing is left behind, not even by SIGKILL; 10 MB are enough" {
	prepare_rr
	trace --json
	note_objects
	go rr
	eventually test -s "$T/trace.out"
	hwm=$(status_of "$TRACER" VmHWM)
	echo "$hwm kB"
	[ "$hwm" -lt 10240 ]
	before=$(tracefs_state)
	kill -KILL "$TRACER"
	eventually objects_gone
	[ "$(tracefs_state)" = "$before" ]
}
