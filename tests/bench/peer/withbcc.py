#!/usr/bin/python3
# withbcc.py TEXT: tcpconnection's own eBPF text, which "inproc -t" has put the
# types into, run the way BCC's Python tools run theirs.
import signal
import sys

from bcc import BPF

with open(sys.argv[1], encoding="utf-8") as f:
    bpf = BPF(
        text=f.read(),
        cflags=[
            "-DNB_TYPES_BTF",
            "-DNB_PLAN_tracepoint",
            "-Wno-unknown-pragmas",
        ],
    )
bpf.attach_raw_tracepoint(tp=b"inet_sock_set_state", fn_name=b"conn_begin")
bpf.attach_raw_tracepoint(tp=b"tcp_destroy_sock", fn_name=b"conn_destroy")
# BCC attaches one program to a raw tracepoint: this one is loaded only.
bpf.load_func(b"conn_state", BPF.RAW_TRACEPOINT)
for name in (b"sys_exit_accept", b"sys_exit_accept4"):
    bpf.attach_tracepoint(tp=b"syscalls:" + name, fn_name=b"conn_accept")
print("attached", flush=True)
signal.pause()
