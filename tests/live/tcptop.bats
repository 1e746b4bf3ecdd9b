#!/usr/bin/env bats
# tcptop: what programs sent and received, to the byte.

TOOL=tcptop
load ../helper

setup() {
	# Kernel headers take many times as long as types from BTF.
	[ "${NB_TYPES:-btf}" = btf ] || NB_SLOW=$((4 * NB_SLOW))
	live_setup
}

teardown() {
	live_teardown
}

# sums ARG...: the rows' sums are the truth's.
sums() {
	python3 -IS "$ROOT/tests/sums.py" "$TRUTH" "$T/trace.out" "$@"
	[ "$(missed)" = 0 ]
}

# Sizes that fill no buffer, page or kB.
UP=1234567
DOWN=54321

# carry ARG...: "connload bytes" under a command, from the start of both to
# their end.
carry() {
	prepare load bytes --bytes-up $UP --bytes-down $DOWN "$@"
	trace --json
	go load
	stop
	sums --rows 2
}

# Each way once on connections that are older than the command, and once on
# younger ones.
old_and_new() {
	local ip=$1 way
	shift
	# shellcheck disable=SC2086 # two words
	for way; do
		echo "$way"
		prepare "old$way" bytes --ip "$ip" --bytes-up $UP \
			--bytes-down $DOWN $way --before 10000
		prepare "new$way" bytes --ip "$ip" --bytes-up $UP \
			--bytes-down $DOWN $way --late
	done
	trace --json
	for way; do
		go "old$way"
		go "new$way"
	done
	stop
	sums --rows $((4 * $#))
}

@test "a cold start, a warm start" {
	local how plan=${NB_PLAN:-[a-z]+}
	for how in cold warm; do
		: >"$TRUTH"
		trace --json
		workload bytes --bytes-up 5
		stop
		sums --rows 2
		cat "$T/trace.err"
		grep -Eq "tracing with plan '$plan' \($how start\)" \
			"$T/trace.err"
	done
}

@test "each way to send, IPv4" {
	old_and_new 4 "--send write" "--send sendmsg" "--send sendmmsg" \
		"--send sendfile" "--send splice" "--send zerocopy" \
		"--send uring"
}

@test "each way to receive, IPv4" {
	old_and_new 4 "--recv read" "--recv recvmsg" "--recv recvmmsg" \
		"--recv peek" "--recv waitall" "--recv truncated" \
		"--recv splice" "--recv uring" "--recv mixed"
}

@test "IPv6, and IPv4 on an IPv6 socket" {
	local way="--send sendfile --recv mixed"
	old_and_new 6 "$way"
	: >"$TRUTH"
	unset 'LOAD_PID[*]'
	rm "$T"/*.go
	old_and_new mapped "$way"
}

@test "a zero-copy receive, which maps pages" {
	carry --send sendfile --recv zerocopy
	jq -se 'map(._mapped // 0) | add > 0' "$TRUTH"
}

@test "MPTCP" {
	# By functions, calls that are under way at the start don't count.
	case ${NB_PLAN:-} in
	fentry | kprobe) carry --mptcp --recv peek --late ;;
	*) old_and_new 4 "--mptcp" "--mptcp --recv peek" ;;
	esac
}

@test "many threads, a connection each, and one for all" {
	prepare each bytes --threads 16 --bytes-up 300001 --bytes-down 30001
	prepare all bytes --threads 8 --shared --bytes-up $UP \
		--bytes-down $DOWN --recv mixed --send sendmsg
	trace --json
	go each
	go all
	stop
	sums --rows 34
}

@test "a socket that a child goes on with is the child's" {
	prepare load bytes --inherit --before 5000 --bytes-up $UP \
		--bytes-down $DOWN
	trace --json
	go load
	stop
	sums --rows 2
}

@test "one byte is one byte, and not 0 kB" {
	prepare load bytes --bytes-up 1 --bytes-down 10239
	trace -i 60
	go load
	stop
	grep -q ' 0\.001 *9\.999$' "$T/trace.out"
	grep -q ' 9\.999 *0\.001$' "$T/trace.out"
}

@test "over many intervals nothing is lost, and nothing counted twice" {
	prepare load bytes --threads 8 --bytes-up $((900000000 / NB_SLOW)) \
		--bytes-down 7
	trace --json -i 1
	go load
	stop
	# In more than one.
	[ "$(jq -r .time "$T/trace.out" | sort -u | wc -l)" -gt 1 ]
	sums --rows 16
}

# Row by row: the truth of "pairs" has the bytes at each connection's end.
each_pair() {
	jq -c 'select(.state == "CLOSE") | [.pid, .saddr, .sport, .daddr, .dport,
		.rx_bytes, .tx_bytes]' "$TRUTH" | sort >"$T/want"
	jq -sc 'group_by([.pid, .saddr, .sport, .daddr, .dport])[] |
		[.[0].pid, .[0].saddr, .[0].sport, .[0].daddr, .[0].dport,
		(map(.rx_bytes) | add), (map(.tx_bytes) | add)]' "$T/trace.out" |
		sort >"$T/got"
	diff "$T/want" "$T/got"
}

@test "connections that come and go" {
	trace --json
	workload pairs --count 500 --threads 4 --bytes-up 11 --bytes-down 7
	stop
	[ "$(missed)" = 0 ]
	each_pair
	[ "$(wc -l <"$T/got")" = 1000 ]
}

@test "MPTCP connections that come and go" {
	local n
	trace --json
	for n in 1 2 3; do
		workload bytes --mptcp --late --threads 10 --bytes-up 1000$n \
			--bytes-down 20$n
		workload bytes --mptcp --late --threads 10 --bytes-up 1000$n \
			--bytes-down 20$n --ip 6
	done
	stop
	sums --rows 120
}

@test "connections that wait to be accepted when it starts" {
	in_background queue nsenter --net="/run/netns/$NS" python3 -IS -c '
import os, socket, sys, time
listener = socket.create_server(("127.0.0.1", 0), backlog=20)
clients = []
for _ in range(10):
    clients.append(socket.create_connection(listener.getsockname()))
    clients[-1].sendall(b"x" * 1000)
print("ready", flush=True)
while not os.path.exists(sys.argv[1]):
    time.sleep(0.01)
for _ in clients:
    accepted, _ = listener.accept()
    accepted.recv(2000)
' "$T/now"
	local queue=$SPAWNED
	eventually grep -q ready "$T/queue.out"
	trace --json -i 60
	touch "$T/now"
	await_end "$queue"
	stop
	[ "$(missed)" = 0 ]
	[ "$(jq -s 'length == 10 and all(.rx_bytes == 1000)' "$T/trace.out")" = true ]
}

@test "TCP fast open" {
	ip netns exec "$NS" sysctl -qw net.ipv4.tcp_fastopen=3
	workload pairs --fastopen --bytes-up 5
	: >"$TRUTH"
	trace --json
	workload pairs --fastopen --count 10 --bytes-up 5 --bytes-down 3
	stop
	jq -se 'map(.rx_bytes) | add == 80' "$T/trace.out"
	jq -se 'map(.tx_bytes) | add == 80' "$T/trace.out"
	[ "$(missed)" = 0 ]
}

# Many more than there are places where busy ones are counted; each client's
# connections send the same.
@test "thousands of connections that are busy at once" {
	ulimit -n 5000
	prepare load crowd --count $((12000 / NB_SLOW)) --seconds 3 --read
	trace --json -i 1
	go load
	stop
	[ "$(missed)" = 0 ]
	[ "$(jq -s '[.[].tx_bytes] | add' "$T/trace.out")" = \
		"$(jq -s '.[-1].bytes' "$TRUTH")" ]
	[ "$(jq -s '[.[].rx_bytes] | add' "$T/trace.out")" = \
		"$(jq -s '.[-1].read' "$TRUTH")" ]
	jq -se 'map(select(.tx_bytes > 0)) | group_by([.pid, .sport]) |
		map({pid: .[0].pid, bytes: (map(.tx_bytes) | add)}) |
		group_by(.pid) | all(map(.bytes) | unique | length == 1)' \
		"$T/trace.out"
}

@test "UDP and Unix sockets are nobody's bytes" {
	trace --json
	# shellcheck disable=SC2016 # Python's
	in_ns python3 -IS -c '
import socket
for family, kind in ((socket.AF_UNIX, socket.SOCK_STREAM),
                     (socket.AF_UNIX, socket.SOCK_DGRAM)):
    a, b = socket.socketpair(family, kind)
    a.send(b"x" * 100)
    b.recv(200)
a = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
a.bind(("127.0.0.1", 0))
a.connect(a.getsockname())
a.send(b"x" * 100)
a.recv(200)
'
	workload bytes --bytes-up 5
	stop
	sums --rows 2
}
