#!/usr/bin/env bats
# nic_throughput: what it says is what interfaces, TCP and queues have counted.

TOOL=nic_throughput
load ../helper

setup() {
	live_setup
	# Nothing goes by itself over the devices of these tests.
	in_ns sysctl -qw net.ipv6.conf.default.disable_ipv6=1
}

teardown() {
	live_teardown
	[ -z "${PUBLIC:-}" ] || rmdir "$PUBLIC"
}

# Run "$@" in the namespace at the other end of the veth.
in_peer() {
	nsenter --net="/run/netns/${NS}p" "$@"
}

# add_veth ARG...: va here and vb there, both down yet.
add_veth() {
	ip netns add "${NS}p"
	NAMESPACES+=("${NS}p")
	in_peer sysctl -qw net.ipv6.conf.default.disable_ipv6=1
	ip -n "$NS" link add va address 02:00:00:00:00:01 "$@" type veth \
		peer name vb netns "${NS}p" address 02:00:00:00:00:02 "$@"
}

veth_up() {
	ip -n "$NS" -batch - <<-END
		addr add 192.0.2.1/24 dev va
		link set va up
		neigh add 192.0.2.2 dev va lladdr 02:00:00:00:00:02 nud permanent
	END
	ip -n "${NS}p" -batch - <<-END
		addr add 192.0.2.2/24 dev vb
		link set vb up
		neigh add 192.0.2.1 dev vb lladdr 02:00:00:00:00:01 nud permanent
	END
}

# offloads on|off DEVICE IN...: those that make one skb of many packets.
offloads() {
	local to=$1 dev=$2
	shift 2
	"$@" ethtool -K "$dev" tso "$to" gso "$to" gro "$to" 2>/dev/null
}

# counted DEVICE rx|tx packets|bytes: by the interface itself.
counted() {
	ip -n "$NS" -s -j link show dev "$1" | jq ".[0].stats64.$2.$3"
}

# told DEVICE rx|tx SCOPE KEY: by the command, in all.
told() {
	jq -s --arg n "$1" --arg d "$2" --arg s "$3" "map(select(.name == \$n and
		.direction == \$d and .scope == \$s) | .$4) | add // 0" \
		"$T/${FROM:-trace}.out"
}

# same WHAT A B
same() {
	echo "$1: $2, $3"
	[ "$2" = "$3" ]
}

# as_counted DEVICE SKB-KEY: the interface's packets, all.
as_counted() {
	local direction
	for direction in rx tx; do
		same "$1 $direction" "$(counted "$1" "$direction" packets)" \
			"$(told "$1" "$direction" total "$2")" || return
		same "$1 $direction bypassed" 0 \
			"$(told "$1" "$direction" bypassed packets)" || return
	done
}

# bytes_as_counted DEVICE [N]: and its bytes; it leaves out N of each packet.
bytes_as_counted() {
	local direction
	for direction in rx tx; do
		same "$1 $direction bytes" $(($(counted "$1" "$direction" bytes) +
			$(told "$1" "$direction" total packets) * ${2:-0})) \
			"$(told "$1" "$direction" total bytes)" || return
	done
}

# Segments that TCP has sent in a namespace.
segments() {
	"$@" cat /proc/net/snmp | awk '$1 == "Tcp:" && $2 ~ /^[0-9]/ {
		print $12 + $13 }'
}

# iperf SERVER-PREFIX ADDRESS SIZE ARG...: over TCP, from the namespace.
iperf() {
	local server=$1 address=$2 size=$3
	shift 3
	# Not by the function: its child would outlive it.
	local ns=$NS pid
	[ "$server" = in_ns ] || ns=${NS}p
	in_background iperf nsenter --net="/run/netns/$ns" \
		iperf3 --forceflush -s -1
	pid=$SPAWNED
	eventually grep -q listening "$T/iperf.out"
	in_ns iperf3 -c "$address" -n "$size" "$@" >"$T/client.out"
	await_end "$pid"
	# The kernel goes on with what the programs have left to it.
	eventually no_connection in_ns
	[ "$server" = in_ns ] || eventually no_connection "$server"
}

# Are all connections of the namespace in TIME_WAIT (6), or none?
no_connection() {
	"$@" cat /proc/net/tcp /proc/net/tcp6 | awk '$1 != "sl" && $4 != "06" {
		n++ } END { exit n > 0 }'
}

# datagrams PREFIX FAMILY ADDRESS COUNT SIZE [SEGMENT]
datagrams() {
	local prefix=$1
	shift
	"$prefix" python3 -IS - "$@" <<-'END'
		import socket, sys
		family, address = sys.argv[1:3]
		count, size, segment = map(int, (sys.argv[3:] + ["0"])[:3])
		s = socket.socket(getattr(socket, family), socket.SOCK_DGRAM)
		s.bind(("", 0))
		if segment:
		    s.setsockopt(socket.IPPROTO_UDP, 103, segment)  # UDP_SEGMENT
		# To a socket that never reads: no ICMP error comes back.
		r = socket.socket(getattr(socket, family), socket.SOCK_DGRAM)
		r.bind(("", 9000))
		for _ in range(count):
		    s.sendto(bytes(size), (address, 9000))
	END
}

# At tens of thousands of skbs a second some kernels (6.18) now and then run no
# eBPF program for a burst of them, and count none as missed: the more often, the
# more else the machine does. Those are to be told as bypassed, all but as many as
# there are processors.
#
# told_missing DEVICE: is what was told all but those?
told_missing() {
	local direction all told left
	for direction in rx tx; do
		all=$(counted "$1" "$direction" packets)
		told=$(told "$1" "$direction" total skbs)
		left=$((all - told - $(told "$1" "$direction" bypassed packets)))
		echo "$1 $direction: $all, $told told, $left not"
		[ "$left" -ge 0 ] && [ "$left" -le "$(nproc)" ] || return
	done
}

# few_missing DEVICE: and are they few?
few_missing() {
	local direction all
	told_missing "$1" || return
	for direction in rx tx; do
		all=$(counted "$1" "$direction" packets)
		[ $(((all - $(told "$1" "$direction" total skbs)) * 1000)) -le \
			"$all" ] || return
	done
}

# attempts TIMES DEVICE FUNCTION: one of so many, each in a namespace of its own,
# is to be as the function wants it; in the others nothing is untold.
attempts() {
	local times=$1 try
	for try in $(seq "$times"); do
		! "$3" || return 0
		told_missing "$2" || return
		NS=nb$$-$BATS_TEST_NUMBER-$try
		new_netns "$NS"
		in_ns sysctl -qw net.ipv6.conf.default.disable_ipv6=1
	done
	return 1
}

lo_with_gso() {
	local packets skbs
	ip -n "$NS" link set lo mtu 1500
	trace -n lo --json || return
	iperf in_ns 127.0.0.1 "${SIZE}M" || return
	stop || return
	as_counted lo skbs || return
	packets=$(told lo tx total packets)
	skbs=$(told lo tx total skbs)
	same segments "$(segments in_ns)" "$packets" || return
	same "rx is tx" "$packets" "$(told lo rx total packets)" || return
	# lo leaves out Ethernet's header. A further packet of an skb repeats
	# that, IPv4's, and TCP's with time stamps.
	same bytes $(($(counted lo tx bytes) + skbs * 14 + \
		(packets - skbs) * 66)) "$(told lo tx total bytes)" || return
	[ "$packets" -gt $((skbs * 2)) ]
}

@test "lo with GSO: packets are TCP's segments, skbs the interface's" {
	SIZE=60
	attempts 10 lo lo_with_gso
}

much_with_gso() {
	lo_with_gso || few_missing lo
}

@test "lo with GSO, 10 GB: all packets, or the few that are told to be missing" {
	SIZE=$((10000 / NB_SLOW / NB_SLOW))
	attempts 3 lo much_with_gso
}

lo_without_gso() {
	offloads off lo in_ns
	trace -n lo --json || return
	iperf in_ns 127.0.0.1 "${SIZE}M" || return
	stop || return
	as_counted lo packets || return
	bytes_as_counted lo 14
}

@test "lo without offloads: packets and bytes are the interface's" {
	SIZE=60
	attempts 10 lo lo_without_gso
}

much_without_gso() {
	lo_without_gso || few_missing lo
}

@test "lo without offloads, 10 GB: all packets, or the few said to be missing" {
	SIZE=$((10000 / NB_SLOW / NB_SLOW))
	attempts 3 lo much_without_gso
}

veth_without_gso() {
	add_veth
	offloads off va in_ns
	offloads off vb in_peer
	trace -n va --json || return
	veth_up
	iperf in_peer 192.0.2.2 "$((60 / NB_SLOW))M" || return
	iperf in_peer 192.0.2.2 "$((30 / NB_SLOW))M" -R || return
	stop || return
	as_counted va packets || return
	bytes_as_counted va
}

@test "veth without offloads: packets and bytes are the interface's" {
	attempts 10 va veth_without_gso
}

veth_with_gso() {
	add_veth
	offloads on va in_ns
	offloads on vb in_peer
	trace -n va --json || return
	veth_up
	iperf in_peer 192.0.2.2 "$((60 / NB_SLOW))M" || return
	iperf in_peer 192.0.2.2 "$((30 / NB_SLOW))M" -R || return
	stop || return
	as_counted va skbs || return
	same sent "$(segments in_ns)" "$(told va tx total packets)" || return
	same received "$(segments in_peer)" "$(told va rx total packets)"
}

@test "veth with GSO and GRO: wire packets are both ends' segments" {
	attempts 10 va veth_with_gso
}

queues_as_qdisc() {
	add_veth numtxqueues 4 numrxqueues 4 || return
	trace -n va --json || return
	veth_up || return
	tc -n "$NS" qdisc replace dev va root handle 1: mq || return
	iperf in_peer 192.0.2.2 "$((100 / NB_SLOW))M" -P 6 || return
	stop || return
	as_counted va skbs || return
	tc -n "$NS" -s -j qdisc show dev va | jq -c '[.[] |
		select(.parent != null and .packets > 0) | [(.parent[2:] | tonumber) - 1,
		.packets, .bytes]] | sort' >"$T/qdiscs"
	jq -s -c '[.[] | select(.direction == "tx" and .scope == "queue")] |
		group_by(.queue) | map([.[0].queue, (map(.packets) | add),
		(map(.bytes) | add)]) | map(select(.[1] > 0)) | sort' \
		"$T/trace.out" >"$T/queues"
	cat "$T/qdiscs"
	diff "$T/qdiscs" "$T/queues" || return
	[ "$(jq length "$T/queues")" -ge 2 ] || return
	# The total is that of the queues.
	same total "$(told va tx queue packets)" "$(told va tx total packets)" || return
	same total "$(told va rx queue bytes)" "$(told va rx total bytes)"
}

@test "queues: packets and bytes of each are its qdisc's" {
	# Exact at once on the kernels that leave nothing out.
	attempts "$([ "$NB_SLOW" = 1 ] && echo 10 || echo 1)" va queues_as_qdisc
}

@test "UDP: exact to the packet and the byte, IPv4 and IPv6" {
	trace -n lo --json
	datagrams in_ns AF_INET 127.0.0.1 1000 100
	stop
	same packets 1000 "$(told lo tx total packets)"
	same packets 1000 "$(told lo rx total packets)"
	same bytes $((1000 * (14 + 20 + 8 + 100))) "$(told lo tx total bytes)"
	same bytes $((1000 * (14 + 20 + 8 + 100))) "$(told lo rx total bytes)"
	trace -n lo --json
	datagrams in_ns AF_INET6 ::1 500 1000
	stop
	same packets 500 "$(told lo tx total packets)"
	same bytes $((500 * (14 + 40 + 8 + 1000))) "$(told lo tx total bytes)"
	same bytes $((500 * (14 + 40 + 8 + 1000))) "$(told lo rx total bytes)"
}

@test "UDP with GSO: each segment is a packet with its headers" {
	trace -n lo --json
	datagrams in_ns AF_INET 127.0.0.1 100 9500 1000
	datagrams in_ns AF_INET6 ::1 100 3000 1000
	stop
	as_counted lo skbs
	same packets $((100 * 10 + 100 * 3)) "$(told lo tx total packets)"
	same packets $((100 * 10 + 100 * 3)) "$(told lo rx total packets)"
	local bytes=$((100 * (9500 + 10 * 42) + 100 * (3000 + 3 * 62)))
	same bytes "$bytes" "$(told lo tx total bytes)"
	same bytes "$bytes" "$(told lo rx total bytes)"
}

@test "a driver that drops: what it did not take is not counted" {
	# shellcheck disable=SC2016 # for the other shell
	in_background tap nsenter --net="/run/netns/$NS" python3 -IS -c '
import fcntl, os, struct, time
tap = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tap, 0x400454ca, struct.pack("16sH", b"nt0", 0x1002))
print("ready", flush=True)
time.sleep(600)'
	eventually grep -q ready "$T/tap.out"
	trace -n nt0 --json
	ip -n "$NS" -batch - <<-END
		link set nt0 txqueuelen 20
		addr add 192.0.2.1/24 dev nt0
		link set nt0 up
		neigh add 192.0.2.2 dev nt0 lladdr 02:00:00:00:00:02 nud permanent
	END
	datagrams in_ns AF_INET 192.0.2.2 100 100
	stop
	local dropped
	dropped=$(ip -n "$NS" -s -j link show dev nt0 |
		jq '.[0].stats64.tx.dropped')
	echo "$dropped dropped"
	[ "$dropped" -ge 50 ]
	same packets $((100 - dropped)) "$(told nt0 tx total packets)"
	same bytes $(((100 - dropped) * 142)) "$(told nt0 tx total bytes)"
}

@test "multicast: the sender's own copy is no packet" {
	add_veth
	trace -n va --json
	veth_up
	in_ns python3 -IS -c '
import socket
r = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
r.bind(("", 9000))
r.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
    socket.inet_aton("239.1.2.3") + socket.inet_aton("192.0.2.1"))
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF,
    socket.inet_aton("192.0.2.1"))
for _ in range(50):
    s.sendto(bytes(10), ("239.1.2.3", 9000))
for _ in range(50):
    r.recv(100)'
	stop
	same received 0 "$(told va rx total packets)"
	[ "$(told va tx total packets)" -ge 50 ]
}

@test "a device of another namespace is not counted" {
	add_veth
	trace -n lo --json
	veth_up
	ip -n "${NS}p" link set lo up
	datagrams in_peer AF_INET 127.0.0.1 10 10
	datagrams in_ns AF_INET 127.0.0.1 5 10
	stop
	same packets 5 "$(told lo tx total packets)"
	refute grep -v '"name":"lo"' "$T/trace.out"
}

# Wait for a number of outputs more.
outputs() {
	local n=$(($(grep -c '"direction":"tx","scope":"total"' \
		"$T/trace.out") + $1))
	eventually has_outputs "$n"
}

has_outputs() {
	[ "$(grep -c '"direction":"tx","scope":"total"' "$T/trace.out")" -ge "$1" ]
}

@test "XDP: what it drops is shown as bypassed" {
	add_veth
	in_background xdp nsenter --net="/run/netns/$NS" "$ROOT/build/work/xdpdrop" va
	eventually grep -q . "$T/xdp.out" "$T/xdp.err"
	[ ! -s "$T/xdp.err" ] || skip "$(<"$T/xdp.err")"
	trace -n va --json
	veth_up
	outputs 2
	datagrams in_peer AF_INET 192.0.2.1 500 100
	outputs 2
	stop
	same seen 0 "$(told va rx total packets)"
	same bypassed 500 "$(told va rx bypassed packets)"
	same bypassed 0 "$(told va tx bypassed packets)"
	jq -e -s 'map(select(.scope == "bypassed")) | length > 0 and
		all(.skbs == null and .queue == null)' "$T/trace.out"
}

@test "PACKET_QDISC_BYPASS: what is sent by it is shown as bypassed" {
	add_veth
	trace -n va --json
	veth_up
	outputs 2
	datagrams in_ns AF_INET 192.0.2.2 7 100
	in_ns python3 -IS -c '
import socket
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("va", 0x88b5))
s.setsockopt(263, 20, 1)  # SOL_PACKET, PACKET_QDISC_BYPASS
for _ in range(300):
    s.send(bytes(12) + b"\x88\xb5" + bytes(86))'
	outputs 2
	stop
	same seen 7 "$(told va tx total packets)"
	same bypassed 300 "$(told va tx bypassed packets)"
	same bytes $((300 * 100)) "$(told va tx bypassed bytes)"
}

@test "a new name: the row stays, and loses nothing" {
	add_veth
	trace -n va --json
	veth_up
	datagrams in_ns AF_INET 192.0.2.2 100 100
	ip -n "$NS" link set va down
	ip -n "$NS" link set va name wan
	ip -n "$NS" link set wan up
	ip -n "$NS" neigh replace 192.0.2.2 dev wan lladdr 02:00:00:00:00:02
	datagrams in_ns AF_INET 192.0.2.2 100 100
	eventually grep -q "device 'va' is called 'wan' now" "$T/trace.err"
	stop
	jq -s 'map(select(.direction == "tx" and .scope == "total") | .packets) |
		add' "$T/trace.out" | grep -x 200
	same devices 1 "$(jq .ifindex "$T/trace.out" | sort -u | wc -l)"
}

@test "all: devices come and go, and it says so" {
	trace -n all --json
	add_veth
	eventually grep -q "device 'va' has appeared" "$T/trace.err"
	veth_up
	datagrams in_ns AF_INET 192.0.2.2 100 100
	datagrams in_ns AF_INET 127.0.0.1 50 100
	outputs 1
	ip -n "$NS" link del va
	eventually grep -q "device 'va' has gone" "$T/trace.err"
	add_again
	datagrams in_ns AF_INET 192.0.2.2 30 100
	stop
	same va 130 "$(told va tx total packets)"
	same lo 50 "$(told lo tx total packets)"
}

# The veth, after it has gone.
add_again() {
	ip -n "$NS" link add va index 77 address 02:00:00:00:00:01 type veth \
		peer name vb netns "${NS}p" address 02:00:00:00:00:02
	eventually_twice "device 'va' has appeared"
	veth_up
}

eventually_twice() {
	eventually has_twice "$1"
}

has_twice() {
	[ "$(grep -c "$1" "$T/trace.err")" = 2 ]
}

@test "a device that was asked for goes, and comes back" {
	add_veth
	trace -n va -n lo --json
	ip -n "$NS" link del va
	eventually grep -q "device 'va' has gone" "$T/trace.err"
	ip -n "$NS" link add va index 77 address 02:00:00:00:00:01 type veth \
		peer name vb netns "${NS}p" address 02:00:00:00:00:02
	eventually grep -q "device 'va' has appeared" "$T/trace.err"
	veth_up
	datagrams in_ns AF_INET 192.0.2.2 40 100
	ip -n "$NS" link add other type veth peer name rehto
	stop
	same va 40 "$(told va tx total packets)"
	refute grep -q other "$T/trace.out"
}

@test "more devices than have places: all are counted" {
	local i
	for i in $(seq 5); do
		ip -n "$NS" link add "n$i" index $((i * 64 + 1)) type veth \
			peer name "p$i"
	done
	# lo has index 1; all have the same place.
	trace -n all --json
	ip -n "$NS" -batch - <<-END
		addr add 192.0.2.1/24 dev n3
		link set n3 up
		link set p3 up
		neigh add 192.0.2.2 dev n3 lladdr 02:00:00:00:00:02 nud permanent
	END
	datagrams in_ns AF_INET 192.0.2.2 60 100
	datagrams in_ns AF_INET 127.0.0.1 40 100
	stop
	same n3 60 "$(told n3 tx total packets)"
	same p3 60 "$(told p3 rx total packets)"
	same lo 40 "$(told lo tx total packets)"
}

@test "--max-queues 1: what is not counted is told" {
	ip -n "$NS" link add n1 index 65 type veth peer name p1
	ip -n "$NS" link add n2 index 129 type veth peer name p2
	trace -n all --json --max-queues 1
	local i
	for i in 1 2; do
		ip -n "$NS" -batch - <<-END
			addr add 192.0.$i.1/24 dev n$i
			link set n$i up
			link set p$i up
			neigh add 192.0.$i.2 dev n$i lladdr 02:00:00:00:00:02 nud permanent
		END
		datagrams in_ns AF_INET 192.0.$i.2 60 100
	done
	stop
	local sum full
	sum=$(jq -s 'map(select(.scope == "total") | .skbs) | add' "$T/trace.out")
	full=$(sum_of '([0-9]+) packets not remembered')
	same "all there was" 240 $((sum + full))
	[ "$full" -gt 0 ]
	grep -q 'try a larger --max-queues' "$T/trace.err"
}

@test "two at once see the same, and one's end is not the other's" {
	trace -n lo --json
	local first=$TRACER
	trace_as second "$BIN" -n lo --netns "$NS" --json
	datagrams in_ns AF_INET 127.0.0.1 100 100
	stop INT "$first"
	same first 100 "$(told lo tx total packets)"
	datagrams in_ns AF_INET 127.0.0.1 100 100
	stop
	same second 200 "$(FROM=second told lo tx total packets)"
}

# The programs of this command that are in the kernel.
programs() {
	bpftool -j prog show | jq -r --argjson pid "$1" '.[] |
		select(any(.pids[]?; .pid == $pid)) | .id'
}

gone() {
	local id
	for id in $1; do
		! bpftool prog show id "$id" >/dev/null 2>&1 || return 1
	done
}

@test "however it ends, nothing is left" {
	local signal ids maps
	for signal in INT TERM HUP KILL; do
		trace -n lo --json
		maps=$(cat /proc/"$TRACER"/fdinfo/* 2>/dev/null |
			awk '/^map_id:/ { print $2 }' | sort -u | jq -sc .)
		ids=$(bpftool -j prog show | jq --argjson m "$maps" '.[] |
			select(any(.map_ids[]?; IN($m[]))) | .id')
		[ "$(wc -w <<<"$ids")" -ge 3 ]
		datagrams in_ns AF_INET 127.0.0.1 10 100
		if [ "$signal" = KILL ]; then
			kill -KILL "$TRACER"
			eventually ended "$TRACER"
		else
			stop "$signal"
			same packets 10 "$(told lo tx total packets)"
		fi
		eventually gone "$ids"
	done
}

@test "-c: so many outputs, and -i: so far apart" {
	trace -n lo --json -c 2
	await_end "$TRACER"
	same outputs 2 "$(grep -c '"direction":"tx","scope":"total"' \
		"$T/trace.out")"
	jq -e -s 'all(.duration_us > 900000)' "$T/trace.out"
	trace -n lo --json -c 1 -i 2
	await_end "$TRACER"
	jq -e -s 'all(.duration_us > 1900000) and length == 2' "$T/trace.out"
}

@test "the table" {
	trace -n lo -n all --raw -i 60 # all in one interval
	datagrams in_ns AF_INET 127.0.0.1 1000 958
	stop
	cat "$T/trace.out"
	head -n 4 "$T/trace.out" >"$T/head"
	grep -Eq '^[A-Z][a-z]{2} [A-Z][a-z]{2} [ 0-9]{2} [0-9:]{8} [0-9]{4}$' \
		<(head -n 1 "$T/head")
	same device "Device lo" "$(sed -n 2p "$T/head")"
	same direction TX "$(sed -n 3p "$T/head")"
	same header " QueueID    avg_size   BPS        PPS" \
		"$(sed -n 4p "$T/head")"
	grep -Eq '^ 0          1000.00 +[0-9.]+ +[0-9.]+$' "$T/trace.out"
	grep -Eq '^ -          1000.00 +[0-9.]+ +[0-9.]+$' "$T/trace.out"
	[ "$(grep -cE '^ Total      1000.00 ' "$T/trace.out")" = 2 ]
	same rule "$(printf '%060d' 0 | tr 0 -)" "$(tail -n 1 "$T/trace.out")"
	# One device is not named.
	trace -n lo
	stop
	refute grep -q Device "$T/trace.out"
}

@test "| head -1: ends with success when its reader has gone" {
	mkfifo "$T/pipe"
	# shellcheck disable=SC2016 # for the other shell
	in_background head sh -c 'exec head -n 1 <"$0"' "$T/pipe"
	# shellcheck disable=SC2016 # for the other shell
	in_background trace sh -c 'exec "$@" >"$0"' "$T/pipe" "$BIN" \
		-n lo --netns "$NS" -v "${PLAN[@]}"
	await_end "$SPAWNED"
	one_line "$T/trace.err" "tracing with plan"
	[ "$(wc -l <"$T/head.out")" = 1 ]
}

@test "a full disk: one line, exit status 1" {
	refute "$BIN" -n lo --netns "$NS" "${PLAN[@]}" >/dev/full 2>"$T/err"
	one_line "$T/err" '^nic_throughput: cannot write standard output: No space'
	refute "$BIN" -n lo --netns "$NS" "${PLAN[@]}" --json >/dev/full 2>"$T/err"
	one_line "$T/err" '^nic_throughput: cannot write standard output: No space'
}

@test "no such device, no such namespace: one line, exit status 1" {
	run --separate-stderr "$BIN" -n eth99 --netns "$NS"
	same status 1 "$status"
	same stderr "nic_throughput: cannot use --name 'eth99': no such device\
 (there are lo)" "$stderr"
	run --separate-stderr "$BIN" -n lo --netns nothing
	same status 1 "$status"
	same stderr "nic_throughput: cannot use --netns 'nothing': No such file\
 or directory" "$stderr"
	run --separate-stderr "$BIN" -n lo --netns /etc/passwd
	same status 1 "$status"
	[ "${#stderr_lines[@]}" = 1 ]
}

@test "--netns by name, path and inode, and by default one's own" {
	local ns
	for ns in "$NS" "/run/netns/$NS" "$(stat -Lc %i "/run/netns/$NS")"; do
		trace_as trace "$BIN" -n lo --json --netns "$ns"
		datagrams in_ns AF_INET 127.0.0.1 10 100
		stop
		same packets 10 "$(told lo tx total packets)"
	done
	trace_as trace nsenter --net="/run/netns/$NS" "$BIN" -n lo --json
	datagrams in_ns AF_INET 127.0.0.1 10 100
	stop
	same packets 10 "$(told lo tx total packets)"
}

# A line of /proc/PID/status.
status_of() {
	awk -v name="$2:" '$1 == name { print $2 }' "/proc/$1/status"
}

@test "it keeps CAP_BPF only, and stays below 10 MB" {
	trace -n all --no-cache
	same caps 0000008000000000 "$(status_of "$TRACER" CapPrm)"
	same threads 1 "$(status_of "$TRACER" Threads)"
	echo "$(status_of "$TRACER" VmRSS) kB"
	[ "$(status_of "$TRACER" VmRSS)" -le 10240 ]
	stop
}

@test "as nobody: one line; with CAP_BPF and CAP_PERFMON it works" {
	PUBLIC=$(mktemp -d)
	chmod 755 "$PUBLIC"
	MOUNTS+=("$PUBLIC")
	mount -t tmpfs -o mode=755 none "$PUBLIC"
	mkdir "$PUBLIC/bin"
	cp "$BIN" "$PUBLIC/bin"
	cp -R "$ROOT/build/libexec" "$PUBLIC"
	local as=(setpriv --reuid nobody --regid nogroup --clear-groups)
	run --separate-stderr "${as[@]}" "$PUBLIC/bin/$TOOL" -n lo
	same status 1 "$status"
	same stderr "nic_throughput: cannot trace: Operation not permitted\
 (run as root, or with CAP_BPF and CAP_PERFMON)" "$stderr"
	trace_as trace nsenter --net="/run/netns/$NS" "${as[@]}" --inh-caps +bpf,+perfmon \
		--ambient-caps +bpf,+perfmon "$PUBLIC/bin/$TOOL" --json -n lo
	datagrams in_ns AF_INET 127.0.0.1 10 100
	stop
	same packets 10 "$(told lo tx total packets)"
}
