#!/usr/bin/env bats
# tcptop's command line, as far as nothing is traced. No privileges needed.

TOOL=tcptop
load ../helper

@test "--help: standard output, and fits a terminal" {
	good_help " [INTERVAL [COUNT]]"
	for name in pid ipv4 ipv6 uid netns cgroupmap mntnsmap interval count \
		sort top by rate bytes summary noclear json max-conns no-cache; do
		grep -Eq -- "^ .*--$name( |$)" <<<"$output"
	done
	# It has no records, and so no buffer.
	refute grep -q buffer <<<"$output"
}

@test "the man page has the options of --help, and no others" {
	same_options
}

@test "--version: one line" {
	good_version
}

@test "misuse: one line, exit status 2" {
	for option in -p -i -c -n --max-conns; do
		for value in 0 x 1.5 -1 "" 18446744073709551616; do
			misuse "$option" "$option" "$value"
		done
	done
	misuse 86401 -i 86401
	misuse 86401 86401
	misuse 0 1 0
	misuse x x
	misuse 3 1 2 3
	misuse name -s name
	misuse tcp --by tcp
	misuse --rate --rate=1
	misuse --interva --interva 1
	misuse --buffer --buffer 64
}

@test "nothing is traced without privileges" {
	unprivileged
}
