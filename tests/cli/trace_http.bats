#!/usr/bin/env bats
# trace_http's command line, as far as nothing is traced. No privileges needed.

TOOL=trace_http
load ../helper

@test "--help: standard output, and fits a terminal" {
	good_help
	for name in threshold process pid ipv4 ipv6 client server status path \
		min-size count json output speedscope svg max-conns buffer \
		no-cache; do
		grep -Eq -- "^ .*--$name( |$)" <<<"$output"
	done
}

@test "the man page has the options of --help, and no others" {
	same_options
}

@test "--version: one line" {
	good_version
}

@test "misuse: one line, exit status 2" {
	for option in -c --pid --max-conns --buffer; do
		for value in 0 x 1.5 -1 "" 18446744073709551616; do
			misuse "$option" "$option" "$value"
		done
	done
	for value in x 1.5 -1 "" 86400001; do
		misuse -t -t "$value"
	done
	misuse --pid --pid 4194305
	misuse --pid --pid 1 --pid 2x
	for value in x 5x 40 4040 "5xx," ",404" 040 4x4 "404,5yy" -404; do
		misuse "$value" --status "$value"
	done
	for option in -p --status --path -o --speedscope --svg; do
		misuse "$option" "$option" ""
	done
	misuse "$(printf 'n%.0s' {1..128})" -p "$(printf 'n%.0s' {1..128})"
	misuse nova nova
	misuse --json --json=1
	misuse --threshol --threshol 1
}

@test "nothing is traced without privileges" {
	mkdir "$BATS_TEST_TMPDIR/dir"
	cd "$BATS_TEST_TMPDIR/dir"
	unprivileged
	[ -z "$(ls)" ]
}
