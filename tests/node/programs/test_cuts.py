"""Sessions that outlive their links: a program that checks its own results runs through a wire that
is cut again and again, and ends as if nothing had happened."""
import os
import pathlib
import re
import signal
import subprocess
import threading
import time
import unittest

from programs import BUILD, PATIENCE_S, ProgramTest, program, require_driver
from wire_cutter import WireCutter

COUNTING = BUILD / "tests" / "counting"
LONG_KERNEL = BUILD / "tests" / "long_kernel"
LONG_KERNEL_S = 90  # far longer than anything here waits


class Cuts(ProgramTest):
    def setUp(self):
        super().setUp()
        require_driver()
        if not COUNTING.exists():
            self.skipTest(f"{COUNTING} is not built")

    def start_own_node(self, mode, lanes=4, limits=""):
        """longwired behind a wire that can be cut; what LONGWIRE_NODES calls it."""
        listen = {"tls": 'tls = ["127.0.0.1:0"]', "tcp": 'tls = []\nplain = ["127.0.0.1:0"]'}[mode]
        self.config = self.folder / "node.toml"
        self.config.write_text(
            f'name = "box"\n[listen]\nunix = ""\n{listen}\n[limits]\nlanes = {lanes}\n{limits}\n'
            f'[state]\ndirectory = "{self.folder / "state"}"\ncache = "{self.folder / "cache"}"\n')
        self.log = self.folder / "node.log"
        self.node = self.launch_node()
        port = int(self.wait_for_log(rf"endpoint={mode}://127\.0\.0\.1:(\d+)")[1])
        if mode == "tls":
            self.pair(port)
        self.wire = WireCutter(port)
        self.addCleanup(self.wire.close)
        prefix = "tcp:" if mode == "tcp" else ""
        self.direct = f"{prefix}127.0.0.1:{port}"
        return f"{prefix}127.0.0.1:{self.wire.port}"

    def launch_node(self):
        with open(self.log, "a", encoding="utf-8") as log:
            node = subprocess.Popen([program("longwired"), "--config", self.config], stdout=log,
                                    stderr=log, env=self.environment)
        self.addCleanup(self.end, node)
        return node

    def pair(self, port):
        desk = self.start(program("longwire"), "pair", "--state", self.folder / "state")
        code = next(found[1] for line in desk.stdout
                    if (found := re.search(r"longwire pair \S+:\d+ (\S+)", line)))
        done = self.run_program(program("longwire"), "pair", f"127.0.0.1:{port}", code)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(desk.wait(PATIENCE_S), 0)

    def client(self, place, *argv):
        driver = (BUILD / "lib" / "liblongwire_opencl.so").resolve()
        environment = dict(self.environment, OCL_ICD_VENDORS=str(driver), LONGWIRE_NODES=place)
        client = self.start(*argv, env=environment)
        self.assertEqual(client.stdout.readline(), "running\n")
        return client

    def expect_right(self, client):
        out, err = client.communicate(timeout=PATIENCE_S * 4)
        self.assertEqual((client.returncode, out, err), (0, "right\n", ""))

    def wait_until(self, holds, otherwise):
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            self.assertLess(time.monotonic(), deadline, otherwise)
            time.sleep(0.02)

    def cut_until_it_ends(self, client, every_s, reset):
        cuts = 0
        while client.poll() is None:
            time.sleep(every_s)
            cuts += self.wire.cut(reset) > 0
        return cuts

    def run_through_cuts(self, mode, lanes, every_s, reset, rounds):
        place = self.start_own_node(mode, lanes)
        client = self.client(place, COUNTING, str(rounds))
        cutter = threading.Thread(target=self.cut_until_it_ends, args=(client, every_s, reset),
                                  daemon=True)
        cutter.start()
        self.expect_right(client)
        cutter.join()
        self.assertGreater(self.wire.accepted, 3, "hardly anything was cut")
        self.assertEqual(len(re.findall("session.start", self.log.read_text())), 1)


class CutsOfTheStream(Cuts):
    """All bytes go through the one link."""

    def test_resets_over_tls(self):
        self.run_through_cuts("tls", 0, 0.1, True, 30)

    def test_resets_over_tcp(self):
        self.run_through_cuts("tcp", 0, 0.1, True, 30)

    def test_ends_in_order_over_tls(self):
        self.run_through_cuts("tls", 0, 0.15, False, 60)


class CutsOfLanes(Cuts):
    """Large data goes on lanes beside the stream; all links are cut together."""

    def test_resets_over_tls(self):
        self.run_through_cuts("tls", 4, 0.1, True, 40)

    def test_resets_over_tcp(self):
        self.run_through_cuts("tcp", 4, 0.1, True, 40)

    def test_ends_in_order_over_tcp(self):
        self.run_through_cuts("tcp", 4, 0.2, False, 60)


class Silence(Cuts):
    """No kernel says that the link is dead: it is noticed all the same, and there is another way."""

    def run_through_silence(self, mode):
        place = self.start_own_node(mode)
        client = self.client(place, COUNTING, "40")
        for _ in range(3):
            accepted = self.wire.accepted
            self.wire.silence()
            self.wait_until(lambda before=accepted: self.wire.accepted > before,
                            "nobody has noticed the silence")
            self.wire.speak()
            if client.poll() is not None:
                break
        self.expect_right(client)
        self.assertEqual(len(re.findall("session.start", self.log.read_text())), 1)

    def test_over_tls(self):
        self.run_through_silence("tls")

    def test_over_tcp(self):
        self.run_through_silence("tcp")


class Deaths(Cuts):
    """What is gone for good is an error, soon; nothing of it stays behind."""

    def start_long_kernel(self):
        self.start_own_node("tcp")
        self.client_process = self.client(self.direct, LONG_KERNEL, str(LONG_KERNEL_S))
        self.worker = int(self.wait_for_log(r"session\.start .*\bpid=(\d+)")[1])

    def expect_an_error(self):
        out, err = self.client_process.communicate(timeout=PATIENCE_S)
        self.assertEqual(self.client_process.returncode, 1, out)
        self.assertIn("wait: ", err)

    def test_a_killed_worker_is_an_error(self):
        self.start_long_kernel()
        os.kill(self.worker, signal.SIGKILL)
        self.expect_an_error()

    def test_a_killed_node_is_an_error(self):
        self.start_long_kernel()
        self.node.kill()
        os.kill(self.worker, signal.SIGKILL)
        self.expect_an_error()

    def test_a_killed_agent_is_not_missed(self):
        place = self.start_own_node("tcp")
        client = self.client(place, COUNTING, "20")
        self.node.kill()
        self.expect_right(client)

    def test_a_killed_client_leaves_nothing(self):
        self.start_long_kernel()
        self.client_process.kill()
        self.wait_until(lambda: not pathlib.Path(f"/proc/{self.worker}").exists(),
                        "the worker is still there")

    def test_the_grace_period_is_the_operators(self):
        self.client_process = self.client(self.start_own_node("tcp", limits="grace_ms = 300"),
                                          LONG_KERNEL, str(LONG_KERNEL_S))
        self.worker = int(self.wait_for_log(r"session\.start .*\bpid=(\d+)")[1])
        self.wire.silence()
        self.expect_an_error()


if __name__ == "__main__":
    unittest.main()
