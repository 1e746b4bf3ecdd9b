#!/usr/bin/env bats
# What tcp_inerrs shows, of what, and how it ends.

bats_require_minimum_version 1.5.0

TOOL=tcp_inerrs
load ../helper
load ../badtcp
LOAD=$ROOT/build/work/badtcp

setup() {
	live_setup
}

teardown() {
	live_teardown
}

# A number or word of the truth's first row.
due() {
	sed -n "2s/.*\"$2\":\"*\([^,\"}]*\).*/\1/p" "$T/$1.truth"
}

lines() {
	wc -l <"$T/trace.out"
}

@test "a table: the columns of old, the packet's own source first" {
	prepare load seq-high --count 3
	trace
	let_go load
	stop
	cat "$T/trace.out"
	[ "$(lines)" = 4 ]
	head -n 1 "$T/trace.out" | grep -Eqx \
		'TIME      PID     COMM         IP SADDR:SPORT              > DADDR:DPORT              REASON               STATE'
	[ "$(sed 1d "$T/trace.out" | grep -Ecx "[0-9:]{8}  $(ready load server) +badserver +4  127\.0\.0\.1:$(due load sport) +> 127\.0\.0\.2:$(due load dport) +TCP_INVALID_SEQUENCE ESTABLISHED")" = 3 ]
	over load
}

@test "-T, IPv6: columns stay in their places" {
	prepare load seq-high --count 3 --ip 6
	trace -T
	let_go load
	stop
	cat "$T/trace.out"
	[ "$(grep -Ec "^[0-9:]{8}\.[0-9]{6} $(ready load server) +badserver +6  \[::1\]:$(due load sport) +> \[$OTHER6\]:$(due load dport) " "$T/trace.out")" = 3 ]
	[ "$(lines)" = 4 ]
	[ "$(awk '{ print index($0, " > ") }' "$T/trace.out" | sort -u | wc -l)" = 1 ]
	over load
}

@test "JSON: the packet's flags, number and length, and null for what is not known" {
	prepare load ack-future --count 2
	prepare reset rst --count 2
	trace --json
	let_go load
	let_go reset
	stop
	[ "$(jq -s '[.[] | select(.reason == "TCP_ACK_UNSENT_DATA" and .flags == "." and .length == 0 and (.seq | type) == "number" and .stack == null)] | length' "$T/trace.out")" = 2 ]
	[ "$(jq -s '[.[] | select(.reason == "RESET_RECEIVED" and .flags == null and .seq == null and .length == null)] | length' "$T/trace.out")" = 2 ]
	[ "$(jq -r .time "$T/trace.out" | grep -Ecx '[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}Z')" = 4 ]
	[ "$(jq -s --argjson ns "$(stat -Lc %i "/run/netns/$NS")" '[.[] | select(.netns == $ns)] | length' "$T/trace.out")" = 4 ]
	over load
	over reset
}

@test "--stack: from the drop to where the packet came from" {
	prepare load seq-high --count 2
	trace --stack --json
	let_go load
	stop
	[ "$(jq -r .stack "$T/trace.out" | grep -Ec '^[a-z_]*(kfree_skb|skb_reason)[a-z_]*\+0x[0-9a-f]+;.*;tcp_v4_do_rcv\+0x[0-9a-f]+;tcp_v4_rcv\+')" = 2 ]
	over load
	rm "$T/load.go"
	prepare load seq-high --count 2
	trace --stack
	let_go load
	stop
	# A frame a line, below its row.
	[ "$(grep -Ec '^        tcp_v4_rcv\+0x' "$T/trace.out")" = 2 ]
	over load
}

@test "-q: no header, no notes, no more than rows" {
	prepare load csum --count 3
	trace -c 3
	BIN_PID=$TRACER
	in_background quiet "$BIN" --netns "$NS" -q -c 3 "${PLAN[@]}"
	QUIET=$SPAWNED
	eventually has_programs "$QUIET"
	let_go load
	await_end "$BIN_PID"
	await_end "$QUIET"
	[ "$(wc -l <"$T/quiet.out")" = 3 ]
	[ ! -s "$T/quiet.err" ]
	over load
}

# It is quiet about that, too: its programs are there, and have been let go.
has_programs() {
	local id
	for id in $(maps_of "$1"); do
		bpftool -j map dump id "$id" 2>/dev/null |
			jq -e '.[0].value[24]? == "0x01"' >/dev/null && return
	done
	return 1
}

@test "filters: reasons, ports, families, processes, namespaces" {
	local args
	prepare one csum-large --count 3
	prepare two seq-high --count 4
	prepare six paws --count 5 --ip 6
	trace_as all "$BIN" --netns "$NS" --json
	ALL=$TRACER
	while read -r name args; do
		read -ra args <<<"$args"
		trace_as "$name" "$BIN" --json "${args[@]}"
		NAMED+=("$name:$TRACER")
	done <<-END
		reason -n $NS -R csum,minttl
		reasons -n $NS -R TCP_CSUM -R tcp_rfc7323_paws
		port -P 1,$(port_of two server)
		dport -D $(port_of two client),$(port_of six client)
		four -n $NS -4
		six6 -n $NS -6
		both46 -n $NS -4 -6
		pid -p $(ready one server)
		none -n $NS -R time_wait
		elsewhere -n /proc/$$/ns/net -R csum,paws,invalid_sequence
	END
	let_go one
	let_go two
	let_go six
	stop INT "$ALL"
	for name in "${NAMED[@]}"; do
		stop INT "${name#*:}"
	done
	wc -l "$T"/*.out
	[ "$(wc -l <"$T/all.out")" = 12 ]
	[ "$(wc -l <"$T/reason.out")" = 3 ]
	[ "$(wc -l <"$T/reasons.out")" = 8 ]
	[ "$(wc -l <"$T/port.out")" = 4 ]
	[ "$(wc -l <"$T/dport.out")" = 9 ]
	[ "$(wc -l <"$T/four.out")" = 7 ]
	[ "$(wc -l <"$T/six6.out")" = 5 ]
	[ "$(wc -l <"$T/both46.out")" = 12 ]
	[ "$(wc -l <"$T/pid.out")" = 3 ]
	[ "$(wc -l <"$T/none.out")" = 0 ]
	[ "$(wc -l <"$T/elsewhere.out")" = 0 ]
	# What is counted next to the kernel's counters is all.
	grep -q "kernel's InCsumErrors: 3, seen: 3" "$T/none.err"
	refute grep -q "kernel's InCsumErrors" "$T/elsewhere.err"
	over one
	over two
	over six
}

# Ports of a prepared workload's pair: its sockets tell.
port_of() {
	local pid=$1 which=$2 line
	line=$(in_ns ss -Htnp state established | grep "pid=$(ready "$pid" "$which")," | head -n 1)
	awk '{ n = split($3, a, ":"); print a[n] }' <<<"$line"
}

@test "-s: counts by reason, in the kernel" {
	prepare one csum-large --count 30
	prepare two seq-high --count 40
	trace -s
	let_go one
	let_go two
	stop
	cat "$T/trace.out"
	[ "$(lines)" = 3 ]
	sed -n 1p "$T/trace.out" | grep -Eqx 'TIME +COUNT REASON'
	sed -n 2p "$T/trace.out" | grep -Eqx '[0-9:]{8} +40 TCP_INVALID_SEQUENCE'
	sed -n 3p "$T/trace.out" | grep -Eqx '[0-9:]{8} +30 TCP_CSUM'
	over one
	over two
}

@test "-s --by peer: each reason's peers, most first; of resets sent, who gets them" {
	prepare four seq-high --count 40
	prepare six seq-high --count 50 --ip 6
	prepare reset abort --count 5
	trace -s --by peer --json
	let_go four
	let_go six
	let_go reset
	stop
	cat "$T/trace.out"
	[ "$(jq -c '[.count, .reason, .ip, .peer]' "$T/trace.out")" = '[50,"TCP_INVALID_SEQUENCE",6,"::1"]
[40,"TCP_INVALID_SEQUENCE",4,"127.0.0.1"]
[5,"RESET_RECEIVED",4,"127.0.0.1"]
[5,"RESET_SENT",4,"127.0.0.2"]' ] ||
		[ "$(jq -c '[.count, .reason, .ip, .peer]' "$T/trace.out")" = '[50,"TCP_INVALID_SEQUENCE",6,"::1"]
[40,"TCP_INVALID_SEQUENCE",4,"127.0.0.1"]
[5,"RESET_SENT",4,"127.0.0.2"]
[5,"RESET_RECEIVED",4,"127.0.0.1"]' ]
	over four
	over six
	over reset
}

@test "-s -i: what came in each interval, -c ends it; -s -p: of one process" {
	prepare one seq-high --count 30
	prepare two seq-high --count 40
	trace -s -i 1 -c $((3 * NB_SLOW)) --json
	trace_as pid "$BIN" -s --json -p "$(ready two server)"
	PID=$TRACER
	TRACER=$((PID))
	let_go one
	let_go two
	stop INT "$PID"
	eventually grep -q . "$T/trace.out"
	for pid in "${PIDS[@]}"; do
		[ "$pid" = "${LOAD_PID[one]}" ] || [ "$pid" = "${LOAD_PID[two]}" ] ||
			await_end "$pid"
	done
	[ "$(jq -s 'map(.count) | add' "$T/trace.out")" = 70 ]
	[ "$(jq -c '[.count, .reason]' "$T/pid.out")" = '[40,"TCP_INVALID_SEQUENCE"]' ]
	over one
	over two
}

@test "more peers than there is room for: told" {
	prepare four seq-high --count 40
	prepare six seq-high --count 50 --ip 6
	trace -s --by peer --json --max-peers 1
	let_go four
	let_go six
	stop
	shown=$(jq -s 'map(.count) | add' "$T/trace.out")
	unshown=$(sum_of '([0-9]+) packets not remembered')
	echo "$shown and $unshown"
	[ $((shown + unshown)) = 90 ]
	[ "$unshown" -ge 40 ]
	over four
	over six
}

# The rows' counts, and those that are said to be in none.
counted() {
	jq -s 'map(.count) | add // 0' "$1"
}

has_counted() {
	[ "$(counted "$1")" -ge "$2" ]
}

# peers_in_turn IP [-p]: 200 peers, 40 at a time, and room for 50. The next ones
# come when these have been printed. With -p the command counts by itself.
peers_in_turn() {
	local ip=$1 of=() i
	rm -f "$T"/*.go
	prepare load peers --count 40 --rounds 5 --ip "$ip"
	[ -z "${2:-}" ] || of=(-p "$(ready load server)")
	trace -s -i 1 --by peer --json --max-peers 50 "${of[@]}"
	for i in 1 2 3 4 5; do
		echo go >&"${LOAD_FD[load]}"
		eventually has_counted "$T/trace.out" $((i * 120))
	done
	eventually ran load
	stop
	over load
	[ "$(sum_of '([0-9]+) packets not remembered')" = 0 ]
	[ "$(jq -r .time "$T/trace.out" | sort -u | wc -l)" -ge 5 ]
	# What was sent is what has come, of each peer.
	diff <(jq -r 'select(.reason) | "\(.saddr) \(.count)"' "$T/load.truth" | sort) \
		<(jq -rs 'group_by(.peer)[] | "\(.[0].peer) \(map(.count) | add)"' "$T/trace.out" | sort)
}

@test "-s -i --by peer: in each interval, room for as many others" {
	peers_in_turn 4
	peers_in_turn 6
}

@test "-s -i --by peer -p: in each interval, room for as many others" {
	peers_in_turn 4 -p
	peers_in_turn 6 -p
}

# A flood whose peers change, and intervals that end in the midst of it: each
# packet is in one of them.
@test "-s -i --by peer, in a flood: no packet is lost, or counted twice" {
	local ip sent unshown
	for ip in 4 6; do
		rm -f "$T"/*.go
		prepare load flood-peers --ip "$ip" --seconds 5
		trace -s -i 1 --by peer --json -R csum --max-peers 4096
		WITHIN=20 let_go load
		stop
		over load
		sent=$(due load count)
		unshown=$(sum_of '([0-9]+) packets not remembered')
		echo "$sent sent, $(counted "$T/trace.out") counted, $unshown not, $(missed) missed"
		echo "$(jq -r .time "$T/trace.out" | sort -u | wc -l) tables, $(jq -r .peer "$T/trace.out" | sort -u | wc -l) peers, $(jq -r .time "$T/trace.out" | sort | uniq -c | sort -n | tail -n 1) at once"
		[ "$sent" = $(($(counted "$T/trace.out") + unshown + $(missed))) ]
		[ "$(jq -r .time "$T/trace.out" | sort -u | wc -l)" -ge 4 ]
		grep -q "kernel's InCsumErrors: $sent, seen: " "$T/trace.err"
	done
}

# flood CASE ARG...: three seconds of it, of which each packet is shown, or
# counted; $sent are sent.
flood() {
	prepare load "$@" --seconds 3
	trace -R csum --max-rate 1000
	start=$SECONDS
	let_go load
	# The machine goes on: somebody else gets his turn.
	[ $((SECONDS - start)) -le $((6 * NB_SLOW)) ]
	stop
	sent=$(due load count)
	shown=$(($(lines) - 1))
	more=$(sum_of '([0-9]+) more, too fast')
	lost=$(sum_of 'lost ([0-9]+) records')
	echo "$sent sent, $shown shown, $more more, $lost lost, $(missed) missed"
	[ "$sent" = $((shown + more + lost + $(missed))) ]
	[ "$shown" -ge 1000 ]
	[ "$shown" -le $((1000 * (8 * NB_SLOW))) ]
	grep -q "kernel's InCsumErrors: $sent, seen: " "$T/trace.err"
	over load
}

@test "a flood: each packet is shown, or counted" {
	flood flood
	[ "$sent" -gt $((100000 / NB_SLOW)) ]
}

@test "a flood as fast as the kernel can: each packet is shown, or counted" {
	flood flood-live --ip 6
	[ "$sent" -gt $((750000 / NB_SLOW)) ]
}

@test "a flood of others', and -p: all of the process' packets" {
	prepare flood flood --seconds 3
	prepare one seq-high --count 50
	prepare two abort --count 20
	trace --json -p "$(ready one server)" --max-rate 1
	echo go >&"${LOAD_FD[flood]}"
	let_go one
	let_go two
	eventually ran flood
	stop
	[ "$(jq -s 'map(select(.reason == "TCP_INVALID_SEQUENCE")) | length' "$T/trace.out")" = 50 ]
	[ "$(lines)" = 50 ]
	over one
	over two
	over flood
}

@test "a flood, counted in the kernel" {
	prepare load flood --seconds 3
	trace -s --json
	let_go load
	stop
	sent=$(due load count)
	[ "$(jq -s 'map(select(.reason == "TCP_CSUM").count) | add' "$T/trace.out")" = $((sent - $(missed))) ]
	over load
}

# Two hosts, and something between them that loses and reorders.
make_path() {
	HOST=$NS-host
	PATHNS=$NS-path
	new_netns "$HOST"
	new_netns "$PATHNS"
	ip -n "$NS" link add va type veth peer name pa netns "$PATHNS"
	ip -n "$HOST" link add vb type veth peer name pb netns "$PATHNS"
	ip -n "$NS" addr add 192.0.2.1/24 dev va
	ip -n "$HOST" addr add 192.0.2.2/24 dev vb
	ip -n "$NS" link set va up
	ip -n "$HOST" link set vb up
	ip -n "$PATHNS" -batch - <<-END
		link set pa up
		link set pb up
	END
	# Whole packets with their checksums, as on a wire.
	for x in "$NS va" "$HOST vb" "$PATHNS pa" "$PATHNS pb"; do
		read -r ns dev <<<"$x"
		nsenter --net="/run/netns/$ns" ethtool -K "$dev" tx off rx off \
			gro off tso off gso off >/dev/null
	done
	in_background relay nsenter --net="/run/netns/$PATHNS" \
		"$ROOT/build/work/relay" pa pb "$1" "$2"
	RELAY=$SPAWNED
	eventually grep -q ready "$T/relay.out"
}

# select_late NAME FILTER: how many of its rows are what a packet comes to that its
# connection's end has overtaken, and FILTER. It is for nobody, or for the
# listener, which can make nothing of it (before Linux 6.9 without a reason).
select_late() {
	jq -s "map(select((.reason == \"NO_SOCKET\" or .state == \"LISTEN\") and ($2))) | length" "$T/$1.out"
}

# answered NAME NS: how many of these were answered by a reset; the kernel has
# sent as many.
answered() {
	local n resets
	n=$(select_late "$1" '.reason == "RESET_SENT" or (.reason == "NO_SOCKET" and (.flags | contains("R") | not))')
	resets=$(nsenter --net="/run/netns/$2" nstat -asz TcpOutRsts | awk '$1 ~ /OutRsts/ { print $2 }')
	[ "$n" = "$resets" ] || n=unequal
	echo "$n"
}

@test "a transfer with loss and reordering, and nothing bad" {
	make_path 10 20
	# As many end at once as there are connections; none by RST.
	LOAD=$ROOT/build/work/connload
	prepare load pairs --addr 192.0.2.2 --server-netns "/run/netns/$HOST" \
		--count 4 --threads 4 --bytes-up $((250000000 / NB_SLOW)) --bytes-down 1000000
	trace --json
	HERE=$TRACER
	trace_as there "$BIN" --json --netns "$HOST"
	go load
	# From here on nothing comes any more.
	kill "$RELAY"
	await_end "$RELAY"
	stop INT "$HERE"
	stop
	cat "$T/relay.out"
	lost=$(sed -n 's/lost \([0-9]*\),.*/\1/p' "$T/relay.out")
	[ "$lost" -gt $((1000 / NB_SLOW)) ]
	[ "$(in_ns nstat -asz TcpRetransSegs | awk '$1 ~ /Retrans/ { print $2 }')" -gt 100 ]
	# On neither host, but for what the kernel itself has rejected: data that
	# was overtaken by a later timestamp; and packets that were overtaken by
	# the end of their connection, and the resets that answer them.
	cat "$T/trace.out" "$T/there.out"
	[ -z "$(jq -c 'select((.reason != "TCP_RFC7323_PAWS" or .length == 0) and .reason != "NO_SOCKET" and .state != "LISTEN")' "$T/trace.out" "$T/there.out")" ]
	here=$(answered trace "$NS")
	there=$(answered there "$HOST")
	echo "$here and $there resets"
	# Resets that have come to nobody are no more than were sent.
	[ "$(select_late trace '.flags | . != null and contains("R")')" -le "$there" ]
	[ "$(select_late there '.flags | . != null and contains("R")')" -le "$here" ]
	# What the listener has no use for is not left without one.
	for x in trace there; do
		[ "$(select_late "$x" '.reason == "TCP_FLAGS" or .reason == "NOT_SPECIFIED"')" = "$(select_late "$x" '.reason == "RESET_SENT"')" ]
		[ "$(select_late "$x" '.reason | IN("NO_SOCKET", "TCP_FLAGS", "NOT_SPECIFIED", "TCP_RESET", "RESET_SENT") | not')" = 0 ]
	done
	[ "$(cat "$T/trace.out" "$T/there.out" | wc -l)" -le 100 ]
	for x in trace there; do
		eval "$(sed -nE "s/.*kernel's PAWSEstab: ([0-9]+), seen: ([0-9]+)/[ \1 = \2 ]/p" "$T/$x.err")"
	done
}

@test "-c, SIGINT, SIGTERM, a reader that goes, a full disk, a process that ends" {
	prepare load seq-high --count 100
	trace -c 7
	let_go load
	await_end "$TRACER"
	[ "$(lines)" = 8 ]
	over load
	for signal in INT TERM HUP; do
		trace
		stop "$signal"
	done
	# Who has read enough.
	rm "$T/load.go"
	prepare load seq-high --count 100
	trace_as pipe bash -c "'$BIN' --netns $NS -v ${PLAN[*]} | head -n 3 >'$T/head'"
	let_go load
	await_end "$TRACER"
	[ "$(wc -l <"$T/head")" = 3 ]
	over load
	run -1 --separate-stderr timeout 20 bash -c "'$BIN' --netns $NS ${PLAN[*]} >/dev/full"
	[[ $stderr == *"cannot write standard output: No space left on device"* ]]
	in_background sleeper sleep 300
	sleeper=$SPAWNED
	trace -p "$sleeper"
	kill "$sleeper"
	await_end "$TRACER"
	grep -q "process $sleeper has ended" "$T/trace.err"
	run -1 --separate-stderr timeout 20 "$BIN" -p "$sleeper"
	[[ $stderr == "tcp_inerrs: cannot trace process '$sleeper': No such process" ]]
}

@test "nothing is left behind, not even by SIGKILL; 10 MB are enough" {
	prepare load seq-high --count 1000
	trace --stack
	note_objects
	let_go load
	eventually grep -q TCP_INVALID "$T/trace.out"
	hwm=$(status_of "$TRACER" VmHWM)
	echo "$hwm kB"
	[ "$hwm" -lt 10240 ]
	[ "$(status_of "$TRACER" CapEff)" = "$(printf '%016x' $((1 << 39 | 1 << 19 | 1 << 2)))" ]
	before=$(tracefs_state)
	kill -KILL "$TRACER"
	eventually objects_gone
	[ "$(tracefs_state)" = "$before" ]
	over load
}

@test "as nobody, with the capabilities to trace: packets, and no names" {
	[ "${NB_TYPES:-btf}" = btf ] || skip "headers are root's"
	public_copy
	prepare load seq-high --count 5
	mkdir -m 777 "$PUBLIC/cache"
	NETBCC_CACHE=$PUBLIC/cache trace_as trace setpriv --reuid nobody \
		--regid nogroup --clear-groups --inh-caps +bpf,+perfmon \
		--ambient-caps +bpf,+perfmon "$PUBLIC/bin/$TOOL" --json -R invalid_sequence
	let_go load
	stop
	[ "$(jq -s 'map(select(.sport == '"$(due load sport)"' and .pid == null)) | length' "$T/trace.out")" = 5 ]
	over load
}
