#!/usr/bin/env bats
# What the manual pages and the README show as commands are such that the
# commands take. No privileges needed.

load ../helper

# examples PAGE: its commands, up to a pipe or a file.
examples() {
	sed -n '/^\.SH EXAMPLES/,/^\.SH [^E]/p' "$1" |
		grep -E '^(\.B |# )' |
		sed -E 's/\\-/-/g; s/^(\.B |# )//; s/ *[|>].*//'
}

# Those of lines that run one of the commands; with its arguments.
commands() {
	local names
	names=$(cd "$ROOT/tools" && printf '%s|' *)
	grep -oE "(^| )(${names%|})( .*)?$" | sed 's/^ //'
}

# N: so many commands are taken.
are_taken() {
	local line n=0
	while read -r line; do
		echo "$line"
		read -ra words <<<"$line"
		# Options come one after the other: --help if the others are good.
		"$ROOT/build/bin/${words[0]}" "${words[@]:1}" --help |
			grep -q "^Usage: ${words[0]} "
		n=$((n + 1))
	done
	[ "$n" -ge "$1" ]
}

@test "examples of the manual pages" {
	local page
	for page in "$ROOT"/man/*.8; do
		examples "$page" | commands >"$BATS_TEST_TMPDIR/commands"
		are_taken 3 <"$BATS_TEST_TMPDIR/commands"
	done
}

@test "commands of the README" {
	sed -nE 's/^    # //p' "$ROOT/README.md" | commands \
		>"$BATS_TEST_TMPDIR/commands"
	are_taken 7 <"$BATS_TEST_TMPDIR/commands"
}
