"""Strangers at every port of a real node: it lives, stays small, and its clients notice nothing."""
import re
import subprocess
import time
import unittest

import hostile
from hostile import HalfOpen, Place
from programs import BUILD, PATIENCE_S, ProgramTest, program, require_driver

THREADS = BUILD / "tests" / "conformance_programs" / "threads"
HALF_OPEN = 1000
# limits.handshakes of the default configuration: so many strangers at once, and no more.
HANDSHAKES = 64
# A stranger costs the node at most the 64 KiB that it may say before a session, as much again on
# the way through TLS, and some 100 KiB of TLS itself: 64 of them are 15 MiB. Twice that, since
# freed memory is not all given back.
MORE_BYTES = 32 << 20


class HostilePorts(ProgramTest):
    def setUp(self):
        super().setUp()
        require_driver()
        if not THREADS.exists():
            self.skipTest(f"{THREADS} is not built")
        hostile.raise_file_limit(2 * HALF_OPEN + 200)
        self.start_node_with_every_port()
        self.native = self.run_program(THREADS).stdout
        self.assertEqual(self.run_client(), self.native)  # and its worker is warm
        self.bytes_before = hostile.resident_bytes(self.node.pid)
        self.descriptors_before = hostile.descriptors(self.node.pid)

    def start_node_with_every_port(self):
        config = self.folder / "longwired.toml"
        config.write_text(f"""
[listen]
tls = ["127.0.0.1:0"]
plain = ["127.0.0.1:0"]
unix = "{self.folder}/node.sock"
[limits]
handshake_timeout_ms = 2000
[state]
directory = "{self.folder}/state"
cache = "{self.folder}/cache"
""")
        self.log = self.folder / "node.log"
        with open(self.log, "w", encoding="utf-8") as log:
            self.node = subprocess.Popen([program("longwired"), "--config", config], stdout=log,
                                         stderr=log, env=self.environment)
        self.addCleanup(self.end, self.node)
        self.wait_for_log(r"endpoint=unix:")
        ports = {kind: ("127.0.0.1", int(port)) for kind, port in re.findall(
            r"endpoint=(tls|tcp)://127\.0\.0\.1:(\d+)", self.log.read_text())}
        self.plain = Place(ports["tcp"])
        self.places = [Place(ports["tls"]), self.plain, Place(self.folder / "node.sock")]
        self.desks = [Place(path) for path in sorted((self.folder / "state").glob("*.sock"))]
        self.assertEqual(len(ports), 2)
        self.assertGreater(len(self.desks), 0)

    def client(self, port=None):
        driver = (BUILD / "lib" / "liblongwire_opencl.so").resolve()
        port = port or self.plain.address[1]
        return self.start(THREADS, env=dict(self.environment, OCL_ICD_VENDORS=str(driver),
                                            LONGWIRE_NODES=f"tcp:127.0.0.1:{port}"))

    def result(self, client):
        out, err = client.communicate(timeout=PATIENCE_S)
        self.assertEqual((client.returncode, err), (0, ""))
        return out

    def run_client(self, port=None):
        return self.result(self.client(port))

    def assert_small(self):
        self.assertIsNone(self.node.poll(), "the node has ended")
        grown = hostile.resident_bytes(self.node.pid) - self.bytes_before
        self.assertLess(grown, MORE_BYTES)
        # Besides the strangers: those of the sessions that run now.
        self.assertLessEqual(hostile.descriptors(self.node.pid),
                             self.descriptors_before + HANDSHAKES + 16)

    def assert_unharmed(self):
        """Nothing is left of the strangers, and a new client gets in."""
        deadline = time.monotonic() + PATIENCE_S
        while hostile.descriptors(self.node.pid) > self.descriptors_before:
            self.assertLess(time.monotonic(), deadline, "descriptors are left")
            time.sleep(0.02)
        self.assert_small()
        self.assertEqual(self.run_client(), self.native)

    def test_nonsense(self):
        running = self.client()
        for number, place in enumerate(self.places + self.desks):
            for pieces in hostile.nonsense(number):
                # Of one address only so many a minute are let in: many may say it, then.
                place.say(*pieces, source=f"127.0.1.{number + 1}")
            self.assert_small()
        self.assertEqual(self.result(running), self.native)
        self.assert_unharmed()

    def test_replays_of_a_real_client(self):
        tap = hostile.Tap(self.plain)
        self.addCleanup(tap.close)
        self.assertEqual(self.run_client(tap.port), self.native)
        running = self.client()
        self.assertGreater(max(map(len, tap.heard)), 1000)
        for place in self.places + self.desks:
            for heard in tap.heard:  # the session's connection, and its lanes
                place.say(bytes(heard), source="127.0.0.3")
                place.say(bytes(heard[:len(heard) // 2]), source="127.0.0.3")
                resumed = hostile.preamble(hostile.RESUME, bytes(heard[16:32]))
                place.say(resumed, bytes(heard[32:]), source="127.0.0.3")
        self.assertIsNone(self.node.poll(), "the node has ended")
        self.assertEqual(self.result(running), self.native)
        self.assertEqual(self.run_client(), self.native)

    def half_open(self, sources):
        running = self.client()
        for place in self.places + self.desks:
            with HalfOpen(place, HALF_OPEN, sources) as strangers:
                self.assertGreaterEqual(len(strangers.open), HALF_OPEN // 2, "they got nowhere")
                self.assert_small()
                self.assertEqual(self.run_client(), self.native)
                self.assert_small()
        self.assertEqual(self.result(running), self.native)
        self.assert_unharmed()

    def test_half_open_connections_of_one_address(self):
        self.half_open(["127.0.0.2"])

    def test_half_open_connections_of_many_addresses(self):
        self.half_open([f"127.0.0.{i}" for i in range(2, 102)])


if __name__ == "__main__":
    unittest.main()
