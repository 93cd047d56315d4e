"""The parsers of the conformance runner, on text as the programs print it."""

import contextlib
import io
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from checks import clinfo, clpeak, cts, report, sides  # noqa: E402


class Clinfo(unittest.TestCase):
    TEXT = """#PLATFORMS                                        1
  CL_PLATFORM_NAME                                Portable Computing Language

[POCL/*]  #DEVICES                                          1
[POCL/0]    CL_DEVICE_NAME                                  a CPU
[OCLICD/*]   CL_ICDL_NAME                                    OpenCL ICD Loader
"""

    def test_places_do_not_depend_on_the_name_of_the_platform(self):
        self.assertEqual(clinfo.parse(self.TEXT),
                         clinfo.parse(self.TEXT.replace("POCL", "LONGWIRE")))

    def test_every_line_is_kept_with_its_place(self):
        self.assertIn(("device 0", "CL_DEVICE_NAME", "a CPU"), clinfo.parse(self.TEXT))
        self.assertIn(("platform", "#DEVICES", "1"), clinfo.parse(self.TEXT))
        self.assertIn(("loader", "CL_ICDL_NAME", "OpenCL ICD Loader"), clinfo.parse(self.TEXT))
        self.assertEqual(len(clinfo.parse(self.TEXT)), 5)

    def test_every_exception_has_a_reason(self):
        for key, reason in clinfo.read_allowed()[0].items():
            self.assertRegex(key, r"^CL_\w+$")
            self.assertGreater(len(reason), 20, key)


class Clpeak(unittest.TestCase):
    def test_a_metric_keeps_its_section_but_not_its_number(self):
        text = "\nPlatform: X\n    Bandwidth (GBPS)\n      float   : 10.70\n      float2  : 0\n"
        self.assertEqual(clpeak.shape(text), ["Bandwidth (GBPS)", "Bandwidth (GBPS)/float: number",
                                              "Bandwidth (GBPS)/float2: 0.0"])


class Cts(unittest.TestCase):
    def test_a_baseline_is_read_as_it_was_written(self):
        with tempfile.TemporaryDirectory() as folder:
            result = {"status": "fail", "seconds": 1.25, "tail": "text"}
            cts.Baseline(folder, "api").put(["small_images"], "2D", result)
            again = cts.Baseline(folder, "api")
            self.assertEqual(again.get(["small_images"], "2D")["status"], "fail")
            self.assertIsNone(again.get([], "2D"))


class Outcomes(unittest.TestCase):
    def test_status_words(self):
        def status(code, timed_out=False):
            return sides.Outcome([], code, b"", b"", 0.0, timed_out).status

        self.assertEqual(status(0), "ok")
        self.assertEqual(status(3), "exit:3")
        self.assertEqual(status(-11), "signal:SIGSEGV")
        self.assertEqual(status(139), "signal:SIGSEGV")
        self.assertEqual(status(-9, timed_out=True), "timeout")

    def test_a_program_past_its_limit_is_stopped_with_its_children(self):
        outcome = sides.Side("native").run(["sh", "-c", "sleep 60 & sleep 60"], time_limit_s=0.2)
        self.assertEqual(outcome.status, "timeout")

    def test_nothing_compared_is_no_success(self):
        with contextlib.redirect_stdout(io.StringIO()):
            self.assertEqual(report.Report("empty", "tls").finish(), report.EXIT_DIFFERENT)


if __name__ == "__main__":
    unittest.main()
