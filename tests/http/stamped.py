"""Sockets that note when they were used, and the truth about calls."""
import ctypes
import json
import os
import socket
import ssl
import sys
import threading
import time

LOCK = threading.Lock()


class Use:
    """One system call that sent or received something."""

    def __init__(self, way, begin, size, data):
        self.way, self.begin, self.size = way, begin, size
        self.end = time.monotonic_ns()
        self.data = bytes(data[:16])

    def is_interim(self):
        """Of 1xx, which is no answer yet; 101 is one."""
        return self.data.startswith(b"HTTP/1.1 1") and self.data[9:12] != b"101"


class Stamped(socket.socket):
    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        self.log = []

    def accept(self):
        sock, address = super().accept()
        return Stamped(fileno=sock.detach()), address

    def send(self, data, *flags):
        begin = time.monotonic_ns()
        size = super().send(data, *flags)
        self.log.append(Use("tx", begin, size, data))
        return size

    def sendall(self, data, *flags):
        begin = time.monotonic_ns()
        super().sendall(data, *flags)
        self.log.append(Use("tx", begin, len(data), data))

    def recv(self, *args):
        begin = time.monotonic_ns()
        data = super().recv(*args)
        if data:
            self.log.append(Use("rx", begin, len(data), data))
        return data

    def recv_into(self, buffer, *args):
        begin = time.monotonic_ns()
        size = super().recv_into(buffer, *args)
        if size:
            self.log.append(Use("rx", begin, size, memoryview(buffer)))
        return size


class StampedTls(ssl.SSLSocket):
    """The same of what is in TLS; sendall() is made of send()."""

    def send(self, data, flags=0):
        begin = time.monotonic_ns()
        size = super().send(data, flags)
        self.log.append(Use("tx", begin, size, data))
        return size

    def recv(self, buflen=1024, flags=0):
        begin = time.monotonic_ns()
        data = super().recv(buflen, flags)
        if data:
            self.log.append(Use("rx", begin, len(data), data))
        return data

    def recv_into(self, buffer, nbytes=None, flags=0):
        begin = time.monotonic_ns()
        size = super().recv_into(buffer, nbytes, flags)
        if size:
            self.log.append(Use("rx", begin, size, memoryview(buffer)))
        return size


class PartialTls(StampedTls):
    """
    The same where libssl may take a part of what it is to send, as Perl, Ruby and
    HAProxy want it. Python can't: so its function $PARTIAL is called by hand.
    """

    def send(self, data, flags=0):
        libssl = ctypes.CDLL("libssl.so.3")
        data, count = bytes(data), ctypes.c_size_t()
        # struct PySSLSocket: what each object has, the socket, SSL *.
        ssl_at = ctypes.c_void_p.from_address(id(self._sslobj) + 24)
        libssl.SSL_ctrl(ssl_at, 33, ctypes.c_long(1), None)  # SSL_CTRL_MODE
        begin = time.monotonic_ns()
        if os.environ["PARTIAL"] == "SSL_write":
            size = libssl.SSL_write(ssl_at, data, len(data))
        else:
            args = ssl_at, data, ctypes.c_size_t(len(data)), ctypes.byref(count)
            size = count.value if libssl.SSL_write_ex(*args) else -1
        if size <= 0:
            raise OSError("SSL_write has failed")
        self.log.append(Use("tx", begin, size, data))
        return size


def tls_context(server):
    """With the certificate and key in the file $TLS, which nobody checks."""
    if server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(os.environ["TLS"])
    else:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.sslsocket_class = PartialTls if "PARTIAL" in os.environ else StampedTls
    return context


def with_tls(sock, server=False):
    """@sock, or with $TLS the TLS on it."""
    if "TLS" not in os.environ:
        return sock
    sock = tls_context(server).wrap_socket(sock, server_side=server)
    sock.log = []
    return sock


def connect(host, port):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = Stamped(family, socket.SOCK_STREAM)
    sock.connect((host, port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return with_tls(sock)


def address(name):
    host = name[0]
    mapped = host.startswith("::ffff:")
    return (host[7:] if mapped else host), name[1]


def call(role, sock, method, path, status, start, first, last):
    tid = threading.get_native_id()
    with open(f"/proc/self/task/{tid}/comm", encoding="utf-8") as f:
        comm = f.read().rstrip("\n")
    # As the request goes.
    ends = [address(sock.getsockname()), address(sock.getpeername())]
    if role == "server":
        ends.reverse()
    (saddr, sport), (daddr, dport) = ends
    return {
        "role": role,
        "pid": os.getpid(),
        "tid": tid,
        "comm": comm,
        "ip": 6 if ":" in saddr else 4,
        "saddr": saddr,
        "sport": sport,
        "daddr": daddr,
        "dport": dport,
        "method": method,
        "path": path,
        "status": status,
        "latency_us": (first - start) / 1000,
        "duration_us": (last - start) / 1000,
    }


def sizes(log):
    return {
        "rx_bytes": sum(use.size for use in log if use.way == "rx"),
        "tx_bytes": sum(use.size for use in log if use.way == "tx"),
    }


def bounds(sock, start, first, last):
    """Of times, where no system call waits: they are between these."""
    if sock.gettimeout() != 0:
        return {}
    return {
        "latency_least_us": (first.begin - start.end) / 1000,
        "latency_most_us": (first.end - start.begin) / 1000,
        "duration_least_us": (last.begin - start.end) / 1000,
        "duration_most_us": (last.end - start.begin) / 1000,
    }


def client_call(sock, log, method, path, status):
    sent = [use for use in log if use.way == "tx"]
    got = [use for use in log if use.way == "rx"]
    first = next(use for use in got if not use.is_interim())
    found = call(
        "client", sock, method, path, status, sent[0].begin, first.end, got[-1].end
    )
    found.update(bounds(sock, sent[0], first, got[-1]))
    return dict(found, **sizes(log))


def server_call(sock, log, method, path, status, before=()):
    sent = [use for use in log if use.way == "tx"]
    got = [use for use in log if use.way == "rx"]
    # One that was pipelined came with others.
    start = (got or [use for use in before if use.way == "rx"][-1:])[0]
    first = next(use for use in sent if not use.is_interim())
    found = call(
        "server", sock, method, path, status, start.end, first.begin, sent[-1].begin
    )
    found.update(bounds(sock, start, first, sent[-1]))
    return dict(found, **sizes(log)) if got else found


def tell(found):
    with LOCK:
        print(json.dumps(found), flush=True)


def ready(port=0):
    """Say that all is set up; a client waits until it is told to go."""
    tell({"ready": os.getpid(), "port": port})


def wait_for_go():
    ready()
    sys.stdin.readline()
