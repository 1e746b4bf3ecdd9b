#!/usr/bin/env bats
# delay_analysis_out where devices and queues are of kinds that not every kernel
# has: fq, netem, bonds, VRF.

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

# followed DEVICE [ARG...]: the prepared workload, with rows as captured there.
followed() {
	trace --json "${@:2}"
	capture "$1" --out
	go far
	closed
	stop
	captured
	# Of a VRF also what comes in.
	sed -i '/"nat_saddr": "10\.9\.0\.2"/d' "$T/capture.out"
	rows_match --out
	none_lost
}

@test "pacing by fq: its delay is QDisc's" {
	far_end
	queue fq
	sink 10.9.0.2 7000
	to_far paced
	followed va
	rows_were_late qdisc_us
}

@test "netem: its delay is QDisc's" {
	far_end
	queue netem delay 200ms
	sink 10.9.0.2 7000
	to_far calls
	followed va
	rows_were_late qdisc_us
}

@test "pacing by fq of what the device splits" {
	far_end
	queue fq maxrate 10mbit
	sink 10.9.0.2 7000
	to_far block --bytes 300000
	followed va
	jq -es 'map(.length) | add == 300000' "$T/trace.out"
	jq -es 'map(.qdisc_us) | max > 1000' "$T/trace.out"
}

# bonded MODE: the pair and another one are a bond's.
bonded() {
	far_end
	ip -n "$NS" -batch - <<-END
		link add vc type veth peer name vd netns $FAR
		addr del 10.9.0.1/24 dev va
		link set va down
		link add name bond1 type bond mode $1
		link set va master bond1
		link set vc master bond1
		addr add 10.9.0.1/24 dev bond1
		link set bond1 up
	END
	ip -n "$FAR" -batch - <<-END
		addr del 10.9.0.2/24 dev vb
		link add name br type bridge
		link set vb master br
		link set vd master br
		link set vb up
		link set vd up
		addr add 10.9.0.2/24 dev br
		link set dev br up
	END
}

@test "a bond: one row, of the bond, or of the device below that is asked for" {
	bonded balance-rr
	sink 10.9.0.2 7000
	to_far block --bytes 100000
	for dev in va vc; do
		trace_as "$dev" "$BIN" --netns "$NS" --json -d "$dev"
		BELOW+=("$TRACER")
	done
	followed bond1
	stop INT "${BELOW[0]}"
	stop INT "${BELOW[1]}"
	jq -es 'all(.device == "bond1")' "$T/trace.out"
	jq -es 'length > 1 and all(.device == "va")' "$T/va.out"
	jq -es 'length > 1 and all(.device == "vc")' "$T/vc.out"
	# By turns, and each by one of them.
	cat "$T/va.out" "$T/vc.out" >"$T/trace.out"
	rows_match --out
}

@test "a bond with one device at a time, and its queue" {
	bonded "active-backup primary va"
	queue tbf rate 2mbit burst 1600 limit 200000
	sink 10.9.0.2 7000
	to_far behind
	trace_as bond "$BIN" --netns "$NS" --json -d bond1
	BOND=$TRACER
	trace_as other "$BIN" --netns "$NS" --json -d vc
	OTHER=$TRACER
	followed va -d va
	stop INT "$BOND"
	stop INT "$OTHER"
	rows_were_late qdisc_us
	[ ! -s "$T/other.out" ]
	[ "$(wc -l <"$T/bond.out")" = "$(wc -l <"$T/trace.out")" ]
	jq -es 'all(.device == "bond1" and .qdisc_us < 5000 * '"$NB_SLOW"')' "$T/bond.out"
}

# vrf: the pair's near end is in a VRF.
vrf() {
	far_end
	ip -n "$NS" -batch - <<-END
		link add name blue type vrf table 10
		link set blue up
		link set va master blue
	END
}

@test "VRF: a row of the device that it goes out by" {
	vrf
	sink 10.9.0.2 7000
	to_far block --bytes 20000 --device blue
	trace_as vrf "$BIN" --netns "$NS" --json -d blue
	VRF=$TRACER
	followed va
	stop INT "$VRF"
	jq -es 'all(.device == "va" and .saddr == "10.9.0.1" and .daddr == "10.9.0.2")' "$T/trace.out"
	[ ! -s "$T/vrf.out" ]
}

@test "VRF with a queue: a row of the VRF, or of the device that it goes out by" {
	vrf
	in_ns tc qdisc add dev blue root tbf rate 2mbit burst 3000 limit 200000
	sink 10.9.0.2 7000
	to_far block --bytes 20000 --device blue
	trace_as va "$BIN" --netns "$NS" --json -d va
	VA=$TRACER
	followed blue
	stop INT "$VA"
	jq -es 'all(.device == "blue")' "$T/trace.out"
	jq -es 'map(.qdisc_us) | max > 1000' "$T/trace.out"
	mv "$T/va.out" "$T/trace.out"
	jq -es 'all(.device == "va")' "$T/trace.out"
	rows_match --out
}
