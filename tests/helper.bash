# shellcheck shell=bash
# Functions for the tests. A live test runs its workload in a network namespace
# of its own, with the command outside, and waits for things to happen instead
# of for time to pass.
#
# NB_PLAN (tracepoint | raw) and NB_BUFFER (ring | perf) choose how the command
# works, so that the same file can be run for each.

bats_require_minimum_version 1.5.0

ROOT=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd)
BIN=$ROOT/build/bin/tcpconnection
LOAD=$ROOT/build/work/connload
export TZ=Europe/Berlin # local time must not pass for UTC

# Run "$@", which has to fail. (A test does not end at "! command".)
refute() {
	if "$@"; then
		echo "should have failed: $*"
		return 1
	fi
}

# Poll until "$@" succeeds, for at most ten seconds.
eventually() {
	local end=$((SECONDS + 10))
	while [ "$SECONDS" -le "$end" ]; do
		if "$@"; then
			return 0
		fi
		sleep 0.02
	done
	echo "never came true: $*"
	return 1
}

# Has process $1 ended (if only as a zombie)?
ended() {
	[[ ! -e /proc/$1/stat || $(sed 's/.*) //' "/proc/$1/stat") == Z* ]]
}

live_setup() {
	[ "$(id -u)" = 0 ] || skip "needs root"
	T=$BATS_TEST_TMPDIR
	TRUTH=$T/truth
	: >"$TRUTH"
	NS=nb$$-$BATS_TEST_NUMBER
	NAMESPACES=()
	MOUNTS=()
	PIDS=()
	declare -gA LOAD_PID=() LOAD_FD=()
	PLAN=()
	[ -z "${NB_PLAN:-}" ] || PLAN+=(--plan "$NB_PLAN")
	[ "${NB_BUFFER:-ring}" = ring ] || PLAN+=(--perf-buffer)
	export NETBCC_CACHE=$BATS_SUITE_TMPDIR/cache
	new_netns "$NS"
}

live_teardown() {
	local x
	for x in "${PIDS[@]}"; do
		kill -KILL "$x" 2>/dev/null || true
	done
	for x in "${MOUNTS[@]}"; do
		umount -l "$x" || true
	done
	for x in "${NAMESPACES[@]}"; do
		ip netns del "$x" || true
	done
	# What the test says when it fails.
	for x in "${T:-/nonexistent}"/*.err; do
		[ -s "$x" ] && sed "s/^/${x##*/}: /" "$x"
	done
	return 0
}

OTHER6=2001:db8:2::2
new_netns() {
	ip netns add "$1"
	NAMESPACES+=("$1")
	nsenter --net="/run/netns/$1" ip link set lo up
	# Another address than ::1, as 127.0.0.2 is another than 127.0.0.1.
	nsenter --net="/run/netns/$1" ip addr add "$OTHER6/128" dev lo
}

# Run "$@" in the test's namespace; only the network is another one.
in_ns() {
	nsenter --net="/run/netns/$NS" "$@"
}

# An address in the namespace, behind a link that swallows everything.
BLACKHOLE=192.0.2.2
BLACKHOLE6=2001:db8:1::2
add_blackhole() {
	in_ns ip link add va type veth peer name vb
	in_ns ip link set va up
	in_ns ip link set vb up
	in_ns ip addr add 192.0.2.1/24 dev va
	in_ns ip addr add 2001:db8:1::1/64 dev va nodad
	# Nobody has this hardware address.
	in_ns ip neigh add "$BLACKHOLE" dev va lladdr 02:00:00:00:00:99 \
		nud permanent
	in_ns ip neigh add "$BLACKHOLE6" dev va lladdr 02:00:00:00:00:99 \
		nud permanent
}

# in_background NAME PROGRAM...: in the background; its pid in $SPAWNED. (Of a
# function it would be the subshell's.) File descriptor 3 is bats' own: who
# keeps it open keeps bats waiting.
in_background() {
	local name=$1
	shift
	: >"$T/$name.out" # who waits for its output may look at once
	: >"$T/$name.err"
	"$@" >"$T/$name.out" 2>"$T/$name.err" 3>&- &
	SPAWNED=$!
	PIDS+=("$SPAWNED")
}

attached() {
	ended "$TRACER" || grep -q 'tracing with plan' "$T/$1.err"
}

# trace_as NAME COMMAND...: start the command in the background with -v and
# wait until it is attached.
trace_as() {
	local name=$1
	shift
	in_background "$name" "$@" -v "${PLAN[@]}"
	TRACER=$SPAWNED
	eventually attached "$name"
	if ended "$TRACER"; then
		echo "it ended: $*"
		return 1
	fi
}

# trace ARG...: as trace_as, on the test's namespace.
trace() {
	trace_as trace "$BIN" -n "$NS" "$@"
}

# stop [SIGNAL [PID]]: end the command (the last one), unless it has ended by
# itself, and check that it succeeds.
stop() {
	local pid=${2:-$TRACER}
	kill -"${1:-INT}" "$pid" 2>/dev/null || ended "$pid"
	await_end "$pid"
}

# Wait for a command that ends by itself, and check that it succeeds.
await_end() {
	eventually ended "$1" || return 1
	wait "$1"
}

# prepare NAME ARG...: start a workload that waits for "go NAME".
prepare() {
	local name=$1 fd
	shift
	mkfifo "$T/$name.go"
	: >"$T/$name.truth"
	nsenter --net="/run/netns/$NS" "${WRAP[@]}" "$LOAD" "$@" --wait <"$T/$name.go" \
		>"$T/$name.truth" 2>"$T/$name.err" 3>&- &
	LOAD_PID[$name]=$!
	PIDS+=($!)
	exec {fd}>"$T/$name.go"
	LOAD_FD[$name]=$fd
	eventually has_started "$name"
	[ -s "$T/$name.truth" ] || finish "$name"
}

has_started() {
	[ -s "$T/$1.truth" ] || ended "${LOAD_PID[$1]}"
}

# A number of the workload's first line: client, server or port.
ready() {
	sed -n "1s/.*\"$2\":\([0-9]*\).*/\1/p" "$T/$1.truth"
}

# Let a prepared workload run to its end, and note the truth.
go() {
	echo go >&"${LOAD_FD[$1]}"
	finish "$1"
}

finish() {
	local fd=${LOAD_FD[$1]} status=0
	exec {fd}>&-
	wait "${LOAD_PID[$1]}" || status=$?
	[ "$status" != 77 ] || skip "$(<"$T/$1.err")"
	[ "$status" = 0 ]
	cat "$T/$1.truth" >>"$TRUTH"
}

# workload ARG...: a workload from its beginning to its end.
workload() {
	local name=load$((++LOADS))
	prepare "$name" "$@"
	go "$name"
}

# compare json|table ARG...: the last command's rows with the truth.
compare() {
	local form=$1
	shift
	python3 "$ROOT/tests/compare.py" "$form" "$TRUTH" "$T/trace.out" \
		--missed "$(missed)" "$@"
}

# The sum of the numbers in the messages on standard error that match.
sum_of() {
	cat "$T"/*.err 2>/dev/null | sed -n "s/^tcpconnection: $1.*/\1/p" |
		awk '{ n += $1 } END { print n + 0 }'
}

# The kernel does not run a program that is running on that CPU already. On a
# busy machine that happens, and the command says how often.
missed() {
	sum_of 'lost \([0-9]*\) events'
}

# one_line FILE REGEX: the file is exactly one line, which matches.
one_line() {
	cat "$1"
	[ "$(wc -l <"$1")" = 1 ]
	grep -Eq -- "$2" "$1"
}
