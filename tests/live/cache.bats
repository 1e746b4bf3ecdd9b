#!/usr/bin/env bats
# The cache of compiled programs: whatever is in it, the rows are right, and -v
# says whether it was of use.

load ../helper

setup() {
	live_setup
	CACHE=$T/cache
	export NETBCC_CACHE=$CACHE
	IMAGE=$CACHE/tcpconnection-tracepoint-only.img
	# Files of the cache are told by their names.
	PLAN=(--plan tracepoint)
}

teardown() {
	live_teardown
}

# starts cold|warm ARG...: it starts so, and its rows are right.
starts() {
	local how=$1
	shift
	: >"$TRUTH"
	trace --json "$@"
	workload pairs --count 2
	stop
	compare json --rows 4
	cat "$T/trace.err"
	grep -q "tracing with plan 'tracepoint' ($how start)" "$T/trace.err"
}

# Why it did without the cache, or the image.
says() {
	grep -Eq -- "^tcpconnection: cannot .*$1" "$T/trace.err"
}

@test "cold, then warm; the cache is root's alone" {
	starts cold
	[ "$(stat -c %a:%u "$CACHE")" = 700:0 ]
	[ "$(stat -c %a:%u "$IMAGE")" = 600:0 ]
	[ "$(ls -A "$CACHE")" = "${IMAGE##*/}" ]
	cp -p "$IMAGE" "$T/kept"
	starts warm
	cmp "$IMAGE" "$T/kept"
}

@test "plans and buffers have images of their own" {
	for plan in tracepoint raw; do
		for buffer in "" --perf-buffer; do
			PLAN=(--plan "$plan")
			for how in cold warm; do
				: >"$TRUTH"
				# shellcheck disable=SC2086 # none or one word
				trace --json -t -f -l $buffer
				workload pairs --count 2
				stop
				compare json --latency --failed --life --rows 8
				grep -q "'$plan' ($how start)" "$T/trace.err"
			done
		done
	done
	[ "$(find "$CACHE" -type f -name '*.img' | wc -l)" = 4 ]
	[ "$(find "$CACHE" -type f | wc -l)" = 4 ]
}

@test "a plan that was asked for is not what later starts take" {
	local best
	PLAN=()
	trace --json
	best=$(sed -n "s/.*tracing with plan '\(.*\)' (cold start)/\1/p" \
		"$T/trace.err")
	[ -n "$best" ]
	stop
	rm -r "$CACHE"
	PLAN=(--plan raw)
	trace --json
	stop
	PLAN=()
	for how in cold warm; do
		trace --json
		grep -q "with plan '$best' ($how start)" "$T/trace.err"
		stop
	done
}

@test "--no-cache: nothing is taken, nothing is kept" {
	starts cold --no-cache
	[ ! -e "$CACHE" ]
	starts cold
	cp -p "$IMAGE" "$T/kept"
	starts cold --no-cache
	cmp "$IMAGE" "$T/kept"
	[ "$IMAGE" -ot "$T/kept" ] || [ ! "$IMAGE" -nt "$T/kept" ]
}

@test "a truncated image is made anew" {
	starts cold
	cp -p "$IMAGE" "$T/kept"
	local size
	for size in 0 39 1000 "$(($(stat -c %s "$IMAGE") - 1))"; do
		truncate -s "$size" "$IMAGE"
		starts cold
		says "image 'tcpconnection-tracepoint-only.img'"
		cmp "$IMAGE" "$T/kept"
	done
	starts warm
}

@test "an image with more behind it is made anew" {
	starts cold
	cp -p "$IMAGE" "$T/kept"
	printf x >>"$IMAGE"
	starts cold
	cmp "$IMAGE" "$T/kept"
	truncate -s 64M "$IMAGE"
	starts cold
	cmp "$IMAGE" "$T/kept"
}

@test "one bit, anywhere, is noticed" {
	starts cold
	cp -p "$IMAGE" "$T/kept"
	local i size bit seed=${SEED:-$RANDOM}
	size=$(stat -c %s "$IMAGE")
	echo "SEED=$seed"
	RANDOM=$seed
	for i in 1 2 3 4; do
		bit=$(((RANDOM * 32768 + RANDOM) % (size * 8)))
		# The header is small, and most easily believed.
		[ "$i" -gt 2 ] || bit=$((bit % 320))
		echo "bit $bit"
		python3 - "$IMAGE" "$bit" <<-'EOF'
			import sys
			path, bit = sys.argv[1], int(sys.argv[2])
			data = bytearray(open(path, 'rb').read())
			data[bit // 8] ^= 1 << bit % 8
			open(path, 'wb').write(data)
		EOF
		refute cmp -s "$IMAGE" "$T/kept"
		starts cold
		cmp "$IMAGE" "$T/kept"
	done
}

@test "an image made for something else is made anew" {
	starts cold --perf-buffer
	cp -p "$CACHE/tcpconnection-tracepoint-only-perf.img" "$IMAGE"
	starts cold
	says 'made for something else'
	starts warm
}

@test "an image that is another user's, or others may write, is not used" {
	starts cold
	cp -p "$IMAGE" "$T/kept"
	chown nobody "$IMAGE"
	starts cold
	says 'Operation not permitted'
	chmod 620 "$IMAGE"
	starts cold
	says 'Operation not permitted'
	chmod 602 "$IMAGE"
	starts cold
	says 'Operation not permitted'
	[ "$(stat -c %a:%u "$IMAGE")" = 600:0 ]
	starts warm
}

@test "a link, a pipe and a directory in place of an image" {
	starts cold
	mv "$IMAGE" "$T/elsewhere"
	cp -p "$T/elsewhere" "$T/kept"
	ln -s "$T/elsewhere" "$IMAGE"
	starts cold
	# It was replaced, and what it led to is as it was.
	[ ! -L "$IMAGE" ]
	cmp "$T/elsewhere" "$T/kept"
	rm "$IMAGE"
	mkfifo "$IMAGE"
	starts cold
	rm -f "$IMAGE"
	mkdir "$IMAGE"
	starts cold
	[ -d "$IMAGE" ]
}

@test "a leftover of one that was killed does no harm" {
	starts cold
	head -c 100 "$IMAGE" >"$CACHE/.${IMAGE##*/}.tmp"
	rm "$IMAGE"
	starts cold
	starts warm
	[ "$(ls -A "$CACHE")" = "${IMAGE##*/}" ]
}

@test "a directory that is not root's alone is not used" {
	starts cold
	chmod 770 "$CACHE"
	starts cold
	says 'cache: Operation not permitted'
	chmod 707 "$CACHE"
	starts cold
	says 'cache: Operation not permitted'
	chmod 700 "$CACHE"
	chown nobody "$CACHE"
	starts cold
	says 'cache: Operation not permitted'
	chown root "$CACHE"
	starts warm
}

@test "a directory that is a link, or no directory" {
	mkdir -m 700 "$T/elsewhere"
	ln -s "$T/elsewhere" "$CACHE"
	starts cold
	[ -z "$(ls -A "$T/elsewhere")" ]
	rm "$CACHE"
	touch "$CACHE"
	starts cold
	[ ! -s "$CACHE" ]
}

@test "NETBCC_CACHE: relative, empty, and inside nothing" {
	mkdir "$T/here"
	cd "$T/here"
	for dir in cache ./cache "" "$T/none/cache"; do
		export NETBCC_CACHE=$dir
		starts cold
		says 'use the cache: '
	done
	[ -z "$(ls -A)" ]
	[ ! -e "$T/none" ]
}

# small_disk OPTIONS: a file system of its own as the cache.
small_disk() {
	mkdir "$CACHE"
	mount -t tmpfs -o "mode=700,$1" none "$CACHE"
	MOUNTS+=("$CACHE")
}

@test "a full disk: it works, and leaves no part of a file" {
	small_disk size=8k
	starts cold
	says 'No space left'
	[ -z "$(ls -A "$CACHE")" ]
}

@test "a read-only disk" {
	small_disk size=1M
	mount -o remount,ro "$CACHE"
	starts cold
	says 'Read-only file system'
	mount -o remount,rw "$CACHE"
	starts cold
	mount -o remount,ro "$CACHE"
	starts warm
}

@test "two at once on an empty cache" {
	in_background second "$BIN" -v --json -n "$NS" "${PLAN[@]}"
	local second=$SPAWNED
	trace --json
	TRACER=$second
	eventually attached second
	workload pairs --count 3
	stop INT "$second"
	stop INT "${PIDS[1]}"
	compare json --rows 6
	mv "$T/second.out" "$T/trace.out"
	compare json --rows 6
	starts warm
}

@test "another value of BCC_KERNEL_SOURCE is another image" {
	starts cold
	export BCC_KERNEL_SOURCE=/nonexistent
	run --separate-stderr "$BIN" -n "$NS" "${PLAN[@]}"
	[ "$status" = 1 ]
	[ -z "$output" ]
	[ "${#stderr_lines[@]}" = 1 ]
	[[ $stderr == "tcpconnection: cannot "*"'/nonexistent'"* ]]
	unset BCC_KERNEL_SOURCE
	starts warm
}
