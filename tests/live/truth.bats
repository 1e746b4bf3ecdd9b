#!/usr/bin/env bats
# What is shown is what happened: each row, each field, no row more. Run for
# each plan and buffer (NB_PLAN, NB_BUFFER).

load ../helper

setup() {
	live_setup
}

teardown() {
	live_teardown
}

# everything ARG...: a workload, traced with everything measured.
everything() {
	: >"$TRUTH"
	trace --json -t -f -l
	workload "$@"
	stop
	compare json --latency --failed --life
}

@test "IPv4: 25 connections, both ends" {
	trace --json
	workload pairs --count 25 --from 127.0.0.2
	stop
	compare json --rows 50
}

@test "IPv6: 25 connections, both ends" {
	trace --json
	workload pairs --ip 6 --count 25 --from "$OTHER6"
	stop
	compare json --rows 50
}

@test "IPv4-mapped IPv6 is shown as IPv4" {
	trace --json
	workload pairs --ip mapped --count 25 --from 127.0.0.2
	stop
	compare json --rows 50
}

@test "400 connections from 8 threads to 8 threads" {
	trace --json
	workload pairs --count 400 --threads 8
	stop
	compare json --rows 800
}

@test "non-blocking connect and accept, and connect() called twice" {
	trace --json -t -l
	workload pairs --nonblock --again --count 20 --threads 2
	workload pairs --nonblock --again --ip 6 --count 20 --threads 2
	stop
	compare json --latency --life --rows 160
}

@test "an accept() that was waiting before the command started" {
	prepare early pairs --threads 4 --count 4
	trace --json
	go early
	stop
	compare json --rows 8
}

# start_early ACCEPT_FIRST: a connection is made now, and accepted now or when
# "echo >&$EARLY" lets it; then it ends.
start_early() {
	mkfifo "$T/early.go"
	in_background early nsenter --net="/run/netns/$NS" python3 -c 'import socket, sys
listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
if sys.argv[2] == "yes":
    server = listener.accept()[0]
print(client.getsockname()[1], flush=True)
open(sys.argv[1]).readline()
if sys.argv[2] != "yes":
    server = listener.accept()[0]
client.close()
server.recv(1)
server.close()' "$T/early.go" "$1"
	eventually test -s "$T/early.out"
}

end_early() {
	echo >"$T/early.go"
	await_end "$SPAWNED"
}

@test "a connection queued before the command started" {
	start_early no
	local early=$SPAWNED
	trace --json -t -l
	SPAWNED=$early end_early
	stop
	jq -es --argjson port "$(<"$T/early.out")" --argjson pid "$early" '
		length == 2 and
		all(.pid == $pid and .comm == "python3" and .dport == $port and
			.direction == "accept" and .latency_us == null) and
		.[0].state == "ESTABLISHED" and .[1].state == "CLOSE" and
		.[1].rx_bytes == 0' "$T/trace.out"
}

@test "-l: who was connected before the command started has no end" {
	start_early yes
	local early=$SPAWNED
	trace --json -t -l -f
	SPAWNED=$early end_early
	workload pairs --count 2
	stop
	compare json --latency --life --failed --rows 8
}

@test "TCP fast open" {
	trace --json
	workload pairs --fastopen --count 5
	workload pairs --fastopen --ip 6 --count 5
	stop
	compare json --rows 20
}

@test "TCP fast open with data in the SYN" {
	# For the client and for the server.
	in_ns sh -c 'echo 3 >/proc/sys/net/ipv4/tcp_fastopen'
	everything pairs --fastopen --count 5 --bytes-up 700 --bytes-down 9
	everything pairs --fastopen --count 5 --bytes-up 400 --nonblock
	in_ns sh -c 'cat /proc/net/netstat' | python3 -c '
import sys
lines = [line.split() for line in sys.stdin]
stat = dict(zip(lines[0], lines[1]))
print(stat["TCPFastOpenActive"], stat["TCPFastOpenPassive"])
sys.exit(int(stat["TCPFastOpenPassive"]) < 8)'
}

@test "one socket connected again and again" {
	everything pairs --unspec --count 10 --bytes-up 10 --bytes-down 20
}

@test "MPTCP: one line for each side" {
	trace --json
	workload pairs --mptcp --count 3 --from 127.0.0.2
	workload pairs --mptcp --ip 6 --count 3
	stop
	compare json --rows 12
}

# Debian's kernels under scripts/vm have such system calls; a machine whose
# hypervisor lets no program make them has nothing to show.
@test "a 32-bit program accepts: shown, or counted" {
	local status=0
	"$LOAD" abi32 || status=$?
	if [ "$status" = 77 ]; then
		echo "no program makes 32-bit system calls here"
		return 0
	fi
	[ "$status" = 0 ]
	trace --json -l
	workload pairs --abi32 --count 7 --threads 2 --bytes-up 10
	stop
	if by_function; then
		compare json --life --rows 28
	else
		[ "$(missed)" = 7 ]
		python3 -IS "$ROOT/tests/compare.py" json "$TRUTH" \
			"$T/trace.out" --life --rows 14 \
			--where 'direction == "connect"'
	fi
}

@test "UNIX and UDP sockets, and misuse, are not reported" {
	trace --json -f -l
	workload other --count 3
	workload other --count 3 --ip 6
	workload pairs --count 3
	stop
	compare json --failed --life --rows 12
}

@test "names of threads that JSON has to escape" {
	trace --json
	workload pairs --comm $'a"b\\c\x01\x7f d'
	workload pairs --comm 'grün'
	stop
	compare json --rows 4
}

@test "-t: time in the accept queue, 200 ms" {
	trace --json -t
	workload pairs --accept-delay 200 --count 3
	stop
	compare json --latency --rows 6
	jq -e --argjson slow "$NB_SLOW" 'select(.direction == "accept") |
		.latency_us | . >= 160000 and . <= 200000 + 40000 * $slow' \
		"$T/trace.out"
}

@test "-t: a handshake that takes a second" {
	trace --json -t
	# Who finds the queue full sends its SYN again, after a second.
	workload pairs --backlog 0 --accept-delay 200 --count 3 --threads 3
	stop
	compare json --latency --rows 6
	jq -es 'map(select(.direction == "connect" and .latency_us > 900000))
		| length > 0' "$T/trace.out"
}

@test "-l: bytes each way, and how long it lasted" {
	everything pairs --count 3 --bytes-up 100000 --bytes-down 7 --hold 60
	jq -es 'map(select(.duration_us >= 50000)) | length == 6' \
		"$T/trace.out"
}

@test "-l: IPv6, and megabytes" {
	everything pairs --ip 6 --count 4 --threads 2 --bytes-up 3 \
		--bytes-down 3000000 --from "$OTHER6"
}

# A second namespace, behind a link, for the server.
add_server_netns() {
	SERVER_NS=$NS-server
	new_netns "$SERVER_NS"
	in_ns ip link add va type veth peer name vb netns "$SERVER_NS"
	in_ns ip addr add 192.0.2.1/24 dev va
	in_ns ip link set va up
	nsenter --net="/run/netns/$SERVER_NS" ip addr add 192.0.2.2/24 dev vb
	nsenter --net="/run/netns/$SERVER_NS" ip link set vb up
}

@test "a namespace is the socket's, not the process's" {
	add_server_netns
	trace_as trace "$BIN" --json -t -l -n "$SERVER_NS"
	workload pairs --count 3 --addr 192.0.2.2 \
		--server-netns "/run/netns/$SERVER_NS"
	stop
	compare json --latency --life --rows 6 \
		--where 'saddr == "192.0.2.2"'
}

@test "-l: bytes that were sent twice count once" {
	add_server_netns
	local mac
	mac=$(nsenter --net="/run/netns/$SERVER_NS" ip -j link show vb |
		jq -r '.[0].address')
	trace --json -l
	prepare load pairs --addr 192.0.2.2 --bytes-up $((500000000 / NB_SLOW)) \
		--bytes-down 5 --server-netns "/run/netns/$SERVER_NS"
	echo go >&"${LOAD_FD[load]}"
	# What goes to this address is lost; but not for ever, as TCP would wait
	# longer and longer.
	local flips=0
	while ! ended "${LOAD_PID[load]}" && [ $((++flips)) -le 60 ]; do
		in_ns ip neigh replace 192.0.2.2 dev va \
			lladdr 02:00:00:00:00:99 nud permanent
		in_ns ip neigh replace 192.0.2.2 dev va lladdr "$mac" \
			nud permanent
	done
	finish load
	in_ns sh -c 'cat /proc/net/snmp' | python3 -c '
import sys
lines = [line.split() for line in sys.stdin if line.startswith("Tcp:")]
stat = dict(zip(lines[0], lines[1]))
print(stat["RetransSegs"])
sys.exit(int(stat["RetransSegs"]) == 0)'
	stop
	compare json --life --rows 2 --where 'direction == "connect"'
}

@test "-l: no bytes at all" {
	everything pairs --count 4
}

@test "-l: connections that end by a reset" {
	everything pairs --rst --count 4 --bytes-up 5 --bytes-down 100001
}

@test "-l: connections that wait in the accept queue" {
	everything pairs --accept-delay 100 --count 2 --bytes-up 12
}

@test "-l: connections that are reset before they are accepted" {
	everything pairs --rst --accept-delay 50 --count 3 --bytes-up 10
}
