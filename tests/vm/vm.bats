#!/usr/bin/env bats
# scripts/vm: what its user, the tests on Debian's kernels, relies on.

bats_require_minimum_version 1.5.0
ROOT=$(cd "${BATS_TEST_FILENAME%/*}/../.." && pwd)
VM=$ROOT/scripts/vm
BOOT_MAX=15 # seconds

setup_file() {
	"$VM" --prepare 2>"$BATS_FILE_TMPDIR/why" ||
		echo "$(<"$BATS_FILE_TMPDIR/why")" >"$BATS_FILE_TMPDIR/skip"
}

setup() {
	T=$BATS_TEST_TMPDIR
	[ ! -e "$BATS_FILE_TMPDIR/skip" ] || skip "$(<"$BATS_FILE_TMPDIR/skip")"
}

teardown() {
	[ -z "${PID:-}" ] || kill -KILL "$PID" 2>/dev/null || true
}

# eventually COMMAND...: for at most 30 seconds.
eventually() {
	local end=$((SECONDS + 30))
	while [ "$SECONDS" -le "$end" ]; do
		if "$@"; then
			return 0
		fi
		sleep 0.05
	done
	echo "never came true: $*"
	return 1
}

# in_background ARG...: in $PID, with temporary files in a place of its own.
in_background() {
	mkdir "$T/tmp"
	TMPDIR=$T/tmp "$VM" "$@" >"$T/out" 2>"$T/err" 3>&- &
	PID=$!
}

# The QEMU of the machine in the background.
has_qemu() {
	pgrep -f "^qemu-system-x86_64 .*$T/tmp/" >"$T/qemu"
}

has_no_qemu() {
	! has_qemu
}

misuse() {
	run --separate-stderr "$VM" "$@"
	echo "$status: $stderr"
	[ "$status" = 2 ]
	[ -z "$output" ]
	[ "${#stderr_lines[@]}" = 1 ]
	[[ $stderr == vm:\ * ]]
}

@test "misuse: one line, exit status 2" {
	misuse
	misuse --kernal 6.1 true
	misuse --kernel
	misuse --kernel 5.10 true
	misuse --timeout 1h true
	misuse --timeout 0 true
	misuse --share /nonexistent true
	run --separate-stderr "$VM" --help
	[ "$status" = 0 ]
	[[ ${lines[0]} == "vm [OPTION]... "* ]]
}

@test "output, error output, exit status, environment and directory" {
	mkdir "$T/a b,c"
	cd "$T/a b,c"
	# An environment may have the names of the script's own variables.
	export TEXT=$'two\n"lines"' release=mine
	# shellcheck disable=SC2016 # for the other shell
	run --separate-stderr "$VM" sh -c '
		printf "%s|%s|%s|%s\n" "$TEXT" "$release" "$1" "$PWD"
		id -u
		uname -r
		cat # standard input is empty
		echo wrong >&2
		exit 41' sh "a  b"
	echo "$output"
	[ "$status" = 41 ]
	[ "$stderr" = wrong ]
	[ "${lines[0]}" = two ]
	[ "${lines[1]}" = "\"lines\"|mine|a  b|$T/a b,c" ]
	[ "${lines[2]}" = 0 ]
	[[ ${lines[3]} == 6.1.* ]]
	[ "${#lines[@]}" = 4 ]
}

@test "the other kernel" {
	run --separate-stderr "$VM" --kernel 6.12 uname -r
	[ "$status" = 0 ]
	[[ $output == 6.12.* ]]
}

@test "it boots in at most $BOOT_MAX seconds" {
	"$VM" --verbose true 2>"$T/err"
	cat "$T/err"
	ms=$(sed -n 's/.*started the command after \([0-9]*\) ms/\1/p' "$T/err")
	[ "$ms" -le $((BOOT_MAX * 1000)) ]
}

@test "--share: writes there stay, others do not" {
	mkdir "$T/to share,this" "$T/else"
	echo before >"$T/to share,this/file"
	# shellcheck disable=SC2016 # for the other shell
	"$VM" --share "$T/to share,this" sh -c '
		cat "$1/to share,this/file"
		echo after >"$1/to share,this/file"
		echo gone >"$1/else/file"
		cat "$1/else/file"' sh "$T" >"$T/out"
	[ "$(<"$T/out")" = $'before\ngone' ]
	[ "$(<"$T/to share,this/file")" = after ]
	[ ! -e "$T/else/file" ]
}

@test "a command that there is not: exit status 127" {
	run --separate-stderr "$VM" no-such-command
	[ "$status" = 127 ]
	[[ $stderr == *no-such-command*"not found"* ]]
}

@test "ten megabytes come through, in order" {
	"$VM" seq 1 1400000 >"$T/out"
	seq 1 1400000 | cmp - "$T/out"
}

@test "a reader that leaves does not hold up the command" {
	# shellcheck disable=SC2016 # for the other shell
	"$VM" --share "$T" sh -c \
		'seq 1 200000; exec >&-; echo "$?" >"$0/end"' "$T" | head -n 1
	[ -e "$T/end" ]
}

@test "the time limit: exit status 124, and what it had said" {
	run --separate-stderr "$VM" --timeout 2 sh -c 'echo begun; sleep 1000'
	echo "$stderr"
	[ "$status" = 124 ]
	[ "$output" = begun ]
	[[ ${stderr_lines[-1]} == "vm: the command took more than 2 seconds"* ]]
}

@test "a panic: exit status 125, and the kernel's last words" {
	run --separate-stderr "$VM" sh -c \
		'echo begun; sleep 0.2; echo c >/proc/sysrq-trigger'
	echo "$stderr"
	[ "$status" = 125 ]
	[[ $stderr == *"Kernel panic"*sysrq* ]]
	[[ ${stderr_lines[-1]} == "vm: kernel 6.1."*" ended before the command did" ]]
}

@test "SIGINT, SIGTERM: it ends, and so does the machine" {
	local signal status
	for signal in INT TERM; do
		rm -rf "$T/tmp"
		# In bash's background SIGINT is ignored.
		mkdir "$T/tmp"
		TMPDIR=$T/tmp env --default-signal=INT "$VM" sleep 1000 \
			>"$T/out" 2>"$T/err" 3>&- &
		PID=$!
		eventually has_qemu
		kill -"$signal" "$PID"
		status=0
		wait "$PID" || status=$?
		[ "$status" -gt 128 ]
		eventually has_no_qemu
		[ -z "$(ls -A "$T/tmp")" ]
	done
}

@test "killed: no machine lives on" {
	in_background sleep 1000
	eventually has_qemu
	kill -KILL "$PID"
	eventually has_no_qemu
}

@test "two at once" {
	in_background sh -c 'uname -r; sleep 2'
	run --separate-stderr "$VM" echo second
	[ "$status" = 0 ]
	[ "$output" = second ]
	wait "$PID"
	[[ $(<"$T/out") == 6.1.* ]]
}

@test "no network, and a cache that it may not write" {
	local cache=${NETBCC_VM_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/netbcc-vm}
	# shellcheck disable=SC2016 # for the other shell
	run --separate-stderr unshare -m -n sh -c '
		mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" &&
		mount -t tmpfs none /var/lib/apt/lists &&
		mount -t tmpfs none /var/cache/apt &&
		shift && exec "$@"' sh "$cache" "$VM" echo hello
	echo "$stderr"
	[ "$status" = 0 ]
	[ "$output" = hello ]
}

@test "nowhere to write: one line, exit status 125" {
	TMPDIR=/nonexistent run --separate-stderr "$VM" true
	[ "$status" = 125 ]
	[ "${#stderr_lines[@]}" = 1 ]
	# shellcheck disable=SC2016 # for the other shell
	run --separate-stderr unshare -m sh -c '
		mount -t tmpfs -o size=4k,nr_inodes=1000 none "$0" &&
		TMPDIR=$0 exec "$@"' "$T" "$VM" true
	echo "$stderr"
	[ "$status" = 125 ]
	[[ ${stderr_lines[-1]} == "vm: "* ]]
	NETBCC_VM_CACHE=/proc/none run --separate-stderr "$VM" true
	[ "$status" = 125 ]
	[ "${#stderr_lines[@]}" = 1 ]
}
