#!/usr/bin/env bats
# tcptop on connections that the kernel encrypts: what counts is the plain text.
# (Not every kernel has TLS; scripts/matrix knows.)

TOOL=tcptop
load ../helper

setup() {
	live_setup
	modprobe tls 2>/dev/null || true
}

teardown() {
	live_teardown
}

# carry ARG...: bytes on a connection older than the command, and on a younger.
carry() {
	local late=()
	# By functions, calls that are under way at the start don't count.
	[[ ${NB_PLAN:-} != @(fentry|kprobe) ]] || late=(--late)
	prepare old bytes --tls --bytes-up 1234567 --bytes-down 54321 "$@" \
		"${late[@]}"
	prepare new bytes --tls --bytes-up 1234567 --bytes-down 54321 "$@" --late
	trace --json
	go old
	go new
	stop
	python3 -IS "$ROOT/tests/sums.py" "$TRUTH" "$T/trace.out" --rows 4
	[ "$(missed)" = 0 ]
}

@test "written and read" {
	carry
}

@test "sent from a file, and received by recvmsg" {
	carry --send sendfile --recv recvmsg
}

@test "spliced into the socket, and looked at first" {
	carry --send splice --recv peek
}
