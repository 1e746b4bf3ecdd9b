#!/usr/bin/env bats
# What this kernel, or this machine, cannot do: the command says so, in one line
# that matches NB_REASON (scripts/matrix).

load ../helper

setup() {
	live_setup
}

teardown() {
	live_teardown
}

@test "one line says why, exit status 1" {
	local where=(--netns "$NS")
	[ "$TOOL" != trace_http ] || where=(-o "$T") # it has no such option
	[ -n "$NB_REASON" ]
	run --separate-stderr timeout -s KILL "$((20 * NB_SLOW))" \
		"$BIN" "${where[@]}" "${PLAN[@]}"
	echo "$status: $stderr"
	[ "$status" = 1 ]
	[ -z "$output" ]
	[ "${#stderr_lines[@]}" = 1 ]
	[[ $stderr == "$TOOL":\ * ]]
	[[ $stderr =~ $NB_REASON ]]
	# For the table.
	echo "# reason: $stderr" >&3
}
