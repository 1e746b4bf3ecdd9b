#!/usr/bin/env bats
# delay_analysis_out's command line, as far as nothing is traced. No privileges
# needed.

TOOL=delay_analysis_out
load ../helper

@test "--help: standard output, and fits a terminal" {
	good_help
	for name in sport dport addr pid ipv4 ipv6 netns dev sample min count wide \
		hist summary interval json max-packets buffer no-cache; do
		grep -Eq -- "^ .*--$name( |$)" <<<"$output"
	done
	grep -Eq -- '-sp, --sport LIST' <<<"$output"
	grep -Eq -- '-s, --sample \[RATE\]' <<<"$output"
}

@test "the man page has the options of --help, and no others" {
	same_options
}

@test "--version: one line" {
	good_version
}

@test "misuse: one line, exit status 2" {
	for option in -p -c -i --buffer --max-packets; do
		for value in 0 x 1.5 -1 "" 18446744073709551616; do
			misuse "$option" "$option" "$value"
		done
	done
	for option in -sp -dp --sport --dport; do
		for value in 0 65536 "80," http; do
			misuse "$option" "$option" "$value"
		done
	done
	misuse "-sp 65536" -sp65536
	misuse "-dp =80" -dp=80
	misuse "--sample 0" --sample=0
	misuse "--sample x" --sample=x
	misuse 1048577 -s 1048577
	misuse --min --min -1
	misuse --hist --hist --summary
	misuse --interval -i 2
	misuse --count --hist -c 1
	misuse --dev -d abcdefghijklmnop
	misuse --dev --dev ''
	misuse x x
	misuse --sampl --sampl
}

@test "an address that is none: misuse" {
	for addr in x 10.0.0 10.0.0.1/33 ::1/129 10.0.0.1/ 10.0.0.1/x /8; do
		misuse "$addr" -a "$addr"
	done
}
