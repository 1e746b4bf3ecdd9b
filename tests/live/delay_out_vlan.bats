#!/usr/bin/env bats
# delay_analysis_out where packets have VLAN tags, for kernels that know these.

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

# vlan PROTOCOL: devices with this tag on top of the pair, with the addresses.
vlan() {
	far_end
	ip -n "$NS" -batch - <<-END
		addr del 10.9.0.1/24 dev va
		link add link va name va.5 type vlan proto $1 id 5
		addr add 10.9.0.1/24 dev va.5
		link set va.5 up
	END
	ip -n "$FAR" -batch - <<-END
		addr del 10.9.0.2/24 dev vb
		link add link vb name vb.5 type vlan proto $1 id 5
		addr add 10.9.0.2/24 dev vb.5
		link set vb.5 up
	END
}

# The tag is among the packet's data, not beside it.
in_data() {
	in_ns ethtool -K va txvlan off tx-vlan-stag-hw-insert off >/dev/null
}

# A block of data, all of whose packets are in rows as they are on the wire.
moved() {
	sink 10.9.0.2 7000
	to_far block --bytes 100000
	trace --json
	capture va.5 --out
	go far
	closed
	stop
	captured
	rows_match --out
	jq -es 'all(.device == "va.5")' "$T/trace.out"
}

@test "802.1Q: the tag beside the data" {
	vlan 802.1Q
	moved
}

@test "802.1Q: the tag in the data" {
	vlan 802.1Q
	in_data
	moved
}

@test "802.1ad: the tag in the data" {
	vlan 802.1ad
	in_data
	moved
}

@test "a queue of the device below is the other one's, with -d" {
	vlan 802.1Q
	in_ns tc qdisc replace dev va root tbf rate 2mbit burst 1600 limit 200000
	sink 10.9.0.2 7000
	to_far behind
	trace --json -d va
	capture va --out
	go far
	closed
	stop
	captured
	rows_match --out
	rows_were_late qdisc_us
}
