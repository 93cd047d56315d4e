"""Tests of bench/soft: every kernel's results are right on the soft CUDA device and on PoCL, and what
becomes of the figures. No time is asserted."""
import math
import os
import pathlib
import re
import unittest

from report import limits, plot, ptx, rows, soft, table

BUILD = pathlib.Path(os.environ.get(
    "LONGWIRE_BUILD_DIR", pathlib.Path(__file__).resolve().parent.parent / "build/release"))


class FakeSide:
    """A device whose runs take what a list says."""

    def __init__(self, name, times, answer="ok"):
        self.name, self.times, self.answer, self.log = name, list(times), answer, []

    def expect_ok(self, what):
        self.log.append(what)
        if self.answer != "ok":
            raise ValueError(self.answer)

    def run_us(self):
        self.log.append("run")
        return self.times.pop(0) if len(self.times) > 1 else self.times[0]


class InTurnsTest(unittest.TestCase):
    def test_results_are_checked_before_and_after(self):
        side = FakeSide(soft.LLVM, [1000.0])
        soft.in_turns([side], "x", 7)
        self.assertEqual(side.log, ["prepare x"] + 7 * ["run"] + ["check"])

    def test_long_runs_are_few_and_slow_ones_of_the_interpreter_one(self):
        ours, interpreted = FakeSide(soft.LLVM, [2e5]), FakeSide(soft.INTERPRETER, [6e5])
        times = soft.in_turns([interpreted, ours], "x", 25)
        self.assertEqual((len(times[ours]), len(times[interpreted])), (soft.ROUNDS, 1))

    def test_wrong_results_are_no_figures(self):
        with self.assertRaisesRegex(ValueError, "value 3"):
            soft.in_turns([FakeSide(soft.LLVM, [1.0], "value 3 is 1, not 2")], "x", 5)


class ReportTest(unittest.TestCase):
    def setUp(self):
        self.results = rows.Results()
        for name, ours, theirs in (("matmul", 200.0, 100.0), ("scan", 1000.0, 200.0)):
            self.results.add(rows.Row("soft", name, soft.LLVM, "us", ours))
            self.results.add(rows.Row("soft", name, soft.POCL, "us", theirs))
        self.results.add(rows.Row("soft", soft.FIRST, soft.LLVM, "us", 30_000.0))
        soft.summarize(self.results)

    def verdicts(self):
        return {row.name: limits.target(self.results, row)[1] for row in self.results.rows
                if limits.target(self.results, row)}

    def test_targets(self):
        self.assertAlmostEqual(self.results.median(soft.MEAN, soft.LLVM), math.sqrt(0.5 * 0.2))
        self.assertEqual(self.results.median(soft.LEAST, soft.LLVM), 0.2)
        self.assertEqual(self.verdicts(), {"matmul": True, "scan": False, soft.FIRST: True,
                                           soft.MEAN: False, soft.LEAST: False})

    def test_table(self):
        lines = list(table.lines(self.results))
        self.assertTrue(any(re.match(r"matmul +200 us +100 us +50%  yes <= PoCL / 0.4", line)
                            for line in lines), lines)
        self.assertNotIn(table.HEADER, lines)
        self.assertEqual(lines[-1], "2 of 5 targets reached")

    def test_plot(self):
        self.assertIn("soft llvm: 200 us, 50% of limit", plot.svg(self.results))


class PtxTest(unittest.TestCase):
    def test_a_kernel_has_the_instructions_that_were_asked_for(self):
        for wanted in (100, 200, 1000):
            text = ptx.kernel("k", wanted)
            self.assertEqual(len(re.findall(r"^\t(?!\.).*;$", text, re.M)), wanted)

    def test_a_module_is_as_long_as_asked(self):
        text = ptx.module(100_000, 200)
        self.assertGreaterEqual(len(text), 100_000)
        self.assertEqual(len(set(re.findall(r"\.entry (\w+)", text))), text.count(".entry"))


@unittest.skipUnless((BUILD / "bin/longwire_bench_soft_cuda").exists(), "built without clang 19")
class KernelsTest(unittest.TestCase):
    def check_all(self, program, environment):
        side = soft.Side("this", [BUILD / "bin" / program], environment)
        self.addCleanup(side.close)
        names = side.ask("list").split("|")
        self.assertGreaterEqual(len(names), 12)
        for name in names:
            side.expect_ok(f"prepare {name}")
            side.run_us()
            side.expect_ok("check")

    def on_soft(self, backend):
        self.check_all("longwire_bench_soft_cuda",
                       {"LD_LIBRARY_PATH": str(BUILD / "lib/softcuda"),
                        "LONGWIRE_SOFT_BACKEND": backend})

    def test_interpreted(self):
        self.on_soft("interp")

    def test_compiled(self):
        self.on_soft("llvm")

    def test_on_pocl(self):
        self.check_all("longwire_bench_soft_opencl", {"LONGWIRE_DISABLE": "1"})


if __name__ == "__main__":
    unittest.main()
