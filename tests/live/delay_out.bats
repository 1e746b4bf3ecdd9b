#!/usr/bin/env bats
# delay_analysis_out next to what was on the wire, and to delays that were made.

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

# Does the plan know when an application has called?
knows_calls() {
	by_functions || [ -e "$TRACEFS/events/tcp/tcp_sendmsg_locked" ]
}

# Before Linux 6.13 nothing tells whose TIME_WAIT's answers by IPv6 are.
rows_match_of_six() {
	if printf '%s\n' 6.13 "$(uname -r)" | sort -VC; then
		rows_match --out
	else
		rows_match --out --without-last
	fi
}

# With functions, of all packets of connections; else of none.
tcp_is_known() {
	local known=false
	! by_functions || known=true
	jq -es --argjson known "$known" 'map(select(.length > 0)) |
		all((.tcp_us != null) == $known)' "$T/trace.out"
}

@test "IPv4: each packet of requests and answers, as on the wire" {
	prepare rr rr --count 500
	trace --json
	capture lo --out
	go rr
	closed
	stop
	captured
	rows_match --out
	[ "$(jq -s 'map(select(.length > 0)) | length' "$T/trace.out")" = 1000 ]
	none_lost
	tcp_is_known
	jq -es 'all(.device == "lo" and .retransmitted == 0)' "$T/trace.out"
	# Ends, too, as they are on the wire.
	jq -es '[.[] | select(.flags | test("F"))] | length >= 1' "$T/trace.out"
}

@test "IPv6: each packet of requests and answers, as on the wire" {
	prepare rr rr --count 500 --ip 6
	trace --json
	capture lo --out
	go rr
	closed
	stop
	captured
	rows_match_of_six
	none_lost
	tcp_is_known
	[ "$(jq -s 'map(select(.length > 0)) | length' "$T/trace.out")" = 1000 ]
}

@test "10,000 packets with data, many more than are remembered: each is in a row" {
	prepare rr rr --count 5000
	trace --json --max-packets 1024
	go rr
	closed
	stop
	tail -n 1 "$T/trace.err"
	[ "$(jq -s 'map(select(.length > 0)) | length' "$T/trace.out")" = 10000 ]
	[ "$(of sent)" = "$(wc -l <"$T/trace.out")" ]
	jq -es 'map(select(.length > 0) | [.sport, .seq]) | unique |
		length == 10000' "$T/trace.out"
	none_lost
}

@test "options of IPv4, and of IPv6" {
	late recv --options --sends 10 --count 1
	trace --json
	capture lo --out
	go late
	LOAD_PID=() LOAD_FD=()
	rm "$T/late.go"
	late recv --options --sends 10 --count 1 --ip 6
	go late
	closed
	stop
	captured
	rows_match_of_six
	jq -es '[4, 6] as [$a, $b] | map(select(.length == 100) | .ip) |
		(map(select(. == $a)) | length == 10) and
		(map(select(. == $b)) | length == 10)' "$T/trace.out"
}

@test "a sample: one packet in 16" {
	prepare rr rr --count 5000
	trace --json -s
	capture lo --out
	go rr
	closed
	stop
	captured
	n=$(wc -l <"$T/trace.out")
	echo "$n rows"
	[ "$n" -gt 450 ]
	# These, and no others: whoever looks at the wire can tell which.
	rows_match --out --sample 16
}

# queued KIND...: with that queue, packets behind a tenth of a second of others.
queued() {
	far_end
	queue "$@"
	sink 10.9.0.2 7000
	to_far behind
	trace --json
	capture va --out
	go far
	closed
	stop
	captured
	rows_match --out
	rows_were_late qdisc_us
}

@test "a queue with a bucket of tokens (tbf): its delay is QDisc's" {
	queued tbf rate 2mbit burst 1600 limit 200000
}

@test "a queue of classes (htb): its delay is QDisc's" {
	far_end
	in_ns tc qdisc replace dev va root handle 1: htb default 1
	in_ns tc class add dev va parent 1: classid 1:1 htb rate 2mbit \
		burst 1600 cburst 1600
	sink 10.9.0.2 7000
	to_far behind
	trace --json
	capture va --out
	go far
	closed
	stop
	captured
	rows_match --out
	rows_were_late qdisc_us
}

@test "what a queue splits into segments: a row for each, with its own delay" {
	far_end
	queue tbf rate 10mbit burst 1600 limit 200000
	sink 10.9.0.2 7000
	to_far block --bytes 300000
	trace --json
	capture va --out
	go far
	closed
	stop
	captured
	cat "$T/trace.err"
	[ "$(jq -s 'map(select(.length > 0)) | length' "$T/trace.out")" -gt 200 ]
	jq -es 'map(.length) | add == 300000' "$T/trace.out"
	rows_match --out
	none_lost
	# One after the other, each waits for the bucket.
	jq -es 'map(select(.length > 1000) | .qdisc_us) | max > 2000' "$T/trace.out"
}

@test "what the device splits stays one row" {
	far_end
	sink 10.9.0.2 7000
	to_far block --bytes 300000
	trace --json
	capture va --out
	go far
	closed
	stop
	captured
	rows_match --out
	jq -es 'map(.length) | add == 300000' "$T/trace.out"
	jq -es 'map(select(.length > 1448)) | length > 0 and
		all(.packets == (.length / 1448 | ceil))' "$T/trace.out"
}

@test "what an application holds back is SOCK's" {
	far_end
	sink 10.9.0.2 7000
	to_far corked --ms 50
	trace --json
	capture va --out
	go far
	closed
	stop
	captured
	rows_match --out
	cat "$T/far.truth"
	jq -s 'map(select(.length == 200))' "$T/trace.out" | tee "$T/rows"
	if ! knows_calls; then
		jq -e 'length == 5 and all(.sock_us == null)' "$T/rows"
		return
	fi
	# From the first call, which was not over before called_ns.
	jq -en --slurpfile rows "$T/rows" --slurpfile truth \
		<(sed 1d "$T/far.truth") '
		($truth | length) == 10 and ($rows[0] | length) == 5 and
		([range(5) | [$rows[0][.], $truth[2 * .], $truth[2 * . + 1]]] |
		all(.[0].sock_us < (.[2].returned_ns - .[1].called_ns) / 1000 and
			.[0].sock_us > (.[2].called_ns - .[1].returned_ns) / 1000 and
			.[0].total_us < 5000 * '"$NB_SLOW"'))'
}

@test "pacing by TCP itself is SOCK's" {
	far_end
	sink 10.9.0.2 7000
	to_far paced
	trace --json
	capture va --out
	go far
	closed
	stop
	captured
	rows_match --out
	jq -es 'all(.total_us < 5000 * '"$NB_SLOW"')' "$T/trace.out"
	grep '"length": 100,' "$T/capture.out" >"$T/left"
	jq -s 'map(select(.length == 100))' "$T/trace.out" | tee "$T/rows"
	local known=false
	! knows_calls || known=true
	jq -en --slurpfile rows "$T/rows" --slurpfile left "$T/left" \
		--slurpfile truth <(sed 1d "$T/far.truth") --argjson known "$known" '
		($truth | length) == 5 and ($rows[0] | length) == 5 and
		([$rows[0], $truth, $left] | transpose | all(
			((.[2].captured_ns - .[1].called_ns) / 1000) as $took |
			$took > 50000 and .[0].total_us < 5000 * '"$NB_SLOW"' and
			if $known then .[0].sock_us > $took * 0.9 - 1000 * '"$NB_SLOW"' and
				.[0].sock_us < $took * 1.1 + 100
			else .[0].sock_us == null end))'
}

@test "fast open: data in the SYN, and its answer" {
	in_ns sysctl -qw net.ipv4.tcp_fastopen=0x207
	WRAP=(python3 -IS)
	LOAD=$DELAYS prepare fast fastopen
	trace --json
	capture lo --out
	go fast
	closed
	stop
	captured
	rows_match --out
	none_lost
	jq -c '[.flags, .length, .sock_us, .total_us, .retransmitted]' "$T/trace.out"
	jq -es '(map(select(.flags == "S" and .length == 100)) | length == 3) and
		(map(select(.length == 300)) | length == 3) and
		all(.retransmitted == 0) and all(.[] | select(.flags == "S"); .sock_us == null)' "$T/trace.out"
	jq -es --argjson pid "$(ready pid fast)" 'map(select(.length > 0)) |
		all(.pid == $pid)' "$T/trace.out"
}

@test "fast open: an answer before the handshake is over, and its SYN-ACK again" {
	far_end
	in_ns sysctl -qw net.ipv4.tcp_fastopen=0x207
	in_background early nsenter --net="/run/netns/$NS" \
		python3 -IS "$DELAYS" early 10.9.0.1 7000
	eventually grep -q ready "$T/early.out"
	# Who knows nothing of the connection would reset it.
	nsenter --net="/run/netns/$FAR" nft -f - <<-END
		table ip none {
			chain output {
				type filter hook output priority 0;
				tcp flags rst drop
			}
		}
	END
	trace --json
	capture va --out
	nsenter --net="/run/netns/$FAR" \
		python3 -IS "$DELAYS" fastsyn 10.9.0.1 7000
	synack_again() {
		[ "$(jq -s 'map(select(.retransmitted == 1)) | length' "$T/trace.out")" -ge 1 ]
	}
	eventually synack_again
	stop
	captured
	rows_match --out
	jq -c '[.flags, .length, .sock_us, .total_us, .retransmitted]' "$T/trace.out"
	jq -es 'map([.flags, .length, .retransmitted])[:3] ==
		[["S.", 0, 0], ["P.", 300, 0], ["S.", 0, 1]]' "$T/trace.out"
}

@test "a queue that is full: what it drops is counted" {
	far_end
	sink 10.9.0.2 7000
	queue tbf rate 64kbit burst 1600 limit 3200
	to_far behind
	trace --json
	capture va --out
	go far
	closed
	stop
	captured
	tail -n 1 "$T/trace.err"
	rows_match --out
	dropped=$(in_ns tc -s -j qdisc show dev va | jq '.[0].drops')
	# Of 24 datagrams at a time three have a place; then TCP has none.
	echo "$dropped dropped in all"
	[ "$(of dropped)" -ge 3 ]
	[ "$(of dropped)" -lt $((dropped - 90)) ]
	none_lost
}

@test "what is sent again is marked" {
	far_end
	sink 10.9.0.2 7000
	to_far corked --ms 1
	trace --json
	capture va --out
	# Nobody is there any more, for a while.
	ip -n "$FAR" addr del 10.9.0.2/24 dev vb
	echo go >&"${LOAD_FD[far]}"
	sent_again() {
		[ "$(jq -s 'map(select(.retransmitted == 1)) | length' "$T/trace.out")" -ge 3 ]
	}
	eventually sent_again
	ip -n "$FAR" addr add 10.9.0.2/24 dev vb
	finish far
	closed
	stop
	captured
	rows_match --out
	jq -c '[.seq, .length, .flags, .retransmitted]' "$T/trace.out"
	# As the wire has it: where bytes that were there before are there again.
	grep '^{' "$T/capture.out" | jq -s '[foreach (.[] | select(.length > 0 or
			(.flags | test("F|S")))) as $p ({next: {}};
		($p.nat_sport | tostring) as $from |
		(.next[$from] != null and $p.seq < .next[$from]) as $again |
		{next: (.next + {($from): ([.next[$from] // 0, $p.seq + $p.length +
			(if $p.flags | test("F|S") then 1 else 0 end)] | max)}),
			again: $again}; select(.again))] | length' >"$T/again"
	[ "$(<"$T/again")" -ge 3 ]
	[ "$(jq -s 'map(select(.retransmitted == 1)) | length' "$T/trace.out")" = "$(<"$T/again")" ]
}

@test "address translation: what the socket has, and what the wire has" {
	far_end
	in_ns ip addr add 10.8.0.1/32 dev lo
	in_ns nft -f - <<-END
		table ip nat {
			chain post {
				type nat hook postrouting priority 100;
				ip saddr 10.8.0.1 ip protocol tcp snat to 10.9.0.1:5000-5099
			}
			chain output {
				type nat hook output priority -100;
				ip daddr 10.99.0.1 tcp dport 80 dnat to 10.9.0.2:7000
			}
		}
	END
	in_ns ip route add 10.99.0.0/24 via 10.9.0.2
	sink 10.9.0.2 7000
	WRAP=(python3 -IS)
	LOAD=$DELAYS prepare far block 10.99.0.1 80 --source 10.8.0.1 --bytes 20000
	# What goes to the translated port, and to the one that was asked for.
	trace_as asked "$BIN" --netns "$NS" --json -dp 80
	ASKED=$TRACER
	trace_as wire "$BIN" --netns "$NS" -dp 7000 -a 10.9.0.0/24
	WIRE=$TRACER
	trace_as none "$BIN" --netns "$NS" -dp 81 -a 10.9.0.0/24
	NONE=$TRACER
	trace --json
	capture va --out
	go far
	closed
	stop
	captured
	stop INT "$ASKED"
	stop INT "$WIRE"
	stop INT "$NONE"
	rows_match --out --nat
	head -n 3 "$T/wire.out"
	sport=$(ready sport far)
	jq -es "length > 1 and all(.saddr == \"10.8.0.1\" and .sport == $sport and
		.daddr == \"10.99.0.1\" and .dport == 80 and
		.nat_saddr == \"10.9.0.1\" and .nat_sport >= 5000 and
		.nat_sport <= 5099 and .nat_daddr == \"10.9.0.2\" and
		.nat_dport == 7000)" "$T/trace.out"
	grep -Eqx "10\.8\.0\.1:$sport +-> 10\.9\.0\.1:50[0-9][0-9] +-> 10\.9\.0\.2:7000 .*" "$T/wire.out"
	n=$(wc -l <"$T/trace.out")
	[ "$(wc -l <"$T/asked.out")" = "$n" ]
	[ "$(grep -c '^10' "$T/wire.out")" = "$n" ]
	[ "$(grep -c '^10' "$T/none.out")" = 0 ]
}

@test "what the kernel itself answers, of no socket" {
	trace --json
	capture lo --out
	in_ns python3 -IS "$DELAYS" refused 127.0.0.1 >"$T/refused"
	stop
	captured
	[ "$(<"$T/refused")" = refused ]
	jq -c '[.flags, .saddr, .sport, .pid]' "$T/trace.out"
	rows_match --out
	[ "$(wc -l <"$T/trace.out")" = 2 ]
}

@test "IPv4 to a socket for both: no packet of it is IPv6" {
	# shellcheck disable=SC2034 # of prepare
	WRAP=()
	LOAD=$ROOT/build/work/connload prepare rr rr --count 100
	in_background both nsenter --net="/run/netns/$NS" \
		python3 -IS "$DELAYS" sink :: 7001
	eventually grep -q ready "$T/both.out"
	trace_as six "$BIN" --netns "$NS" --json -6
	SIX=$TRACER
	trace_as any "$BIN" --netns "$NS" --json -a ::/0
	ANY=$TRACER
	trace --json
	capture lo --out
	WRAP=(python3 -IS)
	LOAD=$DELAYS prepare far block 127.0.0.1 7001 --bytes 100
	go far
	go rr
	closed
	stop
	captured
	stop INT "$SIX"
	stop INT "$ANY"
	rows_match --out
	[ ! -s "$T/six.out" ]
	[ ! -s "$T/any.out" ]
}

@test "-d: a device that had a longer name before" {
	far_end
	ip -n "$NS" -batch - <<-END
		link set va down
		link set va name vethabcdef01
		link set vethabcdef01 name va
		link set va up
	END
	sink 10.9.0.2 7000
	to_far block --bytes 1000
	trace --json -d va
	capture va --out
	go far
	closed
	stop
	captured
	rows_match --out
}

@test "segments that a full queue drops: counted, and the others are in rows" {
	far_end
	sink 10.9.0.2 7000
	# Some have a place, and some of the same packet have none.
	queue tbf rate 2mbit burst 1600 limit 6500
	to_far block --bytes 100000
	trace --json
	capture va --out
	go far
	closed
	stop
	captured
	rows_match --out
	none_lost
	dropped=$(in_ns tc -s -j qdisc show dev va | jq '.[0].drops')
	echo "$dropped dropped"
	[ "$dropped" -gt 3 ]
	[ "$(of dropped)" = "$dropped" ]
}

@test "acknowledgements that an application asks for late are not late" {
	far_end
	in_background echo nsenter --net="/run/netns/$FAR" \
		python3 -IS "$DELAYS" echo 10.9.0.2 7000
	eventually grep -q ready "$T/echo.out"
	to_far quickack
	trace --json
	capture va --out
	go far
	closed
	stop
	captured
	rows_match --out
	jq -es 'length > 20 and all(.total_us < 10000 * '"$NB_SLOW"')' "$T/trace.out"
}

thousand_queued() {
	rm -f "$T/far.go"
	WRAP=(prlimit --nofile=8192:8192 python3 -IS)
	LOAD=$DELAYS prepare far syns 10.9.0.2 7000
	trace --json --max-packets 1024
	capture va --out
	go far
	stop
	captured
	[ "$(grep -c '"flags": "S"' "$T/capture.out")" -ge 1000 ] || return
	rows_match --out && none_lost
}

@test "nearly as many packets in a queue as there is room for" {
	far_end
	queue tbf rate 3mbit burst 1600 limit 10000000
	# Linux 6.18 now and then runs no program for a burst of events; without
	# that it is so at once.
	local left=1
	[ "$NB_SLOW" != 1 ] || left=4
	until thousand_queued; do
		left=$((left - 1))
		[ "$left" -gt 0 ]
	done
}

@test "a neighbour that does not answer at once: IP's" {
	far_end
	sink 10.9.0.2 7000
	to_far block --bytes 100
	lladdr=$(ip -n "$FAR" -j link show vb | jq -r '.[0].address')
	trace --json
	capture va --out
	ip -n "$FAR" link set vb arp off
	ip -n "$NS" neigh flush dev va
	echo go >&"${LOAD_FD[far]}"
	called() {
		grep -q called_ns "$T/far.truth"
	}
	eventually called
	sleep 0.2
	ip -n "$FAR" link set vb arp on
	ip -n "$NS" neigh replace 10.9.0.2 lladdr "$lladdr" dev va
	finish far
	closed
	stop
	captured
	rows_match --out
	jq -s 'map(select(.length == 100))' "$T/trace.out" | tee "$T/rows"
	jq -en --slurpfile rows "$T/rows" \
		--slurpfile truth <(sed 1d "$T/far.truth") \
		--slurpfile left <(grep '"length": 100,' "$T/capture.out") '
		(($left[0].captured_ns - $truth[0].called_ns) / 1000) as $took |
		$rows[0][0] | $took > 150000 and
		.ip_us > $took * 0.9 and .ip_us < $took * 1.1 and
		.qdisc_us < 5000 * '"$NB_SLOW"' and .retransmitted == 0'
}

@test "a device on top of another: one row, of the upper one, or of the one asked for" {
	far_end
	ip -n "$NS" -batch - <<-END
		addr del 10.9.0.1/24 dev va
		link add link va name mv type macvlan mode bridge
		addr add 10.9.0.1/24 dev mv
		link set mv up
	END
	queue tbf rate 2mbit burst 1600 limit 200000
	sink 10.9.0.2 7000
	to_far behind
	trace_as lower "$BIN" --netns "$NS" --json -d va
	LOWER=$TRACER
	trace --json
	capture mv --out
	go far
	closed
	stop
	captured
	stop INT "$LOWER"
	# The queue is below.
	rows_match --out
	jq -es 'all(.device == "mv" and .qdisc_us < 5000 * '"$NB_SLOW"')' "$T/trace.out"
	jq -es 'all(.device == "va") and (map(select(.length == 100 and
		.qdisc_us > 50000)) | length == 5)' "$T/lower.out"
	[ "$(wc -l <"$T/lower.out")" = "$(wc -l <"$T/trace.out")" ]
}

@test "a bridge between namespaces: packets that come in, and leave again, are others'" {
	bridged
	sink 10.9.0.2 7000
	to_far block --bytes 20000
	trace_as trace "$BIN" --json
	capture va --out
	go far
	sport=$(ready sport far)
	stop
	captured
	jq -c "select(.sport == $sport)" "$T/trace.out" >"$T/rows"
	mv "$T/rows" "$T/trace.out"
	rows_match --out
}
