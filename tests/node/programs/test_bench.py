"""longwire bench: every figure is there, with a word on what limits it. No figure is judged here."""
import json
import unittest

from programs import ProgramTest, program


class Bench(ProgramTest):
    def test_every_figure_has_a_verdict(self):
        done = self.run_program(program("longwire"), "bench", "--local=unix", "--json")
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
