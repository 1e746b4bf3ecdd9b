#!/usr/bin/env bats
# nic_throughput's command line. No privileges needed.

TOOL=nic_throughput
load ../helper

# misuse QUOTED ARG...: refused in one line that quotes the offender.
misuse() {
	local quoted=$1
	shift
	run --separate-stderr timeout 5 "$BIN" "$@"
	echo "$status: $stderr"
	[ "$status" = 2 ]
	[ -z "$output" ]
	[ "${#stderr_lines[@]}" = 1 ]
	[[ $stderr == nic_throughput:\ *\'*"$quoted"*\'*\ \(try\ --help\) ]]
}

@test "--help: standard output, and fits a terminal" {
	run --separate-stderr "$BIN" --help
	[ "$status" = 0 ]
	[ -z "$stderr" ]
	[ "${lines[0]}" = "Usage: nic_throughput [OPTION]..." ]
	# shellcheck disable=SC2154 # bats sets it
	[ -z "$(awk 'length > 80' <<<"$output")" ]
	for name in name interval count netns raw json max-queues no-cache; do
		grep -Eq -- "^ .*--$name( |$)" <<<"$output"
	done
	# It has no records, and so no buffer.
	refute grep -q buffer <<<"$output"
	misuse --buffer -n lo --buffer 64
	misuse --perf-buffer -n lo --perf-buffer
}

# "-x, --name ARG", as in both texts: "-x --name".
options_in() {
	sed -nE 's/^ *((-[^-], )?--[a-z0-9-]+).*/\1/p' | tr -d , | sort
}

@test "the man page has the options of --help, and no others" {
	"$BIN" --help | options_in >"$BATS_TEST_TMPDIR/help"
	groff -man -Tascii -P -cbou "$ROOT/man/nic_throughput.8" |
		awk 'last ~ /^( ? ? ?[^ ]|$)/ { print } { last = $0 }' |
		options_in >"$BATS_TEST_TMPDIR/man"
	[ -s "$BATS_TEST_TMPDIR/man" ]
	diff "$BATS_TEST_TMPDIR/help" "$BATS_TEST_TMPDIR/man"
}

@test "--version: one line" {
	run --separate-stderr "$BIN" --version
	[ "$status" = 0 ]
	[[ $output =~ ^nic_throughput\ [0-9]+\.[0-9]+\.[0-9]+ ]]
	[ "${#lines[@]}" = 1 ]
}

@test "misuse: one line, exit status 2" {
	misuse -n
	misuse -n --json
	misuse -n -n
	misuse -n -n ""
	misuse --name --name=
	misuse --names --names lo
	misuse lo lo
	misuse -x -n lo -x
	misuse --raw -n lo --raw=1
	for value in 0 x 1.5 -1 86401 18446744073709551616; do
		misuse "$value" -n lo -i "$value"
	done
	for value in 0 x 18446744073709551616; do
		misuse "$value" -n lo -c "$value"
	done
	misuse 32769 -n lo --max-queues 32769
}

@test "more names than there is room for" {
	local args=() i
	for i in $(seq 65); do
		args+=(-n "d$i")
	done
	misuse "-n d65" "${args[@]}"
}

@test "nothing is traced without privileges" {
	local setpriv=()
	[ "$(id -u)" != 0 ] ||
		setpriv=(setpriv --bounding-set -all --inh-caps -all)
	run --separate-stderr "${setpriv[@]}" "$BIN" -n lo
	[ "$status" = 1 ]
	[ -z "$output" ]
	[ "${#stderr_lines[@]}" = 1 ]
	[[ $stderr == "nic_throughput: cannot trace: Operation not permitted "* ]]
}
