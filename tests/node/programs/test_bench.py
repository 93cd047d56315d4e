"""longwire bench: every figure is there, with a word on what limits it. No figure is judged here."""
import json
import time
import unittest

from programs import PATIENCE_S, ProgramTest, program, require_driver


class Bench(ProgramTest):
    def setUp(self):
        super().setUp()
        require_driver()

    def test_every_figure_has_a_verdict(self):
        place = self.folder / "node.sock"
        self.start(program("longwired"), "--no-tls", "--unix", place, "--state",
                   self.folder / "state")
        self.wait_for_device_time(0)
        done = self.run_program(program("longwire"), "bench", f"unix:{place}", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        figures = json.loads(done.stdout)
        self.assertFalse(figures["tls"])
        self.assertTrue(figures["device"])
        for name in ("set_up", "round_trip", "read_4_bytes", "empty_kernel_finish"):
            self.assertGreater(figures[name]["median_ns"], 0, name)
            self.assertGreaterEqual(figures[name]["p99_ns"], figures[name]["median_ns"], name)
            self.assertTrue(figures[name]["verdict"], name)
        self.assertGreater(figures["small_kernels"]["per_s"], 0)
        for name in ("to_device", "from_device"):
            self.assertGreater(figures[name]["bytes_per_s"], 0, name)
            self.assertTrue(figures[name]["verdict"], name)
        self.assertTrue(figures["verdict"])
        self.wait_for_device_time(1)

    def wait_for_device_time(self, at_least_ms):
        """until the node has sessions with so much of it in its account"""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            top = self.run_program(program("longwire"), "top", "--state", self.folder / "state",
                                   "--json")
            if top.returncode == 0 and json.loads(top.stdout)["ended"]["device_ms"] >= at_least_ms:
                return
            time.sleep(0.1)
        self.fail(top.stdout + top.stderr)

    def test_a_private_node_will_do(self):
        done = self.run_program(program("longwire"), "bench", "--local=tls")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"FIGURE +MEDIAN +P99 +WHAT LIMITS IT")
        self.assertIn("4 round trips", done.stdout)

    def test_no_node_is_a_mistake(self):
        done = self.run_program(program("longwire"), "bench")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--local=tls", done.stderr)
        wrong = self.run_program(program("longwire"), "bench", "unix:relative")
        self.assertEqual(wrong.returncode, 2)

    def test_a_node_that_is_not_there_fails(self):
        done = self.run_program(program("longwire"), "bench", f"unix:{self.folder}/nothing")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout, "")


if __name__ == "__main__":
    unittest.main()
