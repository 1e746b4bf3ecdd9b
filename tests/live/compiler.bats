#!/usr/bin/env bats
# netbcc-cc, and commands whose netbcc-cc is missing or broken.

load ../helper

setup() {
	[ "$(id -u)" = 0 ] || skip "needs root"
	T=$BATS_TEST_TMPDIR
	export NETBCC_CACHE=$T/cache
	TEXT=$ROOT/build/tools/tcpconnection.text
	NETBCC_CC=$ROOT/build/libexec/netbcc-cc
	DEFINES=(-D NB_PLAN_tracepoint)
}

# compile: what is on standard input. Output in files, as it is no text.
compile() {
	local status=0
	"$NETBCC_CC" "${DEFINES[@]}" >"$T/image" 2>"$T/words" || status=$?
	tail -n 5 "$T/words"
	return "$status"
}

# compile_fails: exit status 1, no image, and the last word is its own.
compile_fails() {
	run compile
	echo "$status: $output"
	[ "$status" = 1 ]
	[ ! -s "$T/image" ]
	[[ $(tail -n 1 "$T/words") == "netbcc-cc: "* ]]
}

@test "the same text gives the same image" {
	compile <"$TEXT"
	mv "$T/image" "$T/first"
	[ -s "$T/first" ]
	# Whatever the directory and the environment are.
	cd /
	ARCH=mips BCC_DEBUG=1 compile <"$TEXT"
	cmp "$T/first" "$T/image"
}

# Where there is no /proc/sys/net/core/bpf_jit_enable, as in containers.
@test "the same image in another network namespace" {
	TEXT=$ROOT/build/tools/tcptop.text
	DEFINES=(-D NB_PLAN_raw -D NB_TYPED)
	compile <"$TEXT"
	mv "$T/image" "$T/first"
	unshare -n "$NETBCC_CC" "${DEFINES[@]}" <"$TEXT" >"$T/image"
	[ -s "$T/first" ]
	cmp "$T/first" "$T/image"
}

@test "a text with a syntax error" {
	sed 's/^int conn_state(/int int conn_state(/' "$TEXT" >"$T/text"
	refute cmp -s "$T/text" "$TEXT"
	compile_fails <"$T/text"
	# The message names the file that people edit.
	grep -q 'tcpconnection\.bpf\.c:[0-9]*:.* error: ' "$T/words"
}

@test "a text that LLVM gives up on" {
	cat >"$T/text" <<-'EOF'
		int divide(struct bpf_raw_tracepoint_args *ctx)
		{
			long a = ctx->args[0], b = ctx->args[1];

			return b ? a / b : 0;
		}
	EOF
	compile_fails <"$T/text"
}

@test "types that the kernel does not have" {
	{
		echo '#pragma netbcc types no_such_struct'
		cat "$TEXT"
	} >"$T/text"
	compile_fails <"$T/text"
	grep -q no_such_struct "$T/words"
}

@test "functions and tracepoints that the kernel has, and has not" {
	cat >"$T/text" <<-'EOF'
		#pragma netbcc func tcp_sendmsg
		#pragma netbcc func no_such_function
		#pragma netbcc tracepoint inet_sock_set_state
		#pragma netbcc tracepoint no_such_tracepoint
		#pragma netbcc field no_such_struct field
		#pragma netbcc field sock no_such_field
		#pragma netbcc cast tcp_sock
		#pragma netbcc cast no_such_struct
		#if NB_ARGS_tcp_sendmsg != 3
		#error tcp_sendmsg(sk, msg, size)
		#endif
		#if NB_TP_ARGS_inet_sock_set_state != 3
		#error inet_sock_set_state(sk, oldstate, newstate)
		#endif
		#if defined(NB_ARGS_no_such_function) || \
			defined(NB_TP_ARGS_no_such_tracepoint) || \
			defined(NB_OFFSET_no_such_struct_field) || \
			defined(NB_OFFSET_sock_no_such_field) || \
			defined(NB_CAST_no_such_struct)
		#error there is no such thing
		#endif
		int nothing(void *ctx)
		{
			return 0;
		}
	EOF
	compile <"$T/text"
	# The image names the function, with its id.
	local id
	id=$(bpftool btf dump file /sys/kernel/btf/vmlinux |
		sed -n "s/^\[\([0-9]*\)\] FUNC 'tcp_sendmsg' .*/\1/p")
	python3 - "$T/image" "$id" <<-'EOF'
		import struct, sys
		image = open(sys.argv[1], 'rb').read()
		at = image.index(b'tcp_sendmsg\0' + bytes(44))
		got = struct.unpack_from('II', image, at + 56)
		print(got, sys.argv[2])
		sys.exit(got != (int(sys.argv[2]), 3))
	EOF
}

@test "a cast is a call of the kernel's own function" {
	local kernel func struct
	kernel=$(bpftool btf dump file /sys/kernel/btf/vmlinux)
	func=$(sed -n "s/^\[\([0-9]*\)\] FUNC 'bpf_rdonly_cast' .*/\1/p" \
		<<<"$kernel")
	struct=$(sed -n "s/^\[\([0-9]*\)\] STRUCT 'tcp_sock' .*/\1/p" \
		<<<"$kernel")
	[ -n "$func" ] || func=none # before 6.2
	cat >"$T/text" <<-EOF
		#pragma netbcc types sock
		#pragma netbcc cast tcp_sock
		#ifdef NB_CAST_FUNC
		struct tcp_sock;
		int cast(struct bpf_raw_tracepoint_args *ctx)
		{
			return !((void *(*)(void *, u32))NB_CAST_FUNC)(
				(void *)ctx->args[0], NB_CAST_tcp_sock);
		}
		#else
		int none(void *ctx)
		{
			return 0;
		}
		#endif
	EOF
	compile <"$T/text"
	# BPF_JMP | BPF_CALL, BPF_PSEUDO_KFUNC_CALL; behind it in r2 the struct.
	python3 - "$T/image" "$func" "$struct" <<-'EOF'
		import struct, sys
		image = open(sys.argv[1], 'rb').read()
		if sys.argv[2] == 'none':
		    sys.exit(b'none\0' not in image)
		call = struct.pack('<BBhi', 0x85, 0x20, 0, int(sys.argv[2]))
		word = struct.pack('<BBhi', 0xb7, 0x02, 0, int(sys.argv[3]))
		sys.exit(call not in image or word not in image)
	EOF
}

@test "a pragma that can't be understood" {
	local line
	for line in "" "func" "tracepoint" "field sock" "type sock" "cast"; do
		{
			echo "#pragma netbcc $line"
			cat "$TEXT"
		} >"$T/text"
		compile_fails <"$T/text"
	done
}

@test "no room for the image" {
	run sh -c '"$0" "$@" >/dev/full' "$NETBCC_CC" "${DEFINES[@]}" <"$TEXT"
	[ "$status" = 1 ]
	[[ ${lines[-1]} == "netbcc-cc: "* ]]
}

@test "an option that is none: exit status 2" {
	run "$NETBCC_CC" -x </dev/null
	[ "$status" = 2 ]
}

@test "an installed command finds netbcc-cc" {
	make -C "$ROOT" --no-print-directory install DESTDIR="$T/root" \
		PREFIX=/opt/netbcc >/dev/null
	local bin=$T/root/opt/netbcc/sbin/tcpconnection
	timeout -s INT $((10 * NB_SLOW)) "$bin" -v -c 1 2>"$T/err" || true
	grep -q '(cold start)' "$T/err"
}

# The command with the netbcc-cc that is on standard input, or none.
copy_of_command() {
	[ ! -e /usr/local/libexec/netbcc/netbcc-cc ] ||
		skip "netbcc is installed on this machine"
	mkdir -p "$T/copy/bin" "$T/copy/libexec"
	cp "$BIN" "$T/copy/bin"
	if [ "$1" = with ]; then
		cat >"$T/copy/libexec/netbcc-cc"
		chmod +x "$T/copy/libexec/netbcc-cc"
	fi
}

# One line on standard error that says what was wrong, exit status 1.
command_fails() {
	run --separate-stderr "$T/copy/bin/tcpconnection" --no-cache
	echo "$status: $stderr"
	[ "$status" = 1 ]
	[ -z "$output" ]
	[ "${#stderr_lines[@]}" = 1 ]
	[[ $stderr =~ ^tcpconnection:\ .*$1 ]]
}

@test "netbcc-cc is missing" {
	copy_of_command without
	command_fails "netbcc-cc.*No such file.*install netbcc again"
}

@test "netbcc-cc is not to be executed" {
	copy_of_command with <<<'#!/bin/sh'
	chmod -x "$T/copy/libexec/netbcc-cc"
	command_fails netbcc-cc
}

@test "netbcc-cc is no program" {
	copy_of_command with <<<'nothing'
	command_fails netbcc-cc
}

@test "netbcc-cc is killed" {
	copy_of_command with <<-'EOF'
		#!/bin/sh
		echo half an image
		kill -SEGV $$
	EOF
	command_fails "netbcc-cc was killed by signal 11"
}

@test "netbcc-cc writes nothing, or nonsense" {
	copy_of_command with <<-'EOF'
		#!/bin/sh
	EOF
	command_fails "what netbcc-cc made"
	copy_of_command with <<-'EOF'
		#!/bin/sh
		head -c 100000 /dev/urandom
	EOF
	command_fails "what netbcc-cc made"
}

@test "netbcc-cc of another version" {
	copy_of_command with <<-EOF
		#!/bin/sh
		(cat; echo '/* changed */') | '$NETBCC_CC' "\$@"
	EOF
	command_fails "what netbcc-cc made: it is of another version"
}

@test "netbcc-cc's last word is the reason" {
	copy_of_command with <<-'EOF'
		#!/bin/sh
		echo "a.c:1:1: error: much is wrong" >&2
		echo "netbcc-cc: cannot compile: the reason" >&2
		exit 1
	EOF
	command_fails "cannot compile: the reason"
	# And under -v the rest.
	"$T/copy/bin/tcpconnection" -v --no-cache 2>"$T/err" || true
	grep -q 'much is wrong' "$T/err"
}
