#!/usr/bin/env bats
# delay_analysis_in next to what was on the wire, and to delays that were made.

bats_require_minimum_version 1.5.0

TOOL=delay_analysis_in
load ../helper
load ../delays

setup() {
	live_setup
}

teardown() {
	live_teardown
}

@test "IPv4: each packet of requests and answers, as on the wire" {
	prepare rr rr --count 500
	trace --json
	capture
	go rr
	stop
	captured
	rows_match
	[ "$(wc -l <"$T/trace.out")" = 1000 ]
}

@test "IPv6: each packet of requests and answers, as on the wire" {
	prepare rr rr --count 500 --ip 6
	trace --json
	capture
	go rr
	stop
	captured
	rows_match
	[ "$(wc -l <"$T/trace.out")" = 1000 ]
}

@test "10,000 packets, many more than are remembered: each is in a row" {
	prepare rr rr --count 5000
	trace --json --max-packets 1024
	go rr
	stop
	cat "$T/trace.err"
	[ "$(wc -l <"$T/trace.out")" = 10000 ]
	[ "$(of 'read by applications')" = 10000 ]
	jq -es 'map([.sport, .seq]) | unique | length == 10000' "$T/trace.out"
	# All that began, and handshakes, has an end.
	jq -n --arg text "$(tail -n 1 "$T/trace.err")" '[$text |
		scan("[0-9]+") | tonumber] | .[0] == (.[1:] | add)' | grep -qx true
}

@test "1,500 connections at once: the packet that waits at each is accounted for" {
	# Their server reads nothing.
	WRAP=(prlimit --nofile=8192:8192)
	prepare crowd crowd --count 1500 --hold 100
	trace --json
	go crowd
	stop
	tail -n 3 "$T/trace.err"
	closed=$(of 'not read when closed')
	[ "$closed" -gt 1480 ]
	[ $((closed + $(sum_of '([0-9]+) packets not followed to the end'))) = 1500 ]
}

@test "sockets that are closed: what they had not read is counted" {
	in_background sink nsenter --net="/run/netns/$NS" \
		python3 -IS "$DELAYS" unread 3
	UNREAD=$SPAWNED
	eventually grep -q ready "$T/sink.out"
	trace --json
	kill -USR1 "$UNREAD"
	await_end "$UNREAD"
	stop
	cat "$T/trace.err"
	[ "$(of 'not read when closed')" = 3 ]
	[ ! -s "$T/trace.out" ]
}

@test "a sample: one packet in 16, all of whose stages are known" {
	prepare rr rr --count 5000
	trace --json -s
	capture
	go rr
	stop
	captured
	n=$(wc -l <"$T/trace.out")
	echo "$n rows"
	[ "$n" -gt 450 ]
	[ "$n" -lt 800 ]
	jq -es 'all(.mac_us != null and .ip_us != null and .tcp_us != null and
		.app_us != null)' "$T/trace.out"
	# These, and no others: whoever looks at the wire can tell which.
	rows_match --sample 16
}

# As many rows as the truth has, of which each row's APP, and so TCP, is as late
# as the application was.
rows_are_late() {
	cat "$T/late.truth" "$T/trace.out"
	jq -es --slurpfile truth <(sed 1d "$T/late.truth") '
		length == ($truth | length) and ([., $truth] | transpose | all(
			.[0].sport == .[1].sport and .[0].dport == .[1].dport and
			.[0].pid == .[1].pid and .[0].length == .[1].length and
			.[0].app_us >= .[1].least_us * 0.98 and
			.[0].app_us <= .[1].most_us and
			.[0].tcp_us >= .[0].app_us and
			.[0].mac_us + .[0].ip_us < 5000 * '"$NB_SLOW"'))' \
		"$T/trace.out"
}

read_late() {
	late "$@"
	trace --json
	go late
	stop
	rows_are_late
}

@test "an application that is late: by recv, IPv4" {
	read_late recv
}

@test "an application that is late: by recv, IPv6" {
	read_late recv --ip 6
}

@test "an application that is late: it has looked before" {
	read_late peek
}

@test "an application that is late: by splice" {
	read_late splice
}

@test "an application that is late: in small pieces, the last of which counts" {
	read_late pieces
}

@test "every way to read: all bytes are in rows" {
	for how in read recvmsg recvmmsg peek splice zerocopy; do
		prepare "$how" bytes --bytes-up 300000 --recv "$how" --send sendfile
	done
	trace --json
	for how in read recvmsg recvmmsg peek splice zerocopy; do
		go "$how"
	done
	stop
	for how in read recvmsg recvmmsg peek splice zerocopy; do
		port=$(sed -n '1s/.*"port":\([0-9]*\).*/\1/p' "$T/$how.truth")
		n=$(jq -s "map(select(.dport == $port) | .length) | add" "$T/trace.out")
		echo "$how: $n bytes"
		[ "$n" = 300000 ]
	done
}

@test "options of IPv4" {
	read_late recv --options
}

@test "options of IPv6" {
	read_late recv --options --ip 6
}

@test "packets that TCP has put together in its queue" {
	late recv --sends 40 --count 2
	trace --json
	capture
	go late
	stop
	captured
	cat "$T/trace.out"
	rows_match --once
	[ "$(wc -l <"$T/trace.out")" -gt 60 ]
	# Each has waited for the application, the first ones longest.
	jq -es 'all(.app_us > 45e3) and (map(.app_us) | max) > 200e3' "$T/trace.out"
}

@test "more packets than are followed for a socket: they are counted" {
	late recv --sends 200 --count 1 --length 10
	trace --json
	capture
	go late
	stop
	captured
	cat "$T/trace.err"
	all=$(grep '^{' "$T/capture.out" | jq -s 'map(.seq) | unique | length')
	[ "$all" -gt 150 ]
	[ "$(wc -l <"$T/trace.out")" = 128 ]
	[ "$(sum_of '([0-9]+) packets not followed to the end')" = $((all - 128)) ]
}

@test "packets that find the socket locked" {
	WRAP=(python3 -IS)
	LOAD=$DELAYS prepare late held 50
	trace --json
	go late
	stop
	cat "$T/late.truth" "$T/trace.out"
	# By functions it is a stage of TCP's; else TCP has them only then.
	if by_functions; then
		stage=backlog_us
	else
		stage=ip_us
		jq -es 'all(.backlog_us == null)' "$T/trace.out"
	fi
	jq -es --slurpfile truth <(sed 1d "$T/late.truth") --arg stage "$stage" '
		[map(select(.length == 100)), $truth] | transpose |
		length == 3 and all(
			.[0][$stage] >= .[1].least_us * 0.98 and
			.[0][$stage] <= .[1].most_us and
			.[0].total_us - .[0][$stage] < 5000 * '"$NB_SLOW"')' \
		"$T/trace.out"
}

@test "packets that the receive offload keeps back, to make one of them" {
	far_end
	in_ns ethtool -K va tso off gso off >/dev/null
	ip netns exec "$FAR" ethtool -K vb gro on
	ip netns exec "$FAR" sh -c '
		echo 20000000 >/sys/class/net/vb/gro_flush_timeout
		echo 1 >/sys/class/net/vb/napi_defer_hard_irqs'
	trace_as trace "$BIN" --netns "$FAR" --json
	sink 10.9.0.2 7000
	in_ns python3 -IS "$DELAYS" bursts 10.9.0.2 7000
	stop
	cat "$T/trace.out"
	# Three packets become one; what follows them is kept back for as long as
	# was said, as its end is not marked.
	jq -es 'map(select(.packets == 3)) | length >= 4 and
		all(.length >= 4300 and .mac_us < 10000 * '"$NB_SLOW"')' \
		"$T/trace.out"
	jq -es 'map(select(.length == 100)) | length >= 5 and
		all(.gro_us == .mac_us and .softirq_us == null and
			.mac_us > 18000 and .ip_us < 5000 * '"$NB_SLOW"') and
		# Now and then the timer itself is late.
		(map(.mac_us) | sort | .[length / 2 | floor]) < 22000 * '"$NB_SLOW"'
		' "$T/trace.out"
}

@test "a processor that is late to look at packets: SOFTIRQ" {
	# With one processor datagrams are looked at before sendto() returns, and
	# packets are not late.
	local least=5000 cpus=2
	[ "$(nproc)" -gt 1 ] || least=0 cpus=1
	ip netns exec "$NS" sh -c "echo $cpus >/sys/class/net/lo/queues/rx-0/rps_cpus"
	WRAP=(python3 -IS)
	LOAD=$DELAYS prepare late softirq
	trace --json
	go late
	stop
	cat "$T/late.truth"
	jq -c 'select(.length == 100)' "$T/trace.out" | tee "$T/rows"
	jq -es --slurpfile truth <(sed 1d "$T/late.truth") '
		[., $truth] | transpose | length == 5 and all(
			.[1].least_us > '$least' and
			.[0].softirq_us == .[0].mac_us and .[0].gro_us == null and
			# Nor is it the application, where others keep it waiting.
			('$least' == 0 or .[0].softirq_us >=
				(.[1].least_us - .[0].app_us) * 0.9) and
			.[0].softirq_us <= .[1].most_us)' "$T/rows"
}

@test "what a bridge is late with is MAC's" {
	bridged
	tc -n "$HOST" qdisc replace dev vc root tbf rate 2mbit burst 1600 \
		limit 200000
	sink 10.9.0.2 7000
	to_far behind
	trace_as trace "$BIN" --netns "$FAR" --json
	NS=$FAR capture vd
	go far
	stop
	captured
	rows_match
	rows_were_late mac_us
}

@test "packets that TCP drops: in the account, and in no row" {
	WRAP=()
	LOAD=$ROOT/build/work/badtcp prepare bad seq-high --count 7
	trace --json
	echo go >&"${LOAD_FD[bad]}"
	eventually grep -q '"end"' "$T/bad.truth"
	stop
	cat "$T/trace.err" "$T/trace.out"
	[ "$(of dropped)" = 7 ]
	[ ! -s "$T/trace.out" ]
}

@test "packets that are dropped before TCP has them: filters are for them, too" {
	# shellcheck disable=SC2034 # of prepare
	WRAP=()
	LOAD=$ROOT/build/work/badtcp prepare bad csum-large --count 7
	LOAD=$ROOT/build/work/badtcp prepare six csum-large --count 5 --ip 6
	new_netns "$NS-other"
	local port
	port=$(in_ns ss -4Htnp state established |
		awk -v who="pid=$(ready server bad)," 'index($0, who) {
			n = split($3, a, ":"); print a[n]; exit }')
	while read -r name dropped args; do
		read -ra args <<<"$args"
		trace_as "$name" "$BIN" "${args[@]}"
		NAMED+=("$name:$dropped:$TRACER")
	done <<-END
		all 12 --netns $NS
		four 7 --netns $NS -4
		six6 5 --netns $NS -6
		addr 7 --netns $NS -a 127.0.0.1
		none 0 --netns $NS -a 127.0.0.9
		port 7 --netns $NS -dp $port
		from 0 --netns $NS -sp $port
		elsewhere 0 --netns $NS-other
	END
	for name in bad six; do
		echo go >&"${LOAD_FD[$name]}"
		eventually grep -q '"end"' "$T/$name.truth"
	done
	for name in "${NAMED[@]}"; do
		stop INT "${name##*:}"
	done
	for name in "${NAMED[@]}"; do
		IFS=: read -r name dropped _ <<<"$name"
		tail -n 1 "$T/$name.err"
		tail -n 1 "$T/$name.err" | grep -q ", $dropped dropped,"
	done
}

@test "filters: ports, addresses, families, processes" {
	late recv --count 2
	local sport dport
	sport=$(ready sport) dport=$(ready dport)
	LOOK=()
	for look in "-sp $sport" "-dp $dport" "--sport $sport --dport $dport" \
		"-a 127.0.0.1" "-a 127.0.0.0/8" "-a 0.0.0.0/0" -4 "-4 -6" \
		"-p $(ready pid)"; do
		# shellcheck disable=SC2086 # several words
		trace_as "yes${#LOOK[@]}" "$BIN" --netns "$NS" --json $look
		LOOK+=("$TRACER")
	done
	NONE=()
	for look in "-sp $dport" "-dp $sport" "-a 127.0.0.2" "-a 10.0.0.0/8" \
		"-a ::/0" "-a 127.0.0.2/31" -6 "-p $$" "--netns /proc/$$/ns/net"; do
		# shellcheck disable=SC2086
		trace_as "no${#NONE[@]}" "$BIN" --netns "$NS" --json $look
		NONE+=("$TRACER")
	done
	go late
	for i in "${!LOOK[@]}"; do
		stop INT "${LOOK[i]}"
		[ "$(wc -l <"$T/yes$i.out")" = 2 ]
	done
	for i in "${!NONE[@]}"; do
		stop INT "${NONE[i]}"
		[ ! -s "$T/no$i.out" ]
	done
}

@test "--min: only what took that long" {
	late recv --count 2
	prepare_rr
	trace --json --min 40000
	go rr
	go late
	stop
	[ "$(jq -s 'map(select(.total_us < 40000)) | length' "$T/trace.out")" = 0 ]
	[ "$(jq -s "map(select(.dport == $(ready dport))) | length" "$T/trace.out")" = 2 ]
}

@test "--summary: percentiles of all packets, by stage" {
	late recv --count 20
	trace --summary -i 60
	go late
	stop
	cat "$T/trace.out"
	[ "$(awk '$2 == "TOTAL" || $2 == "MAC" || $2 == "IP" || $2 == "TCP" { print $3 }' "$T/trace.out" | sort -u)" = 20 ]
	# Microseconds; of buckets an eighth wide.
	awk -v slow="$NB_SLOW" '$2 == "TCP" { exit !($4 > 44000 && $4 < 57000 * slow &&
		$7 > 49000 && $7 < 70000 * slow &&
		$4 <= $5 && $5 <= $6 && $6 <= $7) }' "$T/trace.out"
	awk -v slow="$NB_SLOW" '$2 == "IP" { exit !($7 < 5000 * slow) }' "$T/trace.out"
}

@test "--hist: as many packets, in the buckets where they belong" {
	late recv --count 20
	trace --hist
	go late
	stop
	cat "$T/trace.out"
	# 50 ms, of a slow machine more, in the histogram of TCP.
	sed -n '/^TCP/,/^$/p' "$T/trace.out" >"$T/tcp"
	[ "$(awk -F'[:|]' '$1 ~ /->/ { n += $2 } END { print n }' "$T/tcp")" = 20 ]
	[ "$(awk -F'[:|]' '$1 ~ / 32768 -> 65535 / { print $2 + 0 }' "$T/tcp")" -ge 18 ]
}

@test "--hist --json: the same for programs" {
	late recv --count 20
	trace --hist --json
	go late
	stop
	jq -es 'map(select(.stage == "tcp") | .count) | add == 20' "$T/trace.out"
	jq -es 'map(select(.stage == "tcp" and .from_us == 32768)) | length == 1 and
		.[0].to_us == 65535 and .[0].count >= 18' "$T/trace.out"
}

@test "the connection of one's own session is left out, and named" {
	late recv --count 2
	SSH_CONNECTION="127.0.0.1 $(ready sport) 127.0.0.1 $(ready dport)" \
		trace_as own "$BIN" --netns "$NS" --json
	OWN=$TRACER
	trace --json
	go late
	stop
	stop INT "$OWN"
	grep -q "leaving out this session's connection, with 127.0.0.1:$(ready sport)\$" "$T/own.err"
	[ ! -s "$T/own.out" ]
	[ "$(wc -l <"$T/trace.out")" = 2 ]
}

@test "a table: the columns of old, stages in microseconds" {
	late recv --count 2
	trace
	go late
	stop
	cat "$T/trace.out"
	head -n 1 "$T/trace.out" | grep -Eqx 'SADDR:SPORT +-> +DADDR:DPORT +SEQ +ACK +TIME +TOTAL +MAC +IP +TCP'
	[ "$(grep -Ecx '127\.0\.0\.1:[0-9]+ +-> 127\.0\.0\.1:[0-9]+ +[0-9]+ +[0-9]+ +[0-9]{16}( +[0-9]+\.[0-9]{3}){4}' "$T/trace.out")" = 2 ]
	# The time is the time.
	awk -v now="$(date +%s)" 'NR > 1 && ($6 > now * 1e6 + 1e6 || $6 < now * 1e6 - 6e8) { exit 1 }' "$T/trace.out"
}

@test "--wide: parts that the plan cannot measure are '-'" {
	late recv --count 2
	trace -w
	go late
	stop
	cat "$T/trace.out"
	[ "$(awk 'NR > 1 { print $11 == "-", $12 == $8, ($13 == "-"), $14 <= $10 }' "$T/trace.out" | sort -u)" = \
		"1 1 $(if by_functions; then echo 0; else echo 1; fi) 1" ]
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
