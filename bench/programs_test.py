"""Tests of the programs of bench/ that move bytes: the raw socket and the proxy. No time is asserted,
but for the least that the proxy must delay, which no load can make shorter."""
import json
import os
import pathlib
import socket
import subprocess
import tempfile
import threading
import time
import unittest

from report import links

BINARIES = pathlib.Path(os.environ.get(
    "LONGWIRE_BUILD_DIR", pathlib.Path(__file__).resolve().parent.parent / "build/release")) / "bin"
RUN_LIMIT_S = 60


def measured(address, *options):
    done = subprocess.run([BINARIES / "longwire_bench_socket", "measure", address, "--smoke",
                           *options], stdout=subprocess.PIPE, check=True, timeout=RUN_LIMIT_S)
    return json.loads(done.stdout)


class Base(unittest.TestCase):
    def helper(self, *command):
        helper = links.Helper(command)
        self.addCleanup(helper.close)
        return helper.line

    def socket_server(self, address="127.0.0.1:0"):
        return self.helper(BINARIES / "longwire_bench_socket", "serve", "--listen", address)

    def proxy(self, target, *options):
        return self.helper(BINARIES / "longwire_bench_proxy", "--to", target, *options)


class SocketTest(Base):
    def test_over_tcp(self):
        figures = measured(self.socket_server(), "--transfers")
        self.assertEqual(set(figures["write"]), {"4 KiB", "64 KiB", "1 MiB"})
        self.assertEqual(set(figures),
                         {"ping_pong", "write", "read", "write, pipelined", "read, pipelined"})

    def test_over_a_unix_socket(self):
        with tempfile.TemporaryDirectory() as folder:
            figures = measured(self.socket_server(f"unix:{folder}/raw.sock"))
        self.assertGreater(figures["ping_pong"]["median"], 0)

    def test_one_measurement_after_another(self):
        address = self.socket_server()
        measured(address)
        measured(address)


class Echo:
    """Sends back all that comes on each connection, until it ends."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.echo, args=(connection,), daemon=True).start()

    @staticmethod
    def echo(connection):
        with connection:
            while data := connection.recv(1 << 16):
                connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)


def exchange(address, data):
    """What comes back until the end, when `data` and then the end has been sent."""
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), timeout=RUN_LIMIT_S) as connection:
        sender = threading.Thread(target=lambda: (connection.sendall(data),
                                                  connection.shutdown(socket.SHUT_WR)))
        sender.start()
        parts = []
        while part := connection.recv(1 << 16):
            parts.append(part)
        sender.join()
    return b"".join(parts)


class ProxyTest(Base):
    def setUp(self):
        self.echo = Echo()
        self.addCleanup(self.echo.listener.close)

    def test_bytes_and_the_end_come_through_unchanged(self):
        data = os.urandom(5_000_000)
        for options in ([], ["--rtt-ms", "4"], ["--mbit", "1000"],
                        ["--rtt-ms", "2", "--mbit", "1000"]):
            with self.subTest(options):
                self.assertEqual(exchange(self.proxy(self.echo.address, *options), data), data)

    def test_connections_do_not_mix(self):
        address = self.proxy(self.echo.address, "--rtt-ms", "2", "--mbit", "400")
        data = [os.urandom(300_000) for _ in range(8)]
        back = [None] * len(data)

        def one(number):
            back[number] = exchange(address, data[number])

        threads = [threading.Thread(target=one, args=(number,)) for number in range(len(data))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(back, data)

    def test_nothing_comes_before_its_time(self):
        start = time.monotonic()
        self.assertEqual(exchange(self.proxy(self.echo.address, "--rtt-ms", "50"), b"ball"),
                         b"ball")
        self.assertGreaterEqual(time.monotonic() - start, 0.050)

    def test_nothing_is_faster_than_the_rate(self):
        data = bytes(1_000_000)
        start = time.monotonic()
        exchange(self.proxy(self.echo.address, "--mbit", "80"), data)  # 0.1 s
        self.assertGreaterEqual(time.monotonic() - start, 0.09)

    def test_it_ends_with_its_standard_input(self):
        helper = links.Helper([BINARIES / "longwire_bench_proxy", "--to", self.echo.address])
        helper.close()
        self.assertEqual(helper.process.returncode, 0)


if __name__ == "__main__":
    unittest.main()
