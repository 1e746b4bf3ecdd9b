#!/usr/bin/env bats
# tcp_inerrs next to packets that were made to be bad.

bats_require_minimum_version 1.5.0

TOOL=tcp_inerrs
load ../helper
load ../badtcp
LOAD=$ROOT/build/work/badtcp

setup() {
	live_setup
	COUNT=10
}

teardown() {
	live_teardown
}

# The reasons that this kernel knows.
knows() {
	grep -q "\"$1\"" "$TRACEFS/events/skb/kfree_skb/format"
}

# Does this kernel hand over the socket with the packet (Linux 6.11)? Then what
# has one is always known, with the process.
hands_over() {
	grep -q rx_sk "$TRACEFS/events/skb/kfree_skb/format"
}

plan_is() {
	grep -Eq "with plan '($1)'" "$T/trace.err"
}

# rows [ARG...]: those of the last command with the truth of all workloads.
rows() {
	cat "$T"/*.truth >"$TRUTH"
	python3 -IS "$ROOT/tests/inerrs.py" "$TRUTH" "$T/trace.out" "$@"
}

# both CASE [ARG...]: a case by IPv4 and IPv6, each in a trace of its own with
# these options.
both() {
	local case=$1 ip
	shift
	for ip in 4 6; do
		rm -f "$T"/*.truth "$T"/*.go
		prepare "$case$ip" "$case" --ip "$ip" --count "$COUNT"
		trace --json -$ip "$@" # the last one's end may come late
		let_go "$case$ip"
		stop
		over "$case$ip"
		rows "${COMPARE[@]}"
	done
}

# Packets that are dropped before the functions that a plan hooks: where the
# kernel does not hand over the socket, nobody knows it.
before_functions() {
	COMPARE=()
	hands_over || COMPARE=(--without state --without pid --without comm)
}

@test "a cold start: checksums, of small packets and of large ones, with and without a socket" {
	both csum
	both csum-nobody
	both csum-large
	grep -q "kernel's InCsumErrors: $COUNT, seen: $COUNT" "$T/trace.err"
	grep -q "kernel's InErrs: $COUNT, seen: $COUNT" "$T/trace.err"
}

@test "headers: too small, longer than the packet; packets that have none" {
	both doff-small
	both doff-large
	both short
	both shorter
}

@test "no socket, and the resets that answer it have none either" {
	both nobody
	both nobody-rst
	both nobody-fragment
}

@test "sequence numbers: above the window" {
	both seq-high
}

@test "SYN, an inexact RST, no flags, in an established connection" {
	both syn
	both rst-inexact
	both no-flags
}

@test "acknowledgements: of what was never sent, of what is long past" {
	both ack-future
	both ack-old
}

@test "timestamps: old ones" {
	both paws
}

@test "an answer to another SYN than was sent" {
	local reason=TCP_INVALID_ACK_SEQUENCE
	COMPARE=()
	if ! knows "$reason"; then
		COMPARE=(--rename "$reason=NOT_SPECIFIED")
		reason=NOT_SPECIFIED
	fi
	both syn-sent -R "$reason"
}

# Does this kernel say what is wrong with a packet in a handshake (Linux 6.15)?
tells_handshakes() {
	knows TCP_RFC7323_TSECR
}

@test "a handshake: an old timestamp, a sequence number above the window" {
	COMPARE=()
	tells_handshakes ||
		COMPARE=(--rename TCP_RFC7323_PAWS=NOT_SPECIFIED --rename TCP_OVERWINDOW=NOT_SPECIFIED)
	# The numbers decided what it was taken for.
	for _ in 1 2 3; do
		both handshake-paws
	done
	both handshake-window
}

@test "a handshake: the echo of a timestamp that was never sent" {
	if tells_handshakes; then
		both handshake-tsecr
		grep -q "kernel's TSEcrRejected: $COUNT, seen: $COUNT" "$T/trace.err"
		return
	fi
	# Older kernels make a connection of it.
	prepare load handshake-tsecr
	trace --json -R tsecr
	grep -q "this kernel does not tell TCP_RFC7323_TSECR" "$T/trace.err"
	let_go load
	stop
	over load
	[ ! -s "$T/trace.out" ]
}

@test "TCP Fast Open: no acknowledgement, above the window, the SYN again" {
	COMPARE=()
	both fastopen -R fastopen
	tells_handshakes || COMPARE=(--rename TCP_OVERWINDOW=TCP_FASTOPEN)
	both fastopen-window -R fastopen,overwindow
	COMPARE=()
	both fastopen-syn -R fastopen,overwindow,old_sequence
}

@test "timestamps: old ones, for a connection that is over" {
	# It is answered, nobody knows the answer, and that ends it.
	COUNT=1
	COMPARE=()
	if knows TCP_RFC7323_TW_PAWS; then
		both time-wait-paws -R tw_paws,tw_paws_duplicate
		both time-wait-late -R tw_paws,tw_paws_duplicate
		grep -q "kernel's PAWSTimewait: 1, seen: 1" "$T/trace.err"
	else
		prepare load time-wait-paws --count 1
		trace --json
		let_go load
		stop
		over load
	fi
	# Older kernels have one counter for both.
	grep -Eq "kernel's PAWS(Timewait|Estab): 1" "$T/trace.err"
}

@test "the minimum TTL" {
	before_functions
	knows TCP_MINTTL || COMPARE+=(--rename TCP_MINTTL=NOT_SPECIFIED)
	both minttl
	grep -q "kernel's TCPMinTTLDrop: $COUNT" "$T/trace.err"
}

@test "a socket's filter" {
	both filter
}

@test "MD5: none, one that is not wanted, a wrong one" {
	before_functions
	both md5-missing
	both md5-unexpected
	both md5-wrong
}

@test "data for a closed window" {
	both zero-window
}

@test "data that begins where the window ends" {
	COMPARE=()
	both over-window
	knows TCP_INVALID_END_SEQUENCE ||
		COMPARE=(--rename TCP_INVALID_END_SEQUENCE=TCP_OVERWINDOW)
	both over-window-unread
}

@test "data that waits behind a reset" {
	both close
}

@test "a process that has the socket to itself for too long" {
	both backlog
	grep -Eq "kernel's TCPBacklogDrop: ([0-9]+), seen: \1$" "$T/trace.err"
}

@test "a receive buffer that is full" {
	both memory
	grep -q "kernel's TCPRcvQDrop+TCPOFODrop: $COUNT, seen: $COUNT" "$T/trace.err"
}

@test "data out of order that is thrown away again" {
	local ip pruned shown
	for ip in 4 6; do
		rm -f "$T"/*.truth "$T"/*.go
		prepare load disorder --ip "$ip"
		trace --json
		let_go load
		stop
		over load
		# Some kernels take several at once, and count that once.
		pruned=$(sed -n 's/.*OFO_QUEUE_PRUNE.*"count":\([0-9]*\)}/\1/p' "$T/load.truth")
		shown=$(grep -c TCP_OFO_QUEUE_PRUNE "$T/trace.out")
		echo "$pruned times, $shown shown"
		[ "$pruned" -gt 10 ]
		[ "$shown" -ge "$pruned" ]
		[ "$shown" -le 100 ]
		# All else of what is due is in every row.
		python3 -IS "$ROOT/tests/inerrs.py" <(sed "s/\"count\":$pruned}/\"count\":$shown}/" "$T/load.truth") "$T/trace.out"
	done
}

@test "IPsec that a policy wants, and that is not there" {
	before_functions
	both policy
}

@test "resets that were believed: the process whose connection it was" {
	both rst
}

@test "resets that were sent, by a process that closes with bytes unread" {
	both abort
}

@test "data for connections that their process has closed, or shut down" {
	# Older kernels do not tell of a reset by what is left of a socket.
	hands_over || COMPARE=(--ignore RESET_SENT)
	both closed --all
	COMPARE=()
	knows TCP_ABORT_ON_DATA || COMPARE=(--rename TCP_ABORT_ON_DATA=NOT_SPECIFIED)
	both shut-down --all
}

@test "handshakes that are reset before their end" {
	both embryo
}

@test "a listener: flags that make no sense, RST, ACK and the reset that answers it" {
	both listen-fin
	both listen-synfin
	both listen-rst
	knows TCP_ABORT_ON_DATA || COMPARE=(--rename TCP_FLAGS=NOT_SPECIFIED)
	both listen-ack
}

@test "a listener without room: the end of a handshake" {
	both overflow
	grep -q "kernel's ListenOverflows: 1, seen: 1" "$T/trace.err"
}

@test "a listener without room: the beginning of a handshake" {
	local seen=1 ip
	for ip in 4 6; do
		rm -f "$T"/*.truth "$T"/*.go
		prepare load overflow-syn --ip "$ip"
		trace --json
		# No tracepoint tells.
		grep -q "left out.*err_request" "$T/trace.err" && seen=0
		plan_is probe && seen=0
		let_go load
		stop
		over load
		grep -q "kernel's ListenOverflows: 1, seen: $seen" "$T/trace.err"
		[ "$seen" = 0 ] || rows
		[ "$seen" = 1 ] || [ ! -s "$T/trace.out" ]
	done
}

@test "SYN cookies: an acknowledgement of none, and a good one without memory" {
	COMPARE=()
	knows TCP_ABORT_ON_DATA || COMPARE=(--rename TCP_FLAGS=NOT_SPECIFIED)
	both cookie-wrong
	grep -q "kernel's SyncookiesFailed: $COUNT, not seen packet by packet" "$T/trace.err"
	# No namespace has this setting to itself, where no reason is given.
	in_ns test -e /proc/sys/net/core/optmem_max || return 0
	both cookie
	grep -q "kernel's ListenDrops: $COUNT, not seen packet by packet" "$T/trace.err"
}

@test "SYN cookies off, and too many handshakes under way" {
	local seen ip n
	for ip in 4 6; do
		rm -f "$T"/*.truth "$T"/*.go
		prepare load queue-full --ip "$ip"
		trace --json -R syn_queue_full
		let_go load
		stop
		n=$(grep -c SYN_QUEUE_FULL "$T/load.truth")
		seen=$n
		grep -q "left out.*err_request" "$T/trace.err" && seen=0
		plan_is probe && seen=0
		over load
		grep -q "kernel's TCPReqQFullDrop: $n, seen: $seen" "$T/trace.err"
		[ "$seen" = 0 ] || rows
		[ "$seen" != 0 ] || [ ! -s "$T/trace.out" ]
	done
}

@test "what is normal: only with --all" {
	COMPARE=()
	both seq-old --all
	both keepalive --all
	both time-wait --all
	both defer --all
	both closing-ack --all
	for case in seq-old keepalive time-wait defer closing-ack; do
		rm -f "$T"/*.truth "$T"/*.go
		prepare load "$case"
		trace --json
		let_go load
		stop
		over load
		# Who asks the functions for sockets needs functions.
		plan_is probe || [ ! -s "$T/trace.out" ]
	done
}

@test "what is bad is shown as often as it was, at once from all cases" {
	local case
	for case in csum doff-large nobody-rst seq-high syn paws ack-future; do
		prepare "$case" "$case" --count 500
	done
	trace --json
	for case in csum doff-large nobody-rst seq-high syn paws ack-future; do
		let_go "$case"
	done
	stop
	rows
	for case in csum doff-large nobody-rst seq-high syn paws ack-future; do
		over "$case"
	done
}
