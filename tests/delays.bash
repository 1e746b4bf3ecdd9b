# For tests of delay_analysis_in and _out, after helper.bash.

DELAYS=$ROOT/tests/delays.py

# Linux 6.18 now and then runs no program for a burst of events (see
# bpf_stats_enabled: net_dev_start_xmit's ran less often than net_dev_queue's),
# the more often, the more else the machine does. Then a packet has no row. In
# emulated machines, with Debian's kernels, there is one attempt only.
[ "$NB_SLOW" != 1 ] || BATS_TEST_RETRIES=2

# capture [DEVICE [ARG...]]: note what comes in at DEVICE (lo), or with --out
# what goes out, from here on until captured.
capture() {
	in_background capture nsenter --net="/run/netns/$NS" \
		python3 -IS "$DELAYS" capture "${1:-lo}" "${@:2}"
	CAPTURE=$SPAWNED
	eventually grep -q ready "$T/capture.out"
}

# No connection has a packet to come any more.
all_closed() {
	[ -z "$(ss -N "$NS" -Htan state fin-wait-1 state fin-wait-2 \
		state last-ack state closing)" ]
}

closed() {
	eventually all_closed
}

captured() {
	stop TERM "$CAPTURE"
}

rows_match() {
	python3 -IS "$DELAYS" compare "$T/capture.out" "$T/trace.out" "$@"
}

# of PART: how many packets the account at the end has as that.
of() {
	sed -n "s/.*[:,] \([0-9]*\) $1.*/\1/p" "$T/trace.err" | tail -n 1
}

# Each packet that was followed has been sent, or dropped, or left out.
none_lost() {
	tail -n 1 "$T/${1:-trace}.err"
	tail -n 1 "$T/${1:-trace}.err" |
		grep -q ', 0 still queued, or lost sight of$'
	refute grep -q 'not followed to the end' "$T/${1:-trace}.err"
}

# Does the plan hook functions?
by_functions() {
	grep -Eq "with plan '(fentry|kprobe)'" "$T/trace.err"
}

# late HOW ARG...: a workload that waits, whose data is read 50 ms late.
late() {
	WRAP=(python3 -IS)
	LOAD=$DELAYS prepare late late 50 "$@"
}

# far_end: a namespace behind a device pair, va here and vb there.
far_end() {
	FAR=$NS-far
	new_netns "$FAR"
	ip -n "$NS" -batch - <<-END
		link add va type veth peer name vb netns $FAR
		addr add 10.9.0.1/24 dev va
		link set va up
	END
	ip -n "$FAR" -batch - <<-END
		addr add 10.9.0.2/24 dev vb
		link set vb up
	END
}

prepare_rr() {
	WRAP=()
	prepare rr rr --count 500
}

# ready KEY [WORKLOAD]: a number of its first line.
ready() {
	sed -n "1s/.*\"$1\": *\([0-9]*\).*/\1/p" "$T/${2:-late}.truth"
}

# sink ADDR PORT: somebody at the far end who reads what is sent to them.
sink() {
	in_background "sink$2" nsenter --net="/run/netns/$FAR" \
		python3 -IS "$DELAYS" sink "$1" "$2"
	eventually grep -q ready "$T/sink$2.out"
}

# bridged: a namespace behind a bridge in a third one, whose device to it is vc.
bridged() {
	far_end
	HOST=$NS-host
	new_netns "$HOST"
	ip -n "$FAR" link set vb netns "$HOST"
	ip -n "$HOST" -batch - <<-END
		link add name br type bridge
		link add vc type veth peer name vd netns $FAR
		link set vb master br
		link set vc master br
		link set dev br up
		link set dev vb up
		link set dev vc up
	END
	ip -n "$FAR" -batch - <<-END
		addr add 10.9.0.2/24 dev vd
		link set vd up
	END
}

# to_far HOW ARG...: a workload that sends to the far end.
to_far() {
	WRAP=(python3 -IS)
	LOAD=$DELAYS prepare far "$1" 10.9.0.2 7000 "${@:2}"
}

# Each of the five packets of 100 bytes was in STAGE from some time in the call
# that sent it until it was captured, and nowhere else.
rows_were_late() {
	grep '^{' "$T/capture.out" | jq -s '[.[] | select(.length == 100) |
		.captured_ns]' >"$T/left"
	cat "$T/far.truth" "$T/left"
	jq -s 'map(select(.length == 100))' "$T/trace.out" | tee "$T/rows"
	jq -en --slurpfile rows "$T/rows" --slurpfile left "$T/left" \
		--slurpfile truth <(sed 1d "$T/far.truth") --arg stage "$1" '
		($truth | length) == 5 and
		([$rows[0], $truth, $left[0]] | transpose | all(
			((.[2] - .[1].called_ns) / 1000 -
				(.[0].sock_us // 0)) as $most |
			([$most, (.[2] - .[1].returned_ns) / 1000] | min)
				as $least |
			$most > 50000 and
			.[0][$stage] > $least * 0.9 - 1000 * '"$NB_SLOW"' and
			.[0][$stage] < $most * 1.1 + 100 and
			.[0].total_us - .[0][$stage] < 5000 * '"$NB_SLOW"'))'
}

# queue KIND...: make it that of device va.
queue() {
	in_ns tc qdisc replace dev va root "$@"
}
