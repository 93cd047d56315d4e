"""What a stranger may send to a port of a node, and a wire tap to learn what a client sends.

Used by test_hostile_ports.py and by bench/hostile.py.
"""
import errno
import os
import random
import resource
import select
import socket
import struct
import threading

MAGIC = b"LONGWIRE"
NEW_SESSION, RESUME, LANE, PAIRING = 1, 2, 3, 4
CONNECT_S = 10


def preamble(purpose, session=bytes(16)):
    return MAGIC + struct.pack("<HHI", 1, purpose, 0) + session


def message(size, kind, body=b""):
    return struct.pack("<II", size, kind) + body


class Place:
    """Where a node listens: ("127.0.0.1", port) or a path; connects from any loopback address."""

    def __init__(self, address):
        self.address = address

    def connect(self, source="127.0.0.1"):
        if isinstance(self.address, tuple):
            return socket.create_connection(self.address, CONNECT_S, (source, 0))
        local = socket.socket(socket.AF_UNIX)
        try:
            local.connect(str(self.address))  # waits where the backlog is full
            local.settimeout(CONNECT_S)
        except OSError:
            local.close()
            raise
        return local

    def say(self, *pieces, source="127.0.0.1"):
        """Sends them and goes: that the node has closed before is fine."""
        try:
            with self.connect(source) as one:
                for piece in pieces:
                    one.sendall(piece)
        except OSError as problem:
            if problem.errno in (errno.EMFILE, errno.ENOENT):
                raise


def nonsense(seed):
    """Everything but a replay: lists of pieces, each for a connection of its own."""
    dice = random.Random(seed)
    for size in (1, 7, 31, 32, 33, 200, 4096, 70_000):
        yield [dice.randbytes(size)]
        yield [MAGIC, dice.randbytes(size)]
    whole = preamble(NEW_SESSION)
    for size in range(len(whole)):
        yield [whole[:size]]
    for purpose in (NEW_SESSION, RESUME, LANE, PAIRING):
        session = bytes(16) if purpose in (NEW_SESSION, PAIRING) else dice.randbytes(16)
        start = preamble(purpose, session)
        for size in (0, 8, 4096, 4097, 0x7FFFFFFF, 0xFFFFFFFF):
            for kind in (0, 1, 2, 4, 5, 0xFFFFFFFF):
                yield [start, message(size, kind)]
        yield [start, message(64, 1, dice.randbytes(64))]
        yield [start, message(4096, 1, dice.randbytes(4096)), dice.randbytes(60_000)]
        yield [start, b"\x16\x03\x01\xff\xff" + dice.randbytes(3000)]  # a TLS record too large
        yield [start, b"\x16\x03\x01\x02\x00\x01" + dice.randbytes(511)]


def raise_file_limit(wanted):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))


class HalfOpen:
    """Connections that say nothing, or half of a preamble."""

    def __init__(self, place, count, sources=("127.0.0.2",)):
        self.place = place
        self.open = []
        for i in range(count):
            try:
                self.open.append(place.connect(sources[i % len(sources)]))
                if i % 2:
                    self.open[-1].send(MAGIC)
            except OSError as problem:
                if problem.errno == errno.EMFILE:
                    raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for one in self.open:
            one.close()


class Tap:
    """Forwards one connection after the other to `place`, and keeps what the clients have sent."""

    def __init__(self, place):
        self.place = place
        self.heard = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.heard.append(bytearray())
            threading.Thread(target=self._forward, args=(client, self.heard[-1]),
                             daemon=True).start()

    def _forward(self, client, heard):
        with client, self.place.connect() as node:
            other = {client: node, node: client}
            while True:
                for one in select.select([client, node], [], [])[0]:
                    data = one.recv(1 << 16)
                    if not data:
                        return
                    if one is client:
                        heard += data
                    other[one].sendall(data)

    def close(self):
        self.listener.close()


def resident_bytes(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))
