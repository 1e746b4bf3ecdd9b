# shellcheck shell=bash
# Functions for the tests. A live test runs its workload in a network namespace
# of its own, with the command outside, and waits for things to happen instead
# of for time to pass.
#
# The environment chooses how the command works, so that the same file can be
# run for each way (scripts/matrix):
#
#	NB_PLAN		a plan's name (default: the command chooses)
#	NB_BUFFER	ring | perf
#	NB_TYPES	btf | headers (compile with linux-headers) | hidden (who
#			runs the tests has hidden the BTF, see hide_btf)
#	NB_CACHE	a directory for images that all files share
#	NB_SLOW		how many times slower than usual this machine is

bats_require_minimum_version 1.5.0

ROOT=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd)
TOOL=${TOOL:-tcpconnection} # a file of another command's sets it first
BIN=$ROOT/build/bin/$TOOL
LOAD=$ROOT/build/work/connload
export TZ=Europe/Berlin # local time must not pass for UTC
export NB_SLOW=${NB_SLOW:-1}
TRACEFS=/sys/kernel/tracing

# Run "$@", which has to fail. (A test does not end at "! command".)
refute() {
	if "$@"; then
		echo "should have failed: $*"
		return 1
	fi
}

# Poll until "$@" succeeds, for at most ten seconds ($WITHIN). Where starting a program
# takes long, to poll with one would take what is waited for its time: so pauses
# are timeouts of a pipe that nobody writes to.
eventually() {
	local end=$((SECONDS + ${WITHIN:-10} * NB_SLOW)) pause wait ms=20
	exec {pause}<> <(:)
	while [ "$SECONDS" -le "$end" ]; do
		if "$@"; then
			exec {pause}<&-
			return 0
		fi
		printf -v wait '0.%03d' "$ms"
		read -rt "$wait" -u "$pause" || true
		# Where there is one processor, what is waited for needs it.
		[ "$NB_SLOW" = 1 ] || [ "$ms" -gt 400 ] || ms=$((ms * 3 / 2))
	done
	exec {pause}<&-
	echo "never came true: $*"
	return 1
}

# Has process $1 ended (if only as a zombie)?
ended() {
	local stat=''
	{ read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 0
	[[ ${stat##*) } == Z* ]]
}

live_setup() {
	[ "$EUID" = 0 ] || skip "needs root"
	# The commands need none, but tests learn from it what a kernel has.
	[ -e "$TRACEFS/events" ] || mount -t tracefs tracefs "$TRACEFS"
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
	[ "${NB_TYPES:-btf}" != headers ] || PLAN+=(--headers)
	export NETBCC_CACHE=${NB_CACHE:-$BATS_SUITE_TMPDIR/cache}
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
	# Another address than ::1, as 127.0.0.2 is another than 127.0.0.1.
	ip -n "$1" -batch - <<-END
		link set lo up
		addr add $OTHER6/128 dev lo
	END
}

# Run "$@" in the test's namespace; only the network is another one.
in_ns() {
	nsenter --net="/run/netns/$NS" "$@"
}

# An address in the namespace, behind a link that swallows everything.
BLACKHOLE=192.0.2.2
BLACKHOLE6=2001:db8:1::2
add_blackhole() {
	# Nobody has this hardware address.
	ip -n "$NS" -batch - <<-END
		link add va type veth peer name vb
		link set va up
		link set vb up
		addr add 192.0.2.1/24 dev va
		addr add 2001:db8:1::1/64 dev va nodad
		neigh add $BLACKHOLE dev va lladdr 02:00:00:00:00:99 nud permanent
		neigh add $BLACKHOLE6 dev va lladdr 02:00:00:00:00:99 nud permanent
	END
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
	ended "$TRACER" || [[ $(<"$T/$1.err") == *"tracing with plan"* ]]
}

# trace_as NAME COMMAND...: start the command in the background with -v and
# wait until it is attached.
trace_as() {
	local name=$1
	shift
	in_background "$name" "$@" -v "${PLAN[@]}"
	TRACER=$SPAWNED
	# It may compile with the kernel's headers, next to others who do.
	WITHIN=40 eventually attached "$name"
	if ended "$TRACER"; then
		echo "it ended: $*"
		return 1
	fi
}

# trace ARG...: as trace_as, on the test's namespace.
trace() {
	trace_as trace "$BIN" --netns "$NS" "$@"
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
	python3 -IS "$ROOT/tests/compare.py" "$form" "$TRUTH" "$T/trace.out" \
		--missed "$(missed)" "$@"
}

# Does the command that was traced hook functions? They see whatever way there
# is to accept and to connect.
by_function() {
	grep -Eq "with plan '(fentry|kprobe)'" "$T/trace.err"
}

# The sum of the numbers in the messages on standard error that match.
sum_of() {
	local file line sum=0
	for file in "$T"/*.err; do
		while IFS= read -r line; do
			if [[ $line =~ ^$TOOL:\ $1 ]]; then
				sum=$((sum + BASH_REMATCH[1]))
			fi
		done <"$file"
	done 2>/dev/null
	echo "$sum"
}

# The kernel does not run a program that is running on that CPU already. On a
# busy machine that happens, and the command says how often.
missed() {
	sum_of 'lost ([0-9]+) events'
}

# one_line FILE REGEX: the file is exactly one line, which matches.
one_line() {
	cat "$1"
	[ "$(wc -l <"$1")" = 1 ]
	grep -Eq -- "$2" "$1"
}

# The ids of the maps that process $1 has open.
maps_of() {
	cat /proc/"$1"/fdinfo/* 2>/dev/null | awk '/^map_id:/ { print $2 }' |
		sort -n
}

# The ids of the programs that use one of the maps in the file $1.
programs_with() {
	bpftool -j prog show | jq --slurpfile maps "$1" \
		'.[] | select(any(.map_ids[]?; IN($maps[]))) | .id'
}

# Note what the command has in the kernel.
note_objects() {
	maps_of "$TRACER" >"$T/maps"
	programs_with "$T/maps" >"$T/programs"
	[ "$(wc -l <"$T/maps")" -ge 3 ]
	[ "$(wc -l <"$T/programs")" -ge 2 ]
}

# None of it is there any more. The kernel frees maps a moment later.
objects_gone() {
	local id
	for id in $(<"$T/maps"); do
		! bpftool map show id "$id" >/dev/null 2>&1 || return 1
	done
	for id in $(<"$T/programs"); do
		! bpftool prog show id "$id" >/dev/null 2>&1 || return 1
	done
}

# What a trace could leave switched on.
tracefs_state() {
	local dir=$TRACEFS
	cat "$dir"/{set_event,kprobe_events,uprobe_events} 2>/dev/null || true
	cat "$dir"/events/{net,sock,syscalls,tcp}/enable 2>/dev/null || true
}

# A line of /proc/PID/status.
status_of() {
	awk -v name="$2:" '$1 == name { print $2 }' "/proc/$1/status"
}

# The command where everybody may execute it.
public_copy() {
	PUBLIC=$(mktemp -d)
	chmod 755 "$PUBLIC"
	MOUNTS+=("$PUBLIC")
	mount -t tmpfs -o mode=755 none "$PUBLIC"
	mkdir "$PUBLIC/bin"
	cp "$BIN" "$PUBLIC/bin"
	cp -R "$ROOT/build/libexec" "$PUBLIC"
}

as_nobody() {
	setpriv --reuid nobody --regid nogroup --clear-groups "$@"
}

# Of command lines, which want no privileges: misuse QUOTED ARG...: refused in
# one line that quotes the offender.
misuse() {
	local quoted=$1
	shift
	run --separate-stderr timeout 5 "$BIN" "$@"
	echo "$status: $stderr"
	[ "$status" = 2 ]
	[ -z "$output" ]
	[ "${#stderr_lines[@]}" = 1 ]
	[[ $stderr == $TOOL:\ *\'*"$quoted"*\'*\ \(try\ --help\) ]]
}

# "-x, --name ARG", as in --help and in man pages: "-x --name".
options_in() {
	sed -nE 's/^ *((-[^-], )?--[a-z0-9-]+).*/\1/p' | tr -d , | sort
}

# The man page has the options of --help, and no others.
same_options() {
	"$BIN" --help | options_in >"$BATS_TEST_TMPDIR/help"
	# There, an empty line or a heading is before each.
	groff -man -Tascii -P -cbou "$ROOT/man/$TOOL.8" |
		awk 'last ~ /^( ? ? ?[^ ]|$)/ { print } { last = $0 }' |
		options_in >"$BATS_TEST_TMPDIR/man"
	[ -s "$BATS_TEST_TMPDIR/man" ]
	diff "$BATS_TEST_TMPDIR/help" "$BATS_TEST_TMPDIR/man"
}

# --help ARGUMENTS: on standard output, and fits a terminal.
good_help() {
	run --separate-stderr "$BIN" --help
	[ "$status" = 0 ]
	[ -z "$stderr" ]
	[ "${lines[0]}" = "Usage: $TOOL [OPTION]...$1" ]
	[ -z "$(awk 'length > 80' <<<"$output")" ]
}

# --version: one line.
good_version() {
	run --separate-stderr "$BIN" "${1:---version}"
	[ "$status" = 0 ]
	[ -z "$stderr" ]
	[[ $output =~ ^$TOOL\ [0-9]+\.[0-9]+\.[0-9]+ ]]
	[ "${#lines[@]}" = 1 ]
}

# unprivileged ARG...: nothing is traced without privileges.
unprivileged() {
	local setpriv=()
	[ "$(id -u)" != 0 ] ||
		setpriv=(setpriv --bounding-set -all --inh-caps -all)
	run --separate-stderr "${setpriv[@]}" "$BIN" "$@"
	echo "$status: $stderr"
	[ "$status" = 1 ]
	[ -z "$output" ]
	[ "${#stderr_lines[@]}" = 1 ]
	[[ $stderr == "$TOOL: cannot trace: Operation not permitted "* ]]
}
