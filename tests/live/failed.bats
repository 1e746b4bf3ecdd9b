#!/usr/bin/env bats
# Connects that come to nothing: shown by -f only, with the reason.

load ../helper

setup() {
	live_setup
}

teardown() {
	live_teardown
}

@test "a refused connect is no connection" {
	trace --json -t -l
	workload fail --expect ECONNREFUSED --count 3
	workload fail --expect ECONNREFUSED --nonblock --count 3
	workload fail --expect ECONNREFUSED --ip 6 --count 3
	workload fail --expect ENETUNREACH --addr 192.0.2.1 --port 9
	workload pairs --count 3
	stop
	compare json --latency --life --rows 12
}

@test "-f: refused, blocking and not" {
	trace --json -f -t
	workload fail --expect ECONNREFUSED --count 3
	workload fail --expect ECONNREFUSED --count 3 --bind
	workload fail --expect ECONNREFUSED --count 3 --nonblock
	workload fail --expect ECONNREFUSED --count 3 --nonblock --bind
	workload pairs --count 3
	stop
	compare json --failed --latency --rows 18
}

@test "-f: refused, IPv6 and mapped" {
	trace --json -f -t
	workload fail --expect ECONNREFUSED --ip 6 --count 3
	workload fail --expect ECONNREFUSED --ip 6 --count 3 --nonblock --bind
	workload fail --expect ECONNREFUSED --ip mapped --count 3
	workload fail --expect ECONNREFUSED --ip mapped --count 3 --nonblock
	stop
	compare json --failed --latency --rows 12
}

@test "-f: the network is unreachable" {
	trace --json -f -t
	workload fail --expect ENETUNREACH --addr 192.0.2.1 --port 9
	workload fail --expect ENETUNREACH --addr 192.0.2.1 --port 9 --nonblock
	workload fail --expect ENETUNREACH --addr 192.0.2.1 --port 9 \
		--ip mapped
	workload fail --expect ENETUNREACH --addr 2001:db8::1 --port 9 --ip 6
	stop
	compare json --failed --latency --rows 4
}

@test "-f: routes that refuse" {
	in_ns ip route add unreachable 198.51.100.0/24
	in_ns ip route add prohibit 203.0.113.0/24
	trace --json -f -t
	workload fail --expect EHOSTUNREACH --addr 198.51.100.1 --port 9
	workload fail --expect EACCES --addr 203.0.113.1 --port 9
	stop
	compare json --failed --latency --rows 2
}

@test "-f: no source port, or no address is left" {
	trace --json -f -t
	workload fail --same-tuple --expect EADDRNOTAVAIL --count 2
	workload fail --same-tuple --expect EADDRNOTAVAIL --count 2 --ip 6
	stop
	compare json --failed --latency --rows 8
}

@test "-f: nobody answers" {
	add_blackhole
	trace --json -f -t
	workload fail --addr "$BLACKHOLE" --port 9 --expect ETIMEDOUT \
		--user-timeout 500
	workload fail --addr "$BLACKHOLE6" --port 9 --expect ETIMEDOUT \
		--user-timeout 500 --ip 6 --nonblock
	stop
	compare json --failed --latency --rows 2
}

@test "-f: closed before the answer" {
	add_blackhole
	trace --json -f -t
	workload fail --addr "$BLACKHOLE" --port 9 --close --count 5
	workload fail --addr "$BLACKHOLE6" --port 9 --close --count 5 --ip 6
	stop
	compare json --failed --latency --rows 10
	jq -es 'all(.error == "CLOSED")' "$T/trace.out"
}

@test "-f -l: a failed connect has one line, and no bytes" {
	trace --json -f -l
	workload fail --expect ECONNREFUSED --count 2
	workload pairs --count 2
	stop
	compare json --failed --life --rows 10
}

@test "-f: -p and -D pick among failures too" {
	prepare a fail --expect ECONNREFUSED --count 2
	prepare b fail --expect ECONNREFUSED --count 2
	trace --json -f -p "$(ready a client)"
	go a
	go b
	stop
	compare json --failed --where "pid == $(ready a client)" --rows 2

	: >"$TRUTH"
	prepare c fail --expect ENETUNREACH --addr 192.0.2.1 --port 9
	prepare d fail --expect ENETUNREACH --addr 192.0.2.1 --port 10
	trace --json -f -D 9
	go c
	go d
	stop
	compare json --failed --where 'dport == 9' --rows 1
}

@test "odd ways to connect: each attempt is one line" {
	add_blackhole
	trace --json -f -l
	in_ns python3 - "$BLACKHOLE" >"$TRUTH" <<-'EOF'
		import ctypes, json, socket, struct, sys

		def tell(port, error, sport=None, **more):
		    row = {'dport': port, 'direction': 'connect', 'error': error,
		           'state': 'CLOSE' if error else 'ESTABLISHED'}
		    if sport:
		        row['sport'] = sport
		    print(json.dumps(dict(row, **more)))

		def tcp(blocking=True):
		    s = socket.socket()
		    s.setblocking(blocking)
		    return s

		lo, hole = '127.0.0.1', sys.argv[1]

		# A socket that connects to itself.
		s = tcp()
		s.bind((lo, 0))
		port = s.getsockname()[1]
		s.connect((lo, port))
		s.send(b'abc')
		s.recv(3)
		s.close()
		tell(port, None, port)
		tell(port, None, port, state='CLOSE', rx_bytes=3, tx_bytes=3)

		# connect() that returns before the end, by its own time limit.
		s = tcp()
		s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO,
		             struct.pack('ll', 0, 50000))
		s.connect_ex((hole, 1001))
		tell(1001, 'CLOSED', s.getsockname()[1])
		s.close()

		# Given up by connect(AF_UNSPEC), and by shutdown().
		s = tcp(False)
		s.connect_ex((hole, 1002))
		tell(1002, 'CLOSED', s.getsockname()[1])
		ctypes.CDLL(None).connect(s.fileno(), bytes(16), 16)
		s.close()
		s = tcp(False)
		s.connect_ex((hole, 1003))
		tell(1003, 'CLOSED', s.getsockname()[1])
		s.shutdown(socket.SHUT_RDWR)
		s.close()

		# One socket: refused, asked for that, refused again, accepted.
		listener = socket.create_server((lo, 0))
		refuser = tcp()
		refuser.bind((lo, 0))
		port = refuser.getsockname()[1]
		s = tcp(False)
		for _ in 1, 2:
		    s.connect_ex((lo, port))
		    tell(port, 'ECONNREFUSED', s.getsockname()[1])
		    s.connect_ex((lo, port))
		s.setblocking(True)
		s.connect(listener.getsockname())
		tell(listener.getsockname()[1], None, s.getsockname()[1])
		tell(listener.getsockname()[1], None, s.getsockname()[1],
		     state='CLOSE')
		s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
		             struct.pack('ii', 1, 0))
		s.close()
	EOF
	stop
	compare json --failed --life --rows 9
}
