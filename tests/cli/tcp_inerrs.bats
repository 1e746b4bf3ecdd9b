#!/usr/bin/env bats
# tcp_inerrs' command line, as far as nothing is traced. No privileges needed.

TOOL=tcp_inerrs
load ../helper

@test "--help: standard output, and fits a terminal" {
	good_help
	for name in pid ipv4 ipv6 port dport netns reason all summary by interval \
		count timestamp stack json max-rate max-peers buffer no-cache; do
		grep -Eq -- "^ .*--$name( |$)" <<<"$output"
	done
}

@test "the man page has the options of --help, and no others" {
	same_options
}

@test "the man page has all reasons, and no others" {
	run --separate-stderr "$BIN" -R nothing
	[ "$status" = 2 ]
	sed -e 's/.*is none of //' -e 's/ (try --help)//' -e 's/, /\n/g' \
		<<<"$stderr" | sort >"$BATS_TEST_TMPDIR/words"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/words")" -gt 40 ]
	sed -n '/^.SH REASONS/,/^.SH/s/^\.B \([A-Z0-9_\\-]*\)$/\1/p' \
		"$ROOT/man/tcp_inerrs.8" | sort >"$BATS_TEST_TMPDIR/man"
	diff "$BATS_TEST_TMPDIR/words" "$BATS_TEST_TMPDIR/man"
}

@test "--version: one line" {
	good_version
}

@test "misuse: one line, exit status 2" {
	for option in -p -c --max-rate --max-peers --buffer; do
		for value in 0 x 1.5 -1 "" 18446744073709551616; do
			misuse "$option" "$option" "$value"
		done
	done
	for option in -P -D; do
		for value in 0 65536 x "80," "" 80-90; do
			misuse "$option" "$option" "$value"
		done
	done
	misuse wrong -R wrong
	misuse "" -R csum,,paws
	misuse TCP_ -R TCP_
	misuse name --by name
	misuse --interval -i 5
	misuse --by --by peer
	misuse --stack --stack -s
	misuse --count -s -c 1
	misuse x x
	misuse --al --al
}

@test "nothing is traced without privileges" {
	unprivileged
}
