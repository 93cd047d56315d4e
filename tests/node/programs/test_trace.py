"""longwire trace: what a program's calls cost, beside the program and never in its way."""
import json
import re
import unittest

from programs import ProgramTest, program, require, require_driver

KILLED_BY_TERM = 128 + 15


class Trace(ProgramTest):
    def setUp(self):
        super().setUp()
        require_driver()

    def trace(self, *argv, mode="unix", flags=()):
        return self.run_program(program("longwire"), "trace", f"--local={mode}", *flags, "--",
                                *argv)

    def round_trips(self, stderr):
        """(those that a thread waited for, those that opened the links), per node"""
        found = re.findall(r"round trips +(\d+) that a thread waited for, (\d+) to open", stderr)
        self.assertTrue(found, stderr)
        return [(int(waited), int(opening)) for waited, opening in found]

    def test_clinfo_takes_at_most_three_round_trips_per_node(self):
        require("clinfo")
        for mode, opening in (("unix", 1), ("tcp", 2), ("tls", 4)):
            with self.subTest(mode):
                done = self.trace("clinfo", mode=mode)
                self.assertEqual(done.returncode, 0, done.stderr)
                for waited, opened in self.round_trips(done.stderr):
                    self.assertLessEqual(waited, 3)
                    self.assertEqual(opened, opening)

    def test_devices_are_found_with_no_round_trip_but_those_that_open_the_link(self):
        require("clinfo")
        for mode, opening in (("unix", 1), ("tcp", 2), ("tls", 4)):
            with self.subTest(mode):
                done = self.trace("clinfo", "-l", mode=mode)
                self.assertEqual(self.round_trips(done.stderr), [(0, opening)])

    def test_stdout_is_the_programs(self):
        require("clinfo")
        plain = self.run_program(program("longwire"), "run", "--local=unix", "--", "clinfo", "-l")
        traced = self.trace("clinfo", "-l")
        self.assertEqual(traced.stdout, plain.stdout)
        self.assertIn("clGetDeviceIDs", traced.stderr)
        self.assertRegex(traced.stderr, r"FUNCTION +CALLS +SENT +RECEIVED +TRIPS")

    def test_calls_become_trace_events(self):
        require("clinfo")
        path = self.folder / "calls.json"
        self.assertEqual(self.trace("clinfo", flags=["--json", path]).returncode, 0)
        events = json.loads(path.read_text())["traceEvents"]
        calls = [event for event in events if event["ph"] == "X"]
        self.assertIn("clBuildProgram", {call["name"] for call in calls})
        for call in calls:
            self.assertGreaterEqual(call["dur"], 0)
            self.assertLessEqual({"pid", "tid", "ts", "args"}, set(call))
        named = {event["pid"]: event["args"]["name"] for event in events
                 if event["name"] == "process_name"}
        self.assertEqual(list(named.values()), ["clinfo"])

    def test_calls_over_the_limit_are_dropped_and_counted(self):
        require("clinfo")
        path = self.folder / "calls.json"
        done = self.trace("clinfo", flags=["--json", path, "--max-calls", "5"])
        self.assertRegex(done.stderr, r"the JSON lacks \d+ that --max-calls cut")
        events = json.loads(path.read_text())["traceEvents"]
        self.assertEqual(len([event for event in events if event["ph"] == "X"]), 5)

    def test_every_process_is_counted(self):
        require("clinfo")
        done = self.trace("sh", "-c", "clinfo -l >/dev/null; clinfo -l >/dev/null; exit 3")
        self.assertEqual(done.returncode, 3)
        self.assertIn("longwire trace: clinfo (2 processes)", done.stderr)

    def test_after_a_fork_the_record_is_the_parents(self):
        path = self.folder / "mine"
        self.environment["LONGWIRE_TRACE_FILE"] = str(path)
        done = self.run_program(program("longwire"), "run", "--local=unix", "--",
                                "/usr/bin/python3", "-c", FORK_AFTER_USE)
        self.assertEqual(done.returncode, 0, done.stderr)
        parent = done.stdout.strip()
        self.assertEqual([file.name for file in self.folder.glob("mine.*")], [f"mine.{parent}"])

    def test_a_program_without_opencl_has_no_trace(self):
        done = self.trace("true")
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        self.assertIn("has not used OpenCL", done.stderr)

    def test_failures_are_those_of_run(self):
        self.assertEqual(self.trace("/nonexistent/program").returncode, 127)
        self.assertEqual(self.trace("sh", "-c", "kill -TERM $$").returncode, KILLED_BY_TERM)
        nowhere = self.run_program(program("longwire"), "trace", "--", "true")
        self.assertEqual(nowhere.returncode, 125)
        unwritable = self.trace("true", flags=["--json", "/nonexistent/calls.json"])
        self.assertEqual(unwritable.returncode, 125)
        self.assertIn("/nonexistent/calls.json", unwritable.stderr)

    def test_nothing_is_written_where_nobody_asked(self):
        require("clinfo")
        self.environment["LONGWIRE_TRACE_FILE"] = str(self.folder / "mine")
        self.run_program(program("longwire"), "run", "--local=unix", "--", "clinfo", "-l")
        self.assertEqual(len(list(self.folder.glob("mine.*"))), 1)
        del self.environment["LONGWIRE_TRACE_FILE"]
        self.run_program(program("longwire"), "run", "--local=unix", "--", "clinfo", "-l")
        self.assertEqual(len(list(self.folder.glob("mine.*"))), 1)


# The ICD's own entry points, so that no OpenCL package is needed.
FORK_AFTER_USE = """
import ctypes, os, sys
driver = ctypes.CDLL(os.environ["OCL_ICD_VENDORS"])
platform = ctypes.c_void_p()
assert driver.clGetPlatformIDs(1, ctypes.byref(platform), None) == 0
name = ctypes.create_string_buffer(256)
assert driver.clGetPlatformInfo(platform, 0x0905, 256, name, None) == 0  # needs the node
child = os.fork()
if child == 0:
    driver.clGetPlatformIDs(1, ctypes.byref(platform), None)
    sys.exit(0)
os.waitpid(child, 0)
print(os.getpid())
"""


if __name__ == "__main__":
    unittest.main()
