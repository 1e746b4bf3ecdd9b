#!/usr/bin/env bats
# Connections that are made and accepted through io_uring are shown as those of
# the system calls. Run for each plan (NB_PLAN); where the plan sees descriptors
# only, what has none is counted, not shown.

load ../helper

setup() {
	live_setup
}

teardown() {
	live_teardown
}

# accepted MODE: 50 connections, IPv4 and IPv6, shown exactly.
accepted() {
	trace --json -t -l
	workload pairs --uring "$1" --count 30 --threads 4 --bytes-up 300 \
		--bytes-down 7 --from 127.0.0.2
	workload pairs --uring "$1" --count 15 --threads 3 --ip 6 \
		--bytes-down 100000
	workload pairs --uring "$1" --count 5 --ip mapped --rst \
		--bytes-down 9
	stop
	compare json --latency --life --rows 200
}

missed_are() {
	[ "$(missed)" = "$1" ]
}

# counted COUNT: so many accepts went unseen. That is known when their sockets
# go: after the ring, which the kernel takes apart when the process has gone.
counted() {
	eventually missed_are "$1"
	stop
	missed_are "$1"
}

# slots COUNT: the truth has so many accepts into slots, and no others.
slots() {
	if by_function; then
		stop
		compare json --latency --life --rows $((4 * $1))
		return
	fi
	counted "$1"
	# But for these nothing is missing.
	python3 "$ROOT/tests/compare.py" json "$TRUTH" "$T/trace.out" \
		--latency --life --rows $((2 * $1)) \
		--where 'direction == "connect"'
}

@test "accept, waiting for the connection or finding one" {
	accepted accept
}

@test "accept by a worker of the kernel's: the process's name" {
	accepted async
}

@test "accept that goes on (multishot)" {
	accepted multishot
}

@test "accept by the ring's thread in the kernel: the process's name" {
	accepted sqpoll
}

@test "accept, completed when the thread asks for it" {
	accepted defer
}

@test "listener in non-blocking mode" {
	trace --json -t -l
	workload pairs --uring accept --nonblock --count 20 --threads 2
	workload pairs --uring multishot --nonblock --count 20 --threads 2
	workload pairs --uring async --nonblock --count 20 --threads 2
	stop
	compare json --latency --life --rows 240
}

@test "accept into a slot has no descriptor" {
	trace --json -t -l
	workload pairs --uring direct --count 20 --threads 4 --bytes-up 300 \
		--bytes-down 7
	workload pairs --uring direct --count 5 --ip 6 --bytes-up 100000
	slots 25
}

@test "accept into a slot of the kernel's choice: it is no descriptor" {
	trace --json -t -l
	workload pairs --uring alloc --count 20 --threads 4 --bytes-up 300 \
		--bytes-down 7
	workload pairs --uring multidirect --count 20 --bytes-up 5
	workload pairs --uring multidirect --count 5 --ip 6 --bytes-down 100000
	slots 45
}

@test "io_uring and accept4() in one process" {
	local mode
	trace --json -t -l
	for mode in accept multishot sqpoll; do
		workload pairs --uring "$mode" --uring-mix --count 40 \
			--threads 6 --bytes-up 9
	done
	stop
	compare json --latency --life --rows 480
}

@test "io_uring and accept4() in one process, slots too" {
	trace --json -t -l
	workload pairs --uring direct --uring-mix --count 20 --threads 6
	workload pairs --uring alloc --uring-mix --count 20 --threads 6
	if by_function; then
		stop
		compare json --latency --life --rows 160
		return
	fi
	# Those by the ring are of threads 0, 2 and 4.
	local direct
	direct=$(jq -s 'map(select(.direction == "accept" and
		.state == "ESTABLISHED" and (.comm | test("sv[024]")))) |
		length' "$TRUTH")
	counted "$direct"
	python3 "$ROOT/tests/compare.py" json "$TRUTH" "$T/trace.out" \
		--latency --life --rows $((160 - 2 * direct)) --where \
		'direction == "connect" or comm in ("sv1", "sv3", "sv5")'
}

@test "received lengths that are the numbers of sockets" {
	local mode
	trace --json -t -l
	for mode in multishot accept async sqpoll; do
		workload pairs --uring "$mode" --uring-recv --count 30 \
			--threads 4 --bytes-up 600 --bytes-down 20
	done
	stop
	compare json --latency --life --rows 480
}

@test "received lengths, and accept4() in the same process" {
	trace --json -t -l
	workload pairs --uring multishot --uring-mix --uring-recv --count 60 \
		--threads 8 --bytes-up 600
	stop
	compare json --latency --life --rows 240
}

@test "accepts that were under way before the command started" {
	prepare a pairs --uring accept --threads 4 --count 4
	prepare b pairs --uring multishot --threads 2 --count 6
	prepare c pairs --uring sqpoll --threads 2 --count 4
	trace --json -t -l
	go a
	go b
	go c
	stop
	compare json --latency --life --rows 56
}

@test "-t: time in the accept queue, 100 ms" {
	trace --json -t
	workload pairs --uring accept --accept-delay 100 --count 3
	stop
	# No longer than the truth's time from connect() to its end.
	compare json --latency --rows 6
	jq -es 'map(select(.direction == "accept" and .latency_us < 80000)) == []' \
		"$T/trace.out"
}

@test "-p: the process of whom the kernel's threads are" {
	prepare a pairs --uring sqpoll --threads 2 --count 10
	prepare b pairs --uring async --threads 2 --count 10
	trace --json -t -l -p "$(ready a server)"
	go a
	go b
	stop
	compare json --latency --life --rows 20 \
		--where "pid == $(ready a server)"
}

@test "connect" {
	trace --json -t -l
	workload pairs --uring-connect --count 20 --threads 4 --bytes-up 300
	workload pairs --uring-connect --nonblock --count 10 --threads 2
	workload pairs --uring-connect --ip 6 --count 10 --from "$OTHER6"
	workload pairs --uring-connect --uring multishot --count 10
	stop
	compare json --latency --life --rows 200
}

@test "connect by a worker of the kernel's: the process's name" {
	trace --json -t -l
	workload pairs --uring-connect --uring-async --count 20 --threads 4
	workload pairs --uring-connect --uring-async --ip 6 --count 10
	stop
	compare json --latency --life --rows 120
}

@test "a connect that failed is no connection" {
	trace --json -t -l
	workload fail --uring-connect --expect ECONNREFUSED --count 3
	workload fail --uring-connect --expect ENETUNREACH --addr 192.0.2.1 \
		--port 9
	workload pairs --uring-connect --count 3
	stop
	compare json --latency --life --rows 12
}

@test "-f: refused" {
	trace --json -f -t
	workload fail --uring-connect --expect ECONNREFUSED --count 3
	workload fail --uring-connect --expect ECONNREFUSED --count 3 --bind
	workload fail --uring-connect --expect ECONNREFUSED --count 3 --nonblock
	workload fail --uring-connect --expect ECONNREFUSED --count 3 --ip 6
	workload pairs --uring-connect --count 3
	stop
	compare json --failed --latency --rows 18
}

@test "-f: refused, by a worker of the kernel's" {
	trace --json -f -t
	workload fail --uring-connect --uring-async --expect ECONNREFUSED \
		--count 3
	stop
	compare json --failed --latency --rows 3
}

@test "-f: nobody answers" {
	add_blackhole
	trace --json -f -t
	workload fail --uring-connect --addr "$BLACKHOLE" --port 9 \
		--expect ETIMEDOUT --user-timeout 500
	workload fail --uring-connect --addr "$BLACKHOLE6" --port 9 \
		--expect ETIMEDOUT --user-timeout 500 --ip 6
	stop
	compare json --failed --latency --rows 2
}

@test "-f: the network is unreachable" {
	trace --json -f -t
	workload fail --uring-connect --expect ENETUNREACH --addr 192.0.2.1 \
		--port 9 --count 2
	workload fail --uring-connect --expect ENETUNREACH --addr 2001:db8::1 \
		--port 9 --ip 6
	workload fail --uring-connect --expect ECONNREFUSED --count 2
	stop
	if by_function; then
		compare json --failed --latency --rows 5
	else
		# There io_uring's own operations have no hook before the SYN.
		compare json --failed --latency --rows 2 \
			--where 'error == "ECONNREFUSED"'
	fi
}
