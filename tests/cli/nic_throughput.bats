#!/usr/bin/env bats
# nic_throughput's command line. No privileges needed.

TOOL=nic_throughput
load ../helper

@test "--help: standard output, and fits a terminal" {
	good_help ""
	for name in name interval count netns raw json max-queues no-cache; do
		grep -Eq -- "^ .*--$name( |$)" <<<"$output"
	done
	# It has no records, and so no buffer.
	refute grep -q buffer <<<"$output"
	misuse --buffer -n lo --buffer 64
	misuse --perf-buffer -n lo --perf-buffer
}

@test "the man page has the options of --help, and no others" {
	same_options
}

@test "--version: one line" {
	good_version
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
	unprivileged -n lo
}
