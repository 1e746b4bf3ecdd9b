#!/usr/bin/env bats
# tcptop: what it shows of the truth, where, and how it ends.

TOOL=tcptop
load ../helper

setup() {
	live_setup
}

teardown() {
	live_teardown
	[ -z "${PUBLIC:-}" ] || rmdir "$PUBLIC"
}

sums() {
	python3 -IS "$ROOT/tests/sums.py" "$TRUTH" "$T/trace.out" "$@"
	[ "$(missed)" = 0 ]
}

# shown FIELD: the numbers of a column of the table, in order. A name may have
# a space in it.
shown() {
	awk -v want="$1" '
		{ for (i = 1; i <= NF; i++)
			if ($i == want) { back = NF - i; seen = 1; next } }
		seen && NF > 1 { print want == "PID" ? $1 : $(NF - back) }' \
		"$T/trace.out"
}

@test "the seed's tables, to the byte" {
	local client server cport port
	prepare four bytes --bytes-up 1048576 --bytes-down 3072
	prepare six bytes --ip 6 --bytes-up 2097152 --bytes-down 5
	trace -C -i 60 # so that all is in one
	go four
	go six
	stop
	client=$(ready four client) server=$(ready four server)
	port=$(ready four port)
	cport=$(jq -r "select(.dport == $port) | .sport" "$TRUTH")
	{
		printf '%-7s %-12s %-21s %-21s %6s %6s\n' PID COMM SADDR DADDR \
			RX_KB TX_KB
		printf '%-7s %-12s %-21s %-21s %6s %6s\n' \
			"$server" "bytes server" "127.0.0.1:$port" \
			"127.0.0.1:$cport" 1024 3 \
			"$client" "bytes client" "127.0.0.1:$cport" \
			"127.0.0.1:$port" 3 1024 | sort -k 1,1n
		echo
	} >"$T/want"
	client=$(ready six client) server=$(ready six server)
	port=$(ready six port)
	cport=$(jq -r "select(.dport == $port) | .sport" "$TRUTH")
	{
		printf '%-7s %-12s %-40s %-40s %6s %6s\n' PID COMM SADDR6 \
			DADDR6 RX_KB TX_KB
		printf '%-7s %-12s %-40s %-40s %6s %6s\n' \
			"$server" "bytes server" "[::1]:$port" \
			"[::1]:$cport" 2048 0.005 \
			"$client" "bytes client" "[::1]:$cport" \
			"[::1]:$port" 0.005 2048 | sort -k 1,1n
		echo
	} >>"$T/want"
	diff "$T/want" "$T/trace.out"
}

@test "sorted by rx, tx, both and pid; the first rows only" {
	local sort
	prepare a bytes --bytes-up 50000 --bytes-down 1
	prepare b bytes --bytes-up 10000 --bytes-down 70000
	prepare c bytes --bytes-up 3 --bytes-down 4
	for sort in all rx tx pid; do
		trace_as "$sort" "$BIN" --netns "$NS" -C -i 60 -b -s "$sort"
	done
	trace -C -i 60 -b -n 3
	go a
	go b
	go c
	for sort in "${PIDS[@]:3}"; do
		stop INT "$sort"
	done
	cp "$T/trace.out" "$T/three.out"
	[ "$(shown RX_B | wc -l)" = 3 ]
	for sort in all rx tx pid; do
		cp "$T/$sort.out" "$T/trace.out"
		paste -d ' ' <(shown PID) <(shown RX_B) <(shown TX_B) |
			awk -v by="$sort" '
				by == "rx" { print $2 }
				by == "tx" { print $3 }
				by == "pid" { print -$1 }
				by == "all" { print $2 + $3 }' >"$T/keys"
		[ "$(wc -l <"$T/keys")" = 6 ]
		sort -nr "$T/keys" | diff - "$T/keys"
	done
	head -n 4 "$T/all.out" | diff - <(head -n 4 "$T/three.out")
}

@test "--by pid: a process' connections together" {
	prepare many bytes --threads 5 --bytes-up 1000 --bytes-down 10
	trace --json -i 60 --by pid
	local json=$TRACER
	trace_as table "$BIN" --netns "$NS" -i 60 --by pid -b
	go many
	stop INT "$json"
	stop
	sums --by-pid --rows 2
	jq -es 'all(.connections == 5 and .saddr == null and .dport == null)' \
		"$T/trace.out"
	grep -Eq '^PID +COMM +CONNS +RX_B +TX_B$' "$T/table.out"
	grep -Eq "^$(ready many client) +bytes client +5 +50 +5000$" \
		"$T/table.out"
}

@test "--rate and -i: by the length of the interval" {
	prepare a bytes --bytes-up 1024000 --bytes-down 2048
	trace -C --rate -b -i 4 -c 1 -S
	go a
	await_end "$TRACER"
	cat "$T/trace.out"
	# 1,024,000 bytes in 4 s, or a little more.
	shown TX_B/s | sort -n | tail -n 1 >"$T/rate"
	[ "$(<"$T/rate")" -le 257000 ]
	[ "$(<"$T/rate")" -ge 200000 ]
}

@test "-S: time, load and the totals of all" {
	prepare a bytes --bytes-up 1024000 --bytes-down 2048
	trace -C -i 60 -S -b -n 1
	go a
	stop
	grep -Eq '^[0-9]{2}:[0-9]{2}:[0-9]{2} loadavg: ([0-9.]+ ){3}[0-9]+/[0-9]+ [0-9]+  RX_B 1026048  TX_B 1026048  CONNS 2$' \
		"$T/trace.out"
	[ "$(shown TX_B | wc -l)" = 1 ]
}

@test "intervals and counts, by option and by position" {
	for args in "-i 1 -c 2" "1 2" "-c 2 1" "-C 1 2"; do
		local start=$SECONDS
		# shellcheck disable=SC2086 # words
		trace $args
		await_end "$TRACER"
		[ "$(grep -c ^PID "$T/trace.out")" = 2 ]
		[ $((SECONDS - start)) -ge 2 ]
	done
}

@test "-p, -4, -6, -u: only what was asked for" {
	prepare four bytes --bytes-up 1000
	prepare six bytes --ip 6 --bytes-up 1000
	prepare mapped bytes --ip mapped --bytes-up 1000
	local pid
	pid=$(ready four server)
	trace_as p "$BIN" --netns "$NS" --json -p "$pid"
	trace_as four "$BIN" --netns "$NS" --json -4
	trace_as six "$BIN" --netns "$NS" --json -6
	trace_as both46 "$BIN" --netns "$NS" --json -46
	trace_as nobody "$BIN" --netns "$NS" --json -u nobody
	trace_as none "$BIN" --json --netns /proc/self/ns/net
	go four
	go six
	go mapped
	eventually ended "${PIDS[3]}" # -p: with its process
	grep -q "process $pid has ended" "$T/p.err"
	for pid in "${PIDS[@]:4}"; do
		stop INT "$pid"
	done
	[ "$(jq -s 'map(.pid) | unique == ['"$(ready four server)"']' \
		"$T/p.out")" = true ]
	jq -se 'length == 4 and all(.ip == 4)' "$T/four.out"
	jq -se 'length == 2 and all(.ip == 6)' "$T/six.out"
	jq -se 'length == 6' "$T/both46.out"
	[ ! -s "$T/nobody.out" ]
	refute grep -E "$(jq -rs 'map(.sport) | join("|")' "$TRUTH")" "$T/none.out"
}

# The bytes of the 64-bit number $1, as bpftool takes them.
key_of() {
	printf '0x%02x ' $(($1 & 255)) $(($1 >> 8 & 255)) $(($1 >> 16 & 255)) \
		$(($1 >> 24 & 255)) $(($1 >> 32 & 255)) $(($1 >> 40 & 255)) \
		$(($1 >> 48 & 255)) $(($1 >> 56 & 255))
}

@test "--cgroupmap and --mntnsmap: what is in there, and nothing else" {
	mkdir "$T/bpf" "$T/cgroup"
	mount -t bpf none "$T/bpf"
	MOUNTS+=("$T/bpf")
	mount -t cgroup2 none "$T/cgroup"
	MOUNTS+=("$T/cgroup")
	CGROUP=$T/cgroup/$NS
	mkdir "$CGROUP"
	local map
	for map in cgroups mounts; do
		bpftool map create "$T/bpf/$map" type hash key 8 value 8 \
			entries 4 name "$map"
	done
	# shellcheck disable=SC2016 # for the other shell
	WRAP=(sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$CGROUP")
	prepare group bytes --bytes-up 1111
	WRAP=(unshare -m)
	prepare mount bytes --bytes-up 2222
	WRAP=()
	prepare other bytes --bytes-up 3333
	# shellcheck disable=SC2046 # eight words
	bpftool map update pinned "$T/bpf/cgroups" value 0 0 0 0 0 0 0 0 \
		key $(key_of "$(stat -c %i "$CGROUP")")
	# shellcheck disable=SC2046 # eight words
	bpftool map update pinned "$T/bpf/mounts" value 0 0 0 0 0 0 0 0 \
		key $(key_of "$(stat -Lc %i "/proc/$(ready mount client)/ns/mnt")")
	trace_as group "$BIN" --netns "$NS" --json --cgroupmap "$T/bpf/cgroups"
	local group=$TRACER
	trace_as mount "$BIN" --netns "$NS" --json --mntnsmap "$T/bpf/mounts"
	go group
	go mount
	go other
	stop INT "$group"
	stop
	[ "$(jq -s 'map(.tx_bytes) | add' "$T/group.out")" = 1111 ]
	[ "$(jq -s 'map(.rx_bytes) | add' "$T/group.out")" = 1111 ]
	[ "$(jq -s 'map(.tx_bytes) | add' "$T/mount.out")" = 2222 ]
	rmdir "$CGROUP"
}

@test "--max-conns: what has no row is told, to the byte" {
	prepare many bytes --threads 20 --bytes-up 1000 --bytes-down 10
	trace --json --max-conns 8
	go many
	stop
	cat "$T/trace.err"
	[ "$(jq -s length "$T/trace.out")" -ge 8 ]
	local rx tx
	rx=$(sum_of '([0-9]+) bytes received and [0-9]+ sent are in no row')
	tx=$(sum_of '[0-9]+ bytes received and ([0-9]+) sent are in no row')
	[ "$tx" -gt 0 ]
	[ $((tx + $(jq -s 'map(.tx_bytes) | add' "$T/trace.out"))) = 20200 ]
	# Of sockets that it does not know it cannot tell how much was read.
	[ "$(sum_of '([0-9]+) reads not remembered')" -gt 0 ]
	[ $((rx + $(jq -s 'map(.rx_bytes) | add' "$T/trace.out"))) -le 20200 ]
}

# The screen of a terminal with that many ROWS and COLUMNS, after one interval
# in which "a" and "b" were at work.
screen() {
	local rows=$1 columns=$2
	shift 2
	prepare a bytes --threads 6 --bytes-up 1000 --bytes-down 10
	prepare b bytes --threads 3 --ip 6 --bytes-up 123456 --bytes-down 7 \
		--addr "$LONG6"
	: >"$T/trace.err"
	# shellcheck disable=SC2016 # for the other shell
	in_background screen python3 -IS "$ROOT/tests/terminal.py" "$rows" \
		"$columns" sh -c '"$@" 2>"$0"' "$T/trace.err" \
		"$BIN" --netns "$NS" -v "${PLAN[@]}" -c 1 -i 4 "$@"
	TRACER=$SPAWNED
	eventually attached trace
	go a
	go b
	await_end "$TRACER"
	cat "$T/screen.out"
	[ "$(wc -l <"$T/screen.out")" -le "$rows" ]
	# No line is wider, and all columns are as their header says: every
	# line ends where the header does.
	awk '{ if (/^PID/) width = length }
		/^[0-9]+ / && length != width { print "off: " $0; bad = 1 }
		END { exit bad }' "$T/screen.out"
}

LONG6=2001:db8:1111:2222:3333:4444:5555:6666
long6() {
	ip -n "$NS" addr add $LONG6/128 dev lo
}

@test "a terminal of 200 columns has whole addresses" {
	long6
	screen 50 200
	[ "$(grep -c "\[$LONG6\]:[0-9]* .*\[$LONG6\]:" "$T/screen.out")" = 6 ]
	[ "$(grep -c '^[0-9]' "$T/screen.out")" = 18 ]
}

@test "a terminal of 80 columns has short ones, with their ports" {
	long6
	screen 50 80
	[ "$(awk '{ if (length > max) max = length } END { print max }' \
		"$T/screen.out")" -le 80 ]
	[ "$(grep -Ec '^[0-9]+ +bytes (client|server) +\[2001:db~[^ ]*6\]:[0-9]+ +\[2001:db~[^ ]*6\]:[0-9]+ ' \
		"$T/screen.out")" = 6 ]
	local port
	for port in $(jq -r 'select(.ip == 6) | .sport' "$TRUTH"); do
		grep -Eq "\]:$port +\[2001" "$T/screen.out"
	done
}

@test "a terminal of few rows says how many it has not" {
	long6
	screen 12 100
	[ "$(wc -l <"$T/screen.out")" -le 12 ]
	grep -qx '(11 more)' "$T/screen.out"
	[ "$(grep -c '^[0-9]' "$T/screen.out")" = 7 ]
	# Those with the most bytes.
	[ "$(grep -c "2001:db8" "$T/screen.out")" = 6 ]
}

@test "small terminals: neither wrapped nor scrolled, and no failure" {
	local size
	prepare a bytes --threads 6 --bytes-up 1000
	for size in "2 20" "1 1" "1 80" "24 9"; do
		# shellcheck disable=SC2086 # two words
		in_background "screen$size" python3 -IS \
			"$ROOT/tests/terminal.py" $size \
			"$BIN" -q --netns "$NS" "${PLAN[@]}" -c 2 -i 3 -S
	done
	go a
	local pid
	for pid in "${PIDS[@]:1}"; do
		await_end "$pid"
	done
	[[ $(<"$T/screen24 9.out") == [0-9][0-9]:[0-9][0-9]:[0-9][0-9]* ]]
}

# Has the last tcptop gone over all sockets, its last link before it counts?
all_attached() {
	local pid
	pid=$(pgrep -nx tcptop) || return
	cat "/proc/$pid/fdinfo/"* 2>/dev/null | grep -q 'link_type:.iter'
}

@test "on a terminal: losses are in the picture, and told at the end" {
	prepare many bytes --threads 20 --bytes-up 1000
	: >"$T/trace.err"
	in_background screen python3 -IS "$ROOT/tests/terminal.py" 30 200 \
		"$BIN" --netns "$NS" "${PLAN[@]}" --max-conns 4 -c 2 -i 3
	# Where its messages go, too, it does not say that it counts: look.
	eventually all_attached
	go many
	await_end "$SPAWNED"
	cat "$T/screen.out"
	grep -q '^([0-9]* more; some were not counted' "$T/screen.out" ||
		grep -q 'bytes received and [0-9]* sent are in no row' \
			"$T/screen.out"
}

@test "JSON: every key, also of no bytes" {
	prepare a bytes --bytes-up 10
	trace --json -i 60
	go a
	stop
	[ "$(jq -r 'keys_unsorted | join(" ")' "$T/trace.out" | sort -u)" = \
		"time duration_us pid comm uid netns ip saddr sport daddr dport connections rx_bytes tx_bytes" ]
	jq -es 'all(.uid == 0 and .connections == 1 and .duration_us > 0)' \
		"$T/trace.out"
	# Now, not some other day.
	jq -es --argjson now "$(date +%s)" 'all((.time | sub("\\.[0-9]*"; "") |
		fromdate) as $t | $t > $now - 60 and $t <= $now + 1)' "$T/trace.out"
}

@test "a name with control characters spoils no terminal" {
	trace -C
	workload pairs --comm $'a\x1b[2J\tb' --bytes-up 5
	stop
	refute env LC_ALL=C grep -q $'[^ -~]' "$T/trace.out"
}

@test "into head, and into a full disk" {
	local status=0
	timeout 20 "$BIN" -C "${PLAN[@]}" | head -n 1 >"$T/head"
	[ "${PIPESTATUS[0]}" = 0 ]
	grep -q ^PID "$T/head"
	"$BIN" -C "${PLAN[@]}" 1 3 >/dev/full 2>"$T/full" || status=$?
	[ "$status" = 1 ]
	one_line "$T/full" "^tcptop: cannot write standard output: No space"
}

@test "however it ends, nothing is left" {
	local signal
	for signal in INT TERM KILL; do
		tracefs_state >"$T/before"
		trace --json
		note_objects
		workload bytes --bytes-up 5
		if [ "$signal" = KILL ]; then
			kill -KILL "$TRACER"
			eventually ended "$TRACER"
		else
			stop "$signal"
			[ "$(jq -s 'map(.tx_bytes) | add' "$T/trace.out")" = 5 ]
		fi
		eventually objects_gone
		tracefs_state | cmp - "$T/before"
	done
}

@test "two at once" {
	prepare a bytes --bytes-up 1000
	trace_as other "$BIN" --netns "$NS" --json
	local other=$TRACER
	trace --json
	go a
	stop
	stop INT "$other"
	sums --rows 2
	mv "$T/other.out" "$T/trace.out"
	sums --rows 2
}

@test "as nobody: one line, exit status 1; with two capabilities it works" {
	public_copy
	run --separate-stderr as_nobody "$PUBLIC/bin/tcptop"
	[ "$status" = 1 ]
	[ -z "$output" ]
	[ "$stderr" = "tcptop: cannot trace: Operation not permitted\
 (run as root, or with CAP_BPF and CAP_PERFMON)" ]
	trace_as trace setpriv --reuid nobody --regid nogroup --clear-groups \
		--inh-caps +bpf,+perfmon --ambient-caps +bpf,+perfmon \
		"$PUBLIC/bin/tcptop" --json \
		--netns "$(stat -Lc %i "/run/netns/$NS")"
	[ "$(status_of "$TRACER" CapEff)" = 0000008000000000 ]
	workload bytes --bytes-up 1000 --recv mixed
	stop
	sums --rows 2
}

@test "it stays below 10 MB" {
	trace -C
	in_ns "$LOAD" crowd --count 10000 >/dev/null
	eventually grep -q . "$T/trace.out"
	echo "$(status_of "$TRACER" VmHWM) kB at most"
	[ "$(status_of "$TRACER" VmHWM)" -le 10240 ]
	stop
	[ "$(grep -c '^[0-9].* 0\.001$' "$T/trace.out")" = 10000 ]
}
