#!/usr/bin/env bats
# What it may take (memory, privileges), and that what it can't take is
# counted.

load ../helper

setup() {
	live_setup
}

teardown() {
	live_teardown
	[ -z "${PUBLIC:-}" ] || rmdir "$PUBLIC"
}

# many NUMBER: of connections; fewer where that would take minutes.
many() {
	echo $(($1 / NB_SLOW))
}

rows() {
	wc -l <"$T/trace.out"
}

lost() {
	sum_of 'lost ([0-9]+) records'
}

forgotten() {
	sum_of '([0-9]+) connections not remembered'
}

# storm ARG...: sets $MADE to the number of connections.
storm() {
	in_ns "$LOAD" storm "$@" >"$T/storm"
	MADE=$(sed -n 's/.*"connections":\([0-9]*\).*/\1/p' "$T/storm")
	[ "$MADE" -gt 0 ]
}

# Rows, and what was lost, make up all that there was: $1 records.
all_told() {
	local told=$(($(rows) + $(lost)))
	echo "$(rows) rows, $(lost) lost, $(missed) events missed"
	[ "$told" -le "$1" ]
	[ $((told + $(missed))) -ge "$1" ]
	# Each is valid.
	jq . "$T/trace.out" >/dev/null
}

@test "--buffer 4: what is shown and what is lost is all there was" {
	trace --json --buffer 4
	# Until it goes on, nothing is taken out of the buffer.
	kill -STOP "$TRACER"
	storm --count 1000
	kill -CONT "$TRACER"
	storm --count 1000 --threads 4 --ip 6
	stop
	[ "$(lost)" -gt 1000 ]
	[ "$(rows)" -gt 0 ]
	all_told 4000
}

@test "a storm: shown and lost is all there was" {
	trace --json
	storm --count "$(many 20000)" --threads 4
	stop
	all_told "$(many 40000)"
	[ "$(forgotten)" = 0 ]
}

@test "a storm with -t -f -l: no connection is forgotten" {
	trace --json -t -f -l --buffer 65536
	storm --count "$(many 5000)" --threads 4
	stop
	all_told "$(many 20000)"
	[ "$(lost)" = 0 ]
	[ "$(forgotten)" = 0 ]
}

# Softirqs that come in while a process changes its own socket, as with a real
# network card: then the kernel does not run every program for every event.
interrupted_storm() {
	local cpus=3
	[ "$(nproc)" -gt 1 ] || cpus=1
	# shellcheck disable=SC2016 # for the other shell
	ip netns exec "$NS" sh -c \
		'echo "$0" >/sys/class/net/lo/queues/rx-0/rps_cpus' "$cpus"
	storm --count "$(many 20000)" --threads 2
	stop
}

@test "interrupts amid events: what is missing is counted" {
	trace --json -t -f
	interrupted_storm
	all_told "$(many 40000)"
}

@test "interrupts amid events: nothing is shown that was not" {
	trace --json -t -f -l --buffer 65536
	interrupted_storm
	echo "$(rows) rows, $(missed) events missed"
	[ "$(rows)" -gt "$(many 70000)" ]
	# All connects were well, and nobody sent anything or waited long.
	jq -e -n '[inputs | select(.error != null or
		(.duration_us // 0) > 20000000 or (.latency_us // 0) > 20000000 or
		(.rx_bytes // 0) > 0 or (.tx_bytes // 0) > 0)] == []' \
		"$T/trace.out"
	# No end is shown twice, nor without a beginning.
	jq -r '[.direction, .state] | join(" ")' "$T/trace.out" | sort |
		uniq -c | tee "$T/kinds"
	awk -v most="$(many 20000)" '$1 > most { exit 1 }' "$T/kinds"
}

@test "losses are told at most once a second, also with -q" {
	in_background trace "$BIN" -q --json -n "$NS" --buffer 4 "${PLAN[@]}"
	TRACER=$SPAWNED
	eventually shows_a_row
	kill -STOP "$TRACER"
	storm --count 1000
	kill -CONT "$TRACER"
	stop
	cat "$T/trace.err"
	[ "$(lost)" -gt 0 ]
	# For what happened before the signal, and after.
	[ "$(grep -c records "$T/trace.err")" -le 2 ]
	refute grep -Ev '^tcpconnection: lost [0-9]+ (records|events): ' \
		"$T/trace.err"
}

shows_a_row() {
	in_ns "$LOAD" pairs >/dev/null
	[ -s "$T/trace.out" ]
}

@test "--max-conns 4: what is not remembered is counted" {
	add_blackhole
	trace --json -f --max-conns 4
	workload fail --addr "$BLACKHOLE" --port 9 --close --count 50
	stop
	echo "$(rows) rows, $(forgotten) not remembered"
	[ "$(forgotten)" -ge 30 ]
	[ "$(rows)" -ge 4 ]
	[ $(($(rows) + $(forgotten))) = 50 ]
	compare json --failed --subset
}

@test "--max-conns: a place is free again when its connection ends" {
	add_blackhole
	trace --json --max-conns 4
	for _ in 1 2 3; do
		workload fail --addr "$BLACKHOLE" --port 9 --close --count 2
		workload fail --expect ECONNREFUSED --count 20
		workload fail --expect ENETUNREACH --addr 198.51.100.1 \
			--port 9 --count 20
		workload fail --expect EADDRNOTAVAIL --same-tuple --count 2
	done
	workload pairs --count 20
	stop
	[ "$(forgotten)" = 0 ]
	compare json --rows 46
}

@test "filters keep other connections from being remembered" {
	add_blackhole
	prepare load pairs --count 5
	trace --json -l -t -f --max-conns 20 -P "$(ready load port)" -r accept
	workload fail --addr "$BLACKHOLE" --port 9 --close --count 50
	go load
	stop
	[ "$(forgotten)" = 0 ]
	compare json --latency --life --failed --rows 10 \
		--where 'direction == "accept"'
}

@test "it keeps CAP_BPF only, and no thread" {
	trace --json -t -f -l
	for set in CapInh CapPrm CapEff CapAmb CapBnd; do
		echo "$set $(status_of "$TRACER" "$set")"
	done
	# Bit 39 is CAP_BPF.
	[ "$(status_of "$TRACER" CapEff)" = 0000008000000000 ]
	[ "$(status_of "$TRACER" CapPrm)" = 0000008000000000 ]
	[ "$(status_of "$TRACER" CapInh)" = 0000000000000000 ]
	[ "$(status_of "$TRACER" CapAmb)" = 0000000000000000 ]
	[ "$(status_of "$TRACER" Threads)" = 1 ]
	stop
}

@test "it stays below 8 MB" {
	# The cold start reads BTF, and gives that memory back.
	trace --no-cache
	echo "cold: $(status_of "$TRACER" VmRSS) kB"
	[ "$(status_of "$TRACER" VmRSS)" -le 8192 ]
	storm --count "$(many 20000)" --threads 2
	echo "after a storm: $(status_of "$TRACER" VmRSS) kB"
	[ "$(status_of "$TRACER" VmRSS)" -le 8192 ]
	stop
}

@test "as nobody: one line, exit status 1" {
	public_copy
	run --separate-stderr as_nobody "$PUBLIC/bin/tcpconnection"
	[ "$status" = 1 ]
	[ -z "$output" ]
	[ "$stderr" = "tcpconnection: cannot trace: Operation not permitted\
 (run as root, or with CAP_BPF and CAP_PERFMON)" ]
}

@test "as nobody with CAP_BPF and CAP_PERFMON" {
	public_copy
	trace_as trace setpriv --reuid nobody --regid nogroup --clear-groups \
		--inh-caps +bpf,+perfmon --ambient-caps +bpf,+perfmon \
		"$PUBLIC/bin/tcpconnection" --json -t -f -l \
		-n "$(stat -Lc %i "/run/netns/$NS")"
	[ "$(status_of "$TRACER" Uid)" = "$(id -u nobody)" ]
	[ "$(status_of "$TRACER" CapEff)" = 0000008000000000 ]
	grep -Eq "plan '(raw|fentry)' \(cold start\)" "$T/trace.err"
	workload pairs --count 5 --bytes-up 5
	workload fail --expect ECONNREFUSED
	stop
	compare json --latency --life --failed --rows 21
}

@test "inside a namespace of ip-netns, which hides tracefs" {
	trace_as trace ip netns exec "$NS" "$BIN" --json -n "$NS"
	workload pairs --count 2
	stop
	compare json --rows 4
}

@test "without an environment, and without standard input" {
	# shellcheck disable=SC2016 # for the other shell
	trace_as trace env -i /bin/sh -c 'exec "$@" <&-' - \
		"$BIN" --json -n "$NS" --no-cache
	workload pairs --count 2
	stop
	compare json --rows 4
}

@test "without standard error" {
	# shellcheck disable=SC2016 # for the other shell
	in_background trace sh -c 'exec "$@" 2>&-' - \
		"$BIN" -n "$NS" --no-cache "${PLAN[@]}"
	TRACER=$SPAWNED
	eventually grep -q ^TIME "$T/trace.out"
	workload pairs --count 2
	stop
	compare table --seed --rows 4
}

@test "too few descriptors: one line, exit status 1" {
	local n
	for n in 6 8 12 16 20; do
		# shellcheck disable=SC2016 # for the other shell
		run --separate-stderr bash -c 'ulimit -n "$0"; exec "$@"' \
			"$n" timeout $((10 * NB_SLOW)) "$BIN" -n "$NS" --no-cache "${PLAN[@]}"
		echo "$n: $status: $stderr"
		[ "$status" = 1 ]
		[ "${#stderr_lines[@]}" = 1 ]
	done
}
