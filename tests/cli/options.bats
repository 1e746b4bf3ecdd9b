#!/usr/bin/env bats
# The command line, as far as nothing is traced. No privileges needed.

load ../helper

FLAGS=(ipv4 ipv6 failed latency life timestamp json no-cache quiet verbose
	version help perf-buffer)
NUMBERS=(pid count max-conns buffer)
LISTS=(port dport)
WORDS=(direction)
NAMES=(uid netns cgroupmap mntnsmap plan)
SHORT_VALUES=(p P D r u n c)

@test "--help: standard output, and fits a terminal" {
	for option in --help -h -vh; do
		run --separate-stderr "$BIN" "$option"
		[ "$status" = 0 ]
		[ -z "$stderr" ]
		[ "${lines[0]}" = "Usage: tcpconnection [OPTION]..." ]
		# shellcheck disable=SC2154 # bats sets it
		[ -z "$(awk 'length > 80' <<<"$output")" ]
	done
}

@test "--help names every option but the hidden ones" {
	"$BIN" --help >"$BATS_TEST_TMPDIR/help"
	for name in "${FLAGS[@]}" "${NUMBERS[@]}" "${LISTS[@]}" "${WORDS[@]}" \
		"${NAMES[@]}"; do
		case $name in
		plan | perf-buffer)
			refute grep -qw -- "--$name" "$BATS_TEST_TMPDIR/help" ;;
		*)
			grep -Eq -- "^ .*--$name " "$BATS_TEST_TMPDIR/help" ;;
		esac
	done
	[ "$(grep -c '^  .*--' "$BATS_TEST_TMPDIR/help")" -ge 23 ]
}

@test "the man page has the options of --help, and no others" {
	same_options
}

@test "--version: one line" {
	for option in --version -V -qV; do
		good_version "$option"
	done
}

@test "--help and --version into a full disk: exit status 1" {
	for option in --help --version; do
		# shellcheck disable=SC2016 # for the other shell
		run sh -c '"$0" "$1" >/dev/full' "$BIN" "$option"
		[ "$status" = 1 ]
		[ "${#lines[@]}" = 1 ]
		[[ $output == "tcpconnection: "* ]]
	done
}

@test "a long option with a letter dropped, or one too many" {
	for name in "${FLAGS[@]}" "${NUMBERS[@]}" "${LISTS[@]}" "${WORDS[@]}" \
		"${NAMES[@]}"; do
		misuse "--${name%?}" "--${name%?}"
		misuse "--${name#?}" "--${name#?}"
		misuse "--${name:0:1}${name:2}" "--${name:0:1}${name:2}" 80
		misuse "--${name}s" "--${name}s=80"
	done
}

@test "unknown short options, alone and in a bundle" {
	misuse -x -x
	misuse -0 -0
	misuse -46x -46x
	misuse -é -é
	misuse - -
}

@test "flags take no value" {
	for name in "${FLAGS[@]}"; do
		misuse "--$name" "--$name=1"
	done
}

@test "no value" {
	for name in "${NUMBERS[@]}" "${LISTS[@]}" "${WORDS[@]}" "${NAMES[@]}"; do
		misuse "--$name" "--$name"
		misuse "--$name" "--$name" ""
		misuse "--$name" "--$name="
	done
	for name in "${SHORT_VALUES[@]}"; do
		misuse "-$name" "-$name"
		misuse "-$name" -4 "-$name"
		misuse "-$name" "-$name" ""
	done
}

@test "numbers that are none, or too small or too large" {
	for name in "${NUMBERS[@]}"; do
		for value in x 1x "1 " " 1" -1 +1 0 1.5 0x10 1k 1,2 \
			18446744073709551616 99999999999999999999; do
			misuse "$value" "--$name" "$value"
			misuse "$value" "--$name=$value"
		done
	done
	misuse 4194305 -p 4194305
	misuse 16777217 --max-conns 16777217
	misuse 3 --buffer 3
	misuse 1048577 --buffer 1048577
}

@test "ports that are none" {
	for name in "${LISTS[@]}"; do
		for value in x 0 65536 '80,' ',80' 80,,81 "80, 81" -1 +80 80-90 ',' \
			80,0 80,65536 80,x http 4294967376; do
			misuse "$value" "--$name" "$value"
			misuse "$value" "--$name=$value"
		done
	done
	misuse 80, -P80,
	misuse 0 -D 80 -D 0
}

@test "more ports than there is room for" {
	misuse "-P 900,901," -P "$(seq -s , 900 2000)"
}

@test "directions that are none" {
	for value in x conn CONNECT connect,accept "accept " both; do
		misuse "$value" -r "$value"
		misuse "$value" "--direction=$value"
	done
}

@test "arguments" {
	misuse foo foo
	misuse 5 -4 5
	misuse -4 -- -4
	misuse bar -c 1 bar
}

@test "the first mistake is told, and once" {
	misuse foo --foo --bar
	misuse -x -x -p none
}

@test "what is not printable does not reach the terminal" {
	run --separate-stderr "$BIN" $'--a\x1b[2J\n\x07'
	[ "$status" = 2 ]
	[ "${#stderr_lines[@]}" = 1 ]
	refute env LC_ALL=C grep -q $'[^ -~]' <<<"$stderr"
}

@test "an argument as long as can be" {
	local long
	long=$(printf '%0100000d' 0)
	for args in "--$long" "-p $long" "-P $long" "-r $long" "$long"; do
		# shellcheck disable=SC2086 # two words
		run --separate-stderr "$BIN" $args
		[ "$status" = 2 ]
		[ "${#stderr_lines[@]}" = 1 ]
		[ "${#stderr}" -lt 2000 ]
	done
}

@test "a plan that does not exist" {
	[ "$(id -u)" = 0 ] || skip "needs root"
	misuse nothing --plan nothing
	misuse Raw --plan Raw
}

@test "users and namespaces that do not exist" {
	[ "$(id -u)" = 0 ] || skip "needs root"
	for args in "-u nothing" "-n nothing" "-n /nothing" "-n 0"; do
		# shellcheck disable=SC2086 # two words
		run --separate-stderr "$BIN" $args
		echo "$args: $status: $stderr"
		[ "$status" = 1 ]
		[ -z "$output" ]
		[ "${#stderr_lines[@]}" = 1 ]
		[[ $stderr == *"'${args#* }'"* ]]
	done
}

@test "nothing is traced without privileges" {
	unprivileged
}
