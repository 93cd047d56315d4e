"""The last line of ./dev test must count what ran, and a crash must never count as a success."""
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
import count_tests  # noqa: E402

CTEST = """<testsuite><testcase name="unit" status="{unit}"/>
<testcase name="script" status="run"/><testcase name="absent" status="notrun"><skipped/></testcase>
</testsuite>"""
GTEST = """<testsuites><testsuite>
<testcase name="a" status="run" result="completed"/>
<testcase name="b" status="run" result="completed">{b}</testcase>
<testcase name="c" status="run" result="skipped"><skipped/></testcase>
</testsuite></testsuites>"""


class CountTest(unittest.TestCase):
    def count(self, unit="run", report=GTEST.format(b="")):
        with tempfile.TemporaryDirectory() as folder:
            results = pathlib.Path(folder)
            (results / "ctest.junit").write_text(CTEST.format(unit=unit))
            if report is not None:
                (results / "unit.xml").write_text(report)
            counts, _ = count_tests.count(results)
            return counts["passed"], counts["failed"], counts["skipped"]

    def test_counts_cases_not_executables(self):
        self.assertEqual(self.count(), (3, 0, 2))

    def test_a_failed_case(self):
        self.assertEqual(self.count("fail", GTEST.format(b="<failure/>")), (2, 1, 2))

    def test_a_crash_after_the_report(self):
        self.assertEqual(self.count("fail"), (3, 1, 2))

    def test_a_crash_before_the_report(self):
        self.assertEqual(self.count("fail", None), (1, 1, 1))

    def test_no_results_at_all_is_a_failure(self):
        self.assertEqual(count_tests.main(["count_tests.py", "/nonexistent"]), 1)


if __name__ == "__main__":
    unittest.main()
