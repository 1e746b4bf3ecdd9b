#!/usr/bin/env bats
# The command starts in the way it was told to: cold, then warm. Run first, with
# NB_CACHE, it leaves the images that all later files start from.

load ../helper

setup() {
	# Kernel headers take many times as long as types from BTF.
	[ "${NB_TYPES:-btf}" = btf ] || NB_SLOW=$((4 * NB_SLOW))
	live_setup
}

teardown() {
	live_teardown
}

# cold_then_warm ARG...: it starts, twice, and says in which way.
cold_then_warm() {
	local how plan=${NB_PLAN:-[a-z]+}
	for how in cold warm; do
		: >"$TRUTH"
		trace --json "$@"
		workload pairs --count 2
		stop
		compare json --rows 4
		cat "$T/trace.err"
		grep -Eq "tracing with plan '$plan' \($how start\)" \
			"$T/trace.err"
	done
}

@test "a cold start, a warm start" {
	cold_then_warm
}

@test "-f: a cold start, a warm start" {
	cold_then_warm -f
}
