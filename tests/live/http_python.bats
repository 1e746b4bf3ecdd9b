#!/usr/bin/env bats
# The frames of CPython, as eBPF takes them and user space names them, are what
# the interpreter says itself; so are the interpreter's loops in the native
# stacks. On Debian's python3 and on what other versions there are.

TOOL=trace_http
load ../helper

WALK=$ROOT/build/work/pywalk

setup() {
	[ "$EUID" = 0 ] || skip "needs root"
	T=$BATS_TEST_TMPDIR
	(cd "$ROOT" && scripts/flatten tests/work/pywalk.bpf.c) >"$T/text"
	export PYTHONDONTWRITEBYTECODE=1
	PYTHONS=(/usr/bin/python3)
	local python
	for python in "${HOME:-/root}"/.pyenv/versions/3.*/bin/python3; do
		[[ $python =~ /3\.([89]|1[0-3])\.[0-9]+/ ]] || continue
		PYTHONS+=("$python")
	done
}

# walk_all [CASE]...: the script's stacks on each CPython.
walk_all() {
	local python
	for python in "${PYTHONS[@]}"; do
		echo "$python"
		timeout $((60 * NB_SLOW)) "$WALK" "$T/text" "$python" \
			"$ROOT/tests/work/pystacks.py" "$@"
	done
}

@test "frames while the process runs" {
	walk_all
}

@test "frames of a process that is stopped, as user space walks them" {
	PYWALK_STOP=1 walk_all
}

@test "the native stack has the loops that Python's frames tell" {
	PYWALK_STOP=1 PYWALK_NATIVE=1 walk_all \
		nested generators callbacks coroutines names
}

# Neither its path nor its libraries' are anything outside.
@test "an executable that was removed, in another mount namespace" {
	mkdir "$T/root"
	# shellcheck disable=SC2016
	PYSTACKS_UNLINK=1 PYTHONHOME=/usr timeout $((60 * NB_SLOW)) \
		"$WALK" "$T/text" unshare --mount sh -c '
			mount -t tmpfs none "$1" &&
			cp /usr/bin/python3 "$1/app" &&
			exec "$1/app" "$2" nested names' \
		sh "$T/root" "$ROOT/tests/work/pystacks.py"
}
