"""Stacks of all kinds, and what they are by the interpreter's own account.

For pywalk, which see. Runs on CPython 3.8 and later. Arguments select cases.
"""
import asyncio
import collections
import contextlib
import ctypes
import functools
import gc
import os
import signal
import sys
import threading

FRAMES = 64
kept = []  # code objects that live as long as the process
out = os.open("/dev/null", os.O_WRONLY)


def truth(label):
    lines, frame = [], sys._getframe(1)
    while frame:
        code = frame.f_code
        name = getattr(code, "co_qualname", code.co_name)
        base = os.path.basename(code.co_filename)
        lines.append(f"{name} ({base}:{frame.f_lineno})\n")
        frame = frame.f_back
    more = " more" if len(lines) > FRAMES else ""
    head = f"PYT {label} {threading.get_ident()}{more}\n"
    return (head + "".join(lines[:FRAMES])).encode()


def say(label):
    os.write(out, truth(label))


def run(text, name, **names):
    kept.append(compile(text, name, "exec"))
    names["say"] = say
    exec(kept[-1], names)


def nested():
    class Server:
        def handle(self, key=None):
            return (lambda: self.query(key))()

        def query(self, key):
            def inner():
                os.write(out, truth("nested"))
                say("nested")

            inner()

        @property
        def status(self):
            say("property")
            return 200

        @classmethod
        def make(cls):
            say("classmethod")
            return cls()

        def __getattr__(self, name):
            say("getattr")
            return name

        def __enter__(self):
            say("enter")

        def __exit__(self, *exc):
            say("exit")

        def __del__(self):
            say("del")

        say("class")

    server = Server.make()
    server.handle()
    server.status
    server.missing
    with server:
        say("with")
    try:
        raise KeyError
    except KeyError:
        say("except")
    finally:
        say("finally")


def generators():
    def numbers():
        say("generator")
        yield 1
        say("generator")
        yield 2

    def outer():
        yield from numbers()

    def through(it):
        for x in it:
            say("generator-loop")
            yield x

    list(outer())
    sum(x for x in through(outer()))
    [say("comprehension") for _ in range(2)]
    {say("comprehension") for _ in range(2)}
    gen = outer()
    next(gen)
    gen.close()


def callbacks():
    def key(x):
        say("key")
        return x

    sorted([3, 1, 2], key=key)
    list(map(lambda x: say("map"), range(2)))
    functools.reduce(lambda a, b: say("reduce"), range(3))
    collections.defaultdict(lambda: say("default"))[1]
    functools.partial(functools.partial(say), "partial")()
    compare = ctypes.CFUNCTYPE(
        ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p
    )(lambda a, b: say("qsort") or 0)
    array = (ctypes.c_int * 3)(3, 1, 2)
    ctypes.CDLL(None).qsort(array, 3, ctypes.sizeof(ctypes.c_int), compare)
    signal.signal(signal.SIGUSR1, lambda number, frame: say("signal"))
    signal.raise_signal(signal.SIGUSR1)
    kept.append(compile("say('eval')", "<eval>", "eval"))
    eval(kept[-1])

    class Meta(type):
        def __call__(cls, *args):
            say("metaclass")
            return super().__call__(*args)

    class Made(metaclass=Meta):
        def __init__(self):
            say("init")

    Made()


def coroutines():
    async def query(n):
        say("coroutine")
        await asyncio.sleep(0)
        say("coroutine")
        return n

    async def handle(n):
        async with asyncio.Lock():
            return await query(n)

    async def stream():
        for n in range(2):
            yield await handle(n)

    @contextlib.asynccontextmanager
    async def context():
        say("context")
        yield
        say("context")

    async def main():
        await asyncio.gather(*(handle(n) for n in range(3)))
        asyncio.get_running_loop().call_soon(say, "call_soon")
        async for _ in stream():
            say("async-for")
        async with context():
            await asyncio.sleep(0)

    asyncio.run(main())


def threads(n=200):
    together = threading.Barrier(n)
    # Where all are stopped in one.
    one_at_a_time = contextlib.nullcontext()
    if "PYWALK_STOP" in os.environ:
        one_at_a_time = threading.Lock()

    def work():
        together.wait()
        with one_at_a_time:
            say("thread")
        together.wait()
        with one_at_a_time:
            say("thread")
        together.wait()

    all_of_them = [threading.Thread(target=work) for _ in range(n)]
    for t in all_of_them:
        t.start()
    for t in all_of_them:
        t.join()


def recursion():
    def down(n):
        if n > 0:
            down(n - 1)
        else:
            say("recursion")

    def down_in_c(n):
        if n > 0:
            list(map(down_in_c, [n - 1]))
        else:
            say("recursion-in-c")

    above = 0
    frame = sys._getframe()
    while frame:
        above += 1
        frame = frame.f_back
    for frames in (62, 63, 64, 65, 66, 100, 500):
        down(frames - above - 2)
        down_in_c(frames - above - 2)


SOURCE = """
def gr\u00f6\u00dfe():
    say("latin1")

def \u540d\u524d():
    say("ucs2")
    gr\u00f6\u00dfe()

def \U00010900():
    say("ucs4")
    \u540d\u524d()

class B\u00fccher:
    def __call__(self):
        \U00010900()

B\u00fccher()()
"""


def names():
    run(SOURCE, "/tmp/stra\u00dfe/\u540d\u524d.py")
    run("say('replaced')", "a\ufffdb.py")
    long = "n" * 900
    run(f"def {long}():\n say('long')\n{long}()", "/" + "d" * 3000 + "/l.py")


# Lines that are far apart, and that go back.
LINES = (
    "def far(n):\n    say('far')\n" + "\n" * 300 + "    say('far')\n"
    + "\n" * 70000 + "    for i in range(2):\n        say('far')\n"
    + "    (\n\n\n\n  say(\n\n\n\n'far' if\n\n n\n else\n '')\n\n)\n"
    + "    x = [\n" + "1 +\n" * 200 + "(say('far') or 1),\n"
    + "  1]; say('far')\nfar(1)\n"
)


def lines():
    run(LINES, "lines.py")
    # Much code within a line, and lines without code.
    body = "; ".join(f"x{i} = {i}" for i in range(400))
    text = f"def wide():\n  {body}\n  say('wide'); {body}; say('wide')\nwide()"
    run(text, "wide.py")


def reuse():
    if "PYWALK_STOP" not in os.environ:
        return  # it is gone when one looks
    for i in range(300):
        pad = "\n" * (i % 7)
        text = f"{pad}def f{i % 50}_{i}():\n    say('reuse')\nf{i % 50}_{i}()\n"
        exec(compile(text, f"reuse{i % 3}.py", "exec"), {"say": say})
        gc.collect(0)


SUB = """
import os, sys, threading
def truth():
    lines, frame = [], sys._getframe(1)
    while frame:
        code = frame.f_code
        name = getattr(code, "co_qualname", code.co_name)
        base = os.path.basename(code.co_filename)
        lines.append(f"{name} ({base}:{frame.f_lineno})\\n")
        frame = frame.f_back
    head = f"PYT subinterpreter {threading.get_ident()}\\n"
    return (head + "".join(lines)).encode()
def inner():
    os.write(OUT, truth())
inner()
"""


def interpreters():
    try:
        import _interpreters as inter
    except ImportError:
        import _xxsubinterpreters as inter
    if "PYWALK_STOP" not in os.environ:
        return  # as above
    text = SUB.replace("OUT", str(out))
    ids = [inter.create() for _ in range(3)]
    say("interpreters")
    for one in ids:
        inter.run_string(one, text)
    say("interpreters")
    # Before, it runs as the thread that has created the interpreter.
    if sys.version_info >= (3, 13):
        thread = threading.Thread(target=inter.run_string, args=(ids[0], text))
        thread.start()
        thread.join()
    for one in ids:
        inter.destroy(one)


CASES = [nested, generators, callbacks, coroutines, threads, recursion, names,
         lines, reuse, interpreters]

if __name__ == "__main__":
    if "PYSTACKS_UNLINK" in os.environ:
        os.unlink(sys.executable)
    print("ready", flush=True)
    sys.stdin.readline()
    say("module")
    for case in CASES:
        if len(sys.argv) < 2 or case.__name__ in sys.argv[1:]:
            case()
    say("end")
    sys.stdin.readline()
