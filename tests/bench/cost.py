"""
What tracing costs, measured: a workload with and without a tracer in turn, and
the time that a tracer's eBPF programs take for an event.
"""
import contextlib
import json
import math
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.realpath(__file__))
BIN = os.path.join(HERE, "../../build/bin")
LOAD = os.path.join(HERE, "../../build/work/connload")
PEERS = os.path.join(HERE, "peer")
STATS = "/proc/sys/kernel/bpf_stats_enabled"


def die(words):
    sys.exit(f"{os.path.basename(sys.argv[0])}: {words}")


class Running:
    """A tracer in the background, from when it says @ready until the end."""

    def __init__(self, argv, ready, env=None, seconds=60):
        # pylint: disable=consider-using-with
        self.words = tempfile.NamedTemporaryFile("w")
        env = dict(os.environ, **(env or {}))
        self.process = subprocess.Popen(
            argv, stdout=self.words, stderr=subprocess.STDOUT, env=env
        )
        self.wait_for(ready, argv[0], seconds)

    def text(self):
        # Not by the tracer's own descriptor, whose offset that would move.
        with open(self.words.name, encoding="utf-8") as f:
            return f.read()

    def wait_for(self, word, name="the tracer", seconds=60):
        end = time.monotonic() + seconds
        want, seen, ended = word.encode(), b"", False
        # Only what is new: reading all of it would be a load of its own.
        with open(self.words.name, "rb") as f:
            while time.monotonic() < end and not ended:
                ended = self.process.poll() is not None
                seen = seen[-len(want) :] + f.read()
                if want in seen:
                    return
                time.sleep(0.05)
        self.process.kill()
        die(f"{name} does not say '{word}':\n{self.text()}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        self.process.wait()
        self.words.close()


def tool(*argv):
    """One of the commands."""
    path = os.path.join(BIN, argv[0])
    return Running([path, "-v", *argv[1:]], "tracing with plan")


def bpftrace(script):
    return Running(
        ["bpftrace", os.path.join(PEERS, script)],
        "attached",
        {"BPFTRACE_STRLEN": "16"},
    )


def iperf(*amount):
    """
    Send over loopback as much as iperf3's options @amount say; returns bytes a
    second.
    """
    with subprocess.Popen(
        ["iperf3", "--forceflush", "-s", "-1"],
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        for line in server.stdout:
            if "listening" in line:
                break
        out = subprocess.run(
            ["iperf3", "-J", "-c", "127.0.0.1", *amount],
            stdout=subprocess.PIPE,
            check=True,
        ).stdout
        server.stdout.read()
    return json.loads(out)["end"]["sum_received"]["bits_per_second"] / 8


def requests(count):
    """One byte forth and one back, again and again; returns how many a
    second."""
    out = subprocess.run(
        [LOAD, "rr", "--count", str(count)], stdout=subprocess.PIPE, check=True
    ).stdout
    return count / json.loads(out.splitlines()[-1])["seconds"]


def bounds(values):
    """Between which two of them the median is, in 95 of 100 cases."""
    values, n = sorted(values), len(values)
    below, rank = 0, 0
    # The chance that at most rank of n fall on one side.
    while (below := below + math.comb(n, rank) / 2**n) <= 0.025:
        rank += 1
    rank = max(rank - 1, 0)
    return values[rank], values[n - 1 - rank]


def nothing():
    """A tracer that traces nothing, but is started and ended as others are."""
    return Running(["sh", "-c", "echo ready; exec sleep 1000"], "ready")


def slower(rounds, tracer, work, what):
    """
    How much slower @work, a short one, is with the tracer, in the median: 0.01
    is 1 %. In parentheses, between what that is in 95 of 100 cases.
    """
    plain, traced = [], []
    work()
    for n in range(rounds):
        # What comes second may be warmer, or throttled; and what comes after
        # a process was started is slower than what does not.
        for with_it in (n % 2 == 0, n % 2 == 1):
            with tracer() if with_it else nothing():
                (traced if with_it else plain).append(work())
    without, with_it = statistics.median(plain), statistics.median(traced)
    # Of pairs, as the machine itself gets faster and slower.
    lost = [1 - t / p for t, p in zip(traced, plain)]
    least, most = bounds(lost)
    print(
        f"{what}, median of {rounds}: {without:.4g} without, {with_it:.4g}"
        f" with: {100 * statistics.median(lost):.1f} % slower"
        f" ({100 * least:.1f} to {100 * most:.1f})"
    )
    return statistics.median(lost)


@contextlib.contextmanager
def one_processor():
    """
    What is started in here, and what it starts, runs on the last processor;
    tracers do so on the others. Without a second one it runs where it likes.
    """
    cpus = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cpus)})
    try:
        yield (cpus - {max(cpus)}) or cpus
    finally:
        os.sched_setaffinity(0, cpus)


def longer(rounds, tracer, work, what, around=contextlib.nullcontext):
    """
    How many nanoseconds longer one of @work's takes with the tracer where all
    of it, and what is @around it, shares a processor: none that is idle has to
    wake up, so it is the same each time. The fastest quarter counts, as all
    else makes it slower.
    """
    plain, traced = [], []
    with one_processor() as others, around():
        mine = os.sched_getaffinity(0)
        for n in range(rounds):
            for with_it in (n % 2 == 0, n % 2 == 1):
                os.sched_setaffinity(0, others)
                with tracer() if with_it else nothing():
                    os.sched_setaffinity(0, mine)
                    best = max(work() for _ in range(3))
                    (traced if with_it else plain).append(1e9 / best)
    without, with_it = (statistics.quantiles(t, n=4)[0] for t in (plain, traced))
    print(
        f"{what}, on one processor, the fastest quarter of {rounds}:"
        f" {without:.0f} ns without, {with_it - without:+.0f} ns with"
    )


def share(tracer, work, what, names):
    """Which part of all processors' time the tracer's programs take."""
    with Stats():
        took = []

        def timed():
            start = time.monotonic()
            work()
            took.append(time.monotonic() - start)

        total, _ = spent(tracer, timed, what, names)
    part = total / 1e9 / took[0] / os.cpu_count()
    print(f"{what}: {100 * part:.1f} % of the processors' time")
    return part


def programs():
    out = subprocess.run(
        ["bpftool", "-j", "prog", "show"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    ).stdout
    return {
        p["id"]: (
            p.get("name", "?"),
            p.get("run_time_ns", 0),
            p.get("run_cnt", 0),
        )
        for p in json.loads(out)
    }


def spent(tracer, work, what, names):
    """
    What the programs of a tracer, whose names begin with one of @names, took
    during @work: nanoseconds, runs.
    """
    others = set(programs())
    with tracer():
        before = programs()
        work()
        after = programs()
    total = runs = 0
    for prog, (name, took, count) in after.items():
        if prog in others or not name.startswith(names):
            continue
        took -= before.get(prog, (0, 0, 0))[1]
        count -= before.get(prog, (0, 0, 0))[2]
        total, runs = total + took, runs + count
        if count:
            print(
                f"  {what:<16}{name:<18}{count:>9} runs{took / count:>7.0f} ns"
            )
    if not runs:
        die(f"the programs of {what} did not run")
    return total, runs


class Stats:
    """While the kernel counts what programs take."""

    def __enter__(self):
        with open(STATS, encoding="ascii") as f:
            self.was = f.read()
        self.set("1")

    def __exit__(self, *_):
        self.set(self.was)

    @staticmethod
    def set(value):
        # sysctls are not written but at their beginning.
        with open(STATS, "w", encoding="ascii") as f:
            f.write(value)


def own_namespace():
    """Go on in a network namespace of one's own."""
    if os.environ.get("NB_BENCH_NETNS") != "own":
        os.environ["NB_BENCH_NETNS"] = "own"
        os.execvp("unshare", ["unshare", "--net", *sys.argv])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
