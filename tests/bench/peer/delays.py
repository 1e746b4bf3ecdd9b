#!/usr/bin/env python3
"""
delays.py in|out: the stages of delay_analysis_in, or delay_analysis_out, by
kprobes and BCC's Python, a line for each packet, as such tools are written: each
probe reads the packet's headers, and looks its times up by them.
"""
import signal
import sys

from bcc import BPF

COMMON = r"""
#include <linux/skbuff.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <net/sock.h>
#include <net/inet_sock.h>
#include <net/tcp.h>
struct packet { u32 saddr, daddr; u16 sport, dport; u32 seq, ack; };
struct times { u64 first, second, third; };
struct event {
    u64 first, second, third, last;
    u32 saddr, daddr;
    u16 sport, dport;
    u32 seq, ack;
};
BPF_HASH(begun, struct packet, struct times);
BPF_PERF_OUTPUT(events);
static int read(struct sk_buff *skb, unsigned char *ip_at, struct packet *p)
{
    struct iphdr ip = {};
    struct tcphdr tcp = {};
    bpf_probe_read_kernel(&ip, sizeof(ip), ip_at);
    if (ip.protocol != IPPROTO_TCP)
        return 0;
    bpf_probe_read_kernel(&tcp, sizeof(tcp), ip_at + 20);
    p->saddr = ip.saddr;
    p->daddr = ip.daddr;
    p->sport = tcp.source;
    p->dport = tcp.dest;
    p->seq = tcp.seq;
    p->ack = tcp.ack_seq;
    return 1;
}
static int read_ip(struct sk_buff *skb, struct packet *p)
{
    return read(skb, skb->head + skb->network_header, p);
}
static int begin(struct packet *p)
{
    struct times t = {.first = bpf_ktime_get_ns()};
    begun.update(p, &t);
    return 0;
}
static int end(void *ctx, struct packet *p)
{
    struct times *t = begun.lookup(p);
    struct event e = {};
    if (!t)
        return 0;
    e.saddr = p->saddr;
    e.daddr = p->daddr;
    e.sport = p->sport;
    e.dport = p->dport;
    e.seq = p->seq;
    e.ack = p->ack;
    e.first = t->first;
    e.second = t->second;
    e.third = t->third;
    e.last = bpf_ktime_get_ns();
    events.perf_submit(ctx, &e, sizeof(e));
    begun.delete(p);
    return 0;
}
static int note(struct packet *p, int third)
{
    struct times *t = begun.lookup(p);
    if (t && third)
        t->third = bpf_ktime_get_ns();
    else if (t)
        t->second = bpf_ktime_get_ns();
    return 0;
}
"""
IN = r"""
int kprobe__eth_type_trans(struct pt_regs *ctx, struct sk_buff *skb)
{
    struct packet p = {};
    return read(skb, skb->data + 14, &p) ? begin(&p) : 0;
}
int kprobe__ip_rcv_core(struct pt_regs *ctx, struct sk_buff *skb)
{
    struct packet p = {};
    return read_ip(skb, &p) ? note(&p, 0) : 0;
}
int kprobe__tcp_v4_rcv(struct pt_regs *ctx, struct sk_buff *skb)
{
    struct packet p = {};
    return read_ip(skb, &p) ? note(&p, 1) : 0;
}
int kprobe__skb_copy_datagram_iter(struct pt_regs *ctx, struct sk_buff *skb)
{
    struct packet p = {};
    return read_ip(skb, &p) ? end(ctx, &p) : 0;
}
"""
OUT = r"""
static void read_sock(struct sock *sk, u32 seq, struct packet *p)
{
    struct inet_sock *inet = (struct inet_sock *)sk;
    p->saddr = sk->__sk_common.skc_rcv_saddr;
    p->daddr = sk->__sk_common.skc_daddr;
    p->sport = inet->inet_sport;
    p->dport = sk->__sk_common.skc_dport;
    p->seq = htonl(seq);
}
int kprobe____tcp_transmit_skb(struct pt_regs *ctx, struct sock *sk,
                               struct sk_buff *skb)
{
    struct tcp_skb_cb *cb = (struct tcp_skb_cb *)skb->cb;
    struct packet p = {};
    read_sock(sk, cb->seq, &p);
    return begin(&p);
}
int kprobe____ip_queue_xmit(struct pt_regs *ctx, struct sock *sk,
                            struct sk_buff *skb)
{
    struct tcphdr tcp = {};
    struct packet p = {};
    bpf_probe_read_kernel(&tcp, sizeof(tcp), skb->data);
    read_sock(sk, htonl(tcp.seq), &p);
    return note(&p, 0);
}
int kprobe____dev_queue_xmit(struct pt_regs *ctx, struct sk_buff *skb)
{
    struct packet p = {};
    if (!read_ip(skb, &p))
        return 0;
    p.ack = 0;
    return note(&p, 1);
}
int kprobe__dev_hard_start_xmit(struct pt_regs *ctx, struct sk_buff *skb)
{
    struct packet p = {};
    if (!read_ip(skb, &p))
        return 0;
    p.ack = 0;
    return end(ctx, &p);
}
"""


def main():
    bpf = BPF(text=COMMON + (IN if sys.argv[1] == "in" else OUT))

    def show(_cpu, data, _size):
        e = bpf["events"].event(data)
        print(
            f"{e.saddr:08x}:{e.sport} {e.daddr:08x}:{e.dport} {e.seq} {e.ack}"
            f" {e.last - e.first} {e.second - e.first} {e.third - e.second}"
            f" {e.last - e.third}"
        )

    bpf["events"].open_perf_buffer(show)
    # What is raised while a line is shown does not come through BCC.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    print("tracing", flush=True)
    while True:
        bpf.perf_buffer_poll()


if __name__ == "__main__":
    main()
