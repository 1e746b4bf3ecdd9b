#!/usr/bin/env bats
# Each filter, in a run that has connections to show and others not to show.

load ../helper

setup() {
	live_setup
}

teardown() {
	[ -z "${CGROUP:-}" ] || rmdir "$CGROUP" || true
	live_teardown
}

@test "-p: the client, with all its threads" {
	prepare load pairs --count 12 --threads 3
	trace --json -p "$(ready load client)"
	go load
	stop
	compare json --where "pid == $(ready load client)" --rows 12
}

@test "-p: the server, which was waiting already" {
	prepare load pairs --count 12 --threads 3
	trace --json -t -l --pid="$(ready load server)"
	go load
	stop
	compare json --latency --life \
		--where "pid == $(ready load server)" --rows 24
}

@test "-P: a list of local ports" {
	trace --json -P 7001,7003
	for port in 7001 7002 7003; do
		workload pairs --port "$port" --count 2
	done
	stop
	compare json --where 'sport in (7001, 7003)' --rows 4
}

@test "-P -l -t: the other end of a local port is not shown" {
	trace --json -l -t -P 7001
	workload pairs --port 7001 --count 2 --accept-delay 10
	workload pairs --port 7002 --count 2
	stop
	compare json --life --latency --where 'sport == 7001' --rows 4
}

@test "-D: a list of remote ports" {
	trace --json --dport 7001,7003
	for port in 7001 7002 7003; do
		workload pairs --port "$port" --count 2 --ip 6
	done
	stop
	compare json --where 'dport in (7001, 7003)' --rows 4
}

@test "-P twice adds ports" {
	trace --json -P 7001 -P 7002
	for port in 7001 7002 7003; do
		workload pairs --port "$port"
	done
	stop
	compare json --where 'sport in (7001, 7002)' --rows 2
}

@test "-r connect" {
	trace --json -r connect -t -l
	workload pairs --count 3
	workload pairs --count 3 --ip 6
	stop
	compare json --life --latency --where 'direction == "connect"' \
		--rows 12
}

@test "-r accept" {
	trace --json -r accept
	workload pairs --count 3
	workload pairs --count 3 --ip 6
	stop
	compare json --where 'direction == "accept"' --rows 6
}

@test "-r accept -t -l" {
	trace --json -r accept -t -l -f
	workload pairs --count 3 --accept-delay 20
	workload fail --expect ECONNREFUSED
	stop
	compare json --life --latency --failed \
		--where 'direction == "accept"' --rows 6
}

@test "-4, -6, and both" {
	trace --json -4
	local tracer4=$TRACER
	trace_as six "$BIN" -n "$NS" --json -6
	local tracer6=$TRACER
	trace_as both "$BIN" -n "$NS" --json -46
	for ip in 4 6 mapped; do
		workload pairs --ip "$ip" --count 2
		workload fail --ip "$ip" --expect ECONNREFUSED
	done
	stop INT "$tracer4"
	stop INT "$tracer6"
	stop
	compare json --where 'ip == 4' --rows 8
	mv "$T/six.out" "$T/trace.out"
	compare json --where 'ip == 6' --rows 4
	mv "$T/both.out" "$T/trace.out"
	compare json --rows 12
}

@test "-u: by number and by name" {
	trace --json -u 65534
	local first=$TRACER
	trace_as name "$BIN" -n "$NS" --json -u nobody -l
	workload pairs --uid 65534 --count 3
	workload pairs --count 3
	stop INT "$first"
	stop
	compare json --where 'uid == 65534' --rows 3
	mv "$T/name.out" "$T/trace.out"
	compare json --life --where 'uid == 65534' --rows 6
}

@test "-u: 0 is a user as well" {
	trace --json -u 0
	workload pairs --uid 65534 --count 3
	stop
	compare json --where 'uid == 0' --rows 3
}

@test "-n: by name, inode number and path" {
	local inode other pids=() ns=$NS
	new_netns "$NS-b"
	prepare a pairs --count 2
	NS=$NS-b
	prepare b pairs --count 2
	inode=$(stat -Lc %i "/run/netns/$NS")
	trace_as trace "$BIN" --json -n "$NS"
	pids+=("$TRACER")
	trace_as inode "$BIN" --json -n "$inode"
	pids+=("$TRACER")
	trace_as path "$BIN" --json -n "/run/netns/$NS"
	pids+=("$TRACER")
	trace_as proc "$BIN" --json -n "/proc/$(ready b client)/ns/net"
	pids+=("$TRACER")
	NS=$ns
	go a
	go b
	for pid in "${pids[@]}"; do
		stop INT "$pid"
	done
	compare json --where "netns == $inode" --rows 4
	for other in inode path proc; do
		mv "$T/$other.out" "$T/trace.out"
		compare json --where "netns == $inode" --rows 4
	done
}

@test "without a filter every namespace is shown" {
	local ns=$NS
	new_netns "$NS-b"
	prepare a pairs --count 2
	NS=$NS-b
	prepare b pairs --count 2
	NS=$ns
	trace_as trace "$BIN" --json -P "$(ready a port),$(ready b port)"
	go a
	go b
	stop
	compare json --rows 4 --where \
		"sport in ($(ready a port), $(ready b port))"
}

@test "filters together: all must agree" {
	prepare a pairs --count 4 --threads 2 --port 7001
	prepare b pairs --count 4 --port 7002
	trace --json -p "$(ready a client)" -D 7001,7002 -r connect -4 -u root
	go a
	go b
	workload pairs --port 7001
	stop
	compare json --where "pid == $(ready a client)" --rows 4
}

bpffs() {
	mkdir "$T/bpf"
	mount -t bpf none "$T/bpf"
	MOUNTS+=("$T/bpf")
}

# key_of NUMBER: eight bytes in the machine's order, as bpftool takes them.
key_of() {
	python3 -c 'import sys
print(*int(sys.argv[1]).to_bytes(8, sys.byteorder))' "$1"
}

@test "--cgroupmap" {
	bpffs
	mkdir "$T/cgroup"
	mount -t cgroup2 none "$T/cgroup" || skip "the kernel has no cgroup2"
	MOUNTS+=("$T/cgroup")
	CGROUP=$T/cgroup/$NS
	mkdir "$CGROUP"
	bpftool map create "$T/bpf/set" type hash key 8 value 8 entries 4 \
		name set
	# shellcheck disable=SC2046 # eight words
	bpftool map update pinned "$T/bpf/set" \
		key $(key_of "$(stat -c %i "$CGROUP")") value 1 0 0 0 0 0 0 0

	trace --json -t -l --cgroupmap "$T/bpf/set"
	workload pairs --count 2 --tag outside
	# shellcheck disable=SC2016 # for the other shell
	WRAP=(sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$CGROUP")
	workload pairs --count 3 --tag inside
	stop
	compare json --latency --life --where '_tag == "inside"' --rows 12
}

@test "--mntnsmap" {
	bpffs
	bpftool map create "$T/bpf/set" type hash key 8 value 4 entries 4 \
		name set
	trace --json -f --mntnsmap "$T/bpf/set"
	WRAP=(unshare -m)
	prepare a pairs --count 3 --tag inside
	prepare b fail --expect ENETUNREACH --addr 192.0.2.1 --port 9 \
		--tag other
	WRAP=()
	prepare c pairs --count 2 --tag outside
	# The map is read anew for every connection.
	# shellcheck disable=SC2046 # eight words
	bpftool map update pinned "$T/bpf/set" value 1 0 0 0 key \
		$(key_of "$(stat -Lc %i "/proc/$(ready a client)/ns/mnt")")
	go a
	go b
	go c
	stop
	compare json --failed --where '_tag == "inside"' --rows 6
}

@test "--cgroupmap: no map, a wrong map" {
	bpffs
	bpftool map create "$T/bpf/array" type array key 4 value 8 entries 4 \
		name array
	bpftool map create "$T/bpf/key4" type hash key 4 value 8 entries 4 \
		name key4
	export NETBCC_CACHE=$T/cache
	mkdir "$NETBCC_CACHE"
	for what in "$T/bpf/none" "$T/bpf/array" "$T/bpf/key4" /etc/passwd; do
		for option in --cgroupmap --mntnsmap; do
			refute "$BIN" "$option" "$what" >"$T/out" 2>"$T/err"
			one_line "$T/err" "^tcpconnection: cannot .*'$what'"
			[ ! -s "$T/out" ]
		done
	done
	# Nothing has been compiled for them.
	[ -z "$(ls "$NETBCC_CACHE")" ]
}

@test "filters that name nothing: one line, exit status 1" {
	for args in "-p 4194304" "-u no_such_user" "-n no_such_netns" \
		"-n /no/such/file" "-n /etc/passwd" "-n /proc/self/ns/mnt"; do
		# shellcheck disable=SC2086 # two words
		run --separate-stderr "$BIN" $args
		echo "$args: $status: $stderr"
		[ "$status" = 1 ]
		[ -z "$output" ]
		[ "${#stderr_lines[@]}" = 1 ]
		[[ $stderr == *"${args#* }"* ]]
	done
}
