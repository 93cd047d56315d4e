"""longwire top: what the node of this machine does, for its own user."""
import json
import os
import socket
import unittest

from programs import ProgramTest, program, require_driver


class Top(ProgramTest):
    def start_local_node(self):
        self.start(program("longwired"), "--no-tls", "--unix", self.folder / "node.sock", "--state",
                   self.folder / "state", "--name", "box")
        self.place = f"unix:{self.folder / 'node.sock'}"
        for _ in range(500):
            done = self.top("--json")
            if done.returncode == 0:
                return
        self.fail(done.stderr)

    def top(self, *flags):
        return self.run_program(program("longwire"), "top", "--state", self.folder / "state",
                                *flags)

    def test_no_node_is_an_error(self):
        done = self.top("--once")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no node", done.stderr)

    def test_sessions_come_and_go(self):
        require_driver()
        self.start_local_node()
        holder = self.start(program("longwire"), "run", "--node", self.place, "--",
                            "/usr/bin/python3", "-c", HOLD_A_SESSION, env=self.environment)
        self.assertEqual(holder.stdout.readline(), "here\n")
        status = json.loads(self.top("--json").stdout)
        self.assertEqual(status["node"], "box")
        mine = [s for s in status["sessions"] if s["program"].startswith("python")]
        self.assertEqual(len(mine), 1, status)
        self.assertGreater(mine[0]["worker_pid"], 0)
        self.assertGreater(mine[0]["resident_bytes"], 0)
        self.assertFalse(mine[0]["encrypted"])
        table = self.top("--once").stdout
        self.assertRegex(table, r"SESSION +TENANT +PROGRAM")
        self.assertIn(mine[0]["session"], table)
        holder.terminate()  # the program's, too
        holder.wait()

    def test_only_its_user_may_ask(self):
        self.start_local_node()
        path = self.folder / "state" / "status.sock"
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        self.assertEqual(os.stat(path.parent).st_mode & 0o777, 0o700)

    def test_readers_that_do_not_read_hold_nobody_up(self):
        self.start_local_node()
        path = str(self.folder / "state" / "status.sock")
        silent = []
        for _ in range(8):
            one = socket.socket(socket.AF_UNIX)
            one.connect(path)
            silent.append(one)
        self.assertEqual(self.top("--once").returncode, 0)
        for one in silent:
            one.close()


# The ICD's own entry points, so that no OpenCL package is needed.
HOLD_A_SESSION = """
import ctypes, os, time
driver = ctypes.CDLL(os.environ["OCL_ICD_VENDORS"])
platform = ctypes.c_void_p()
assert driver.clGetPlatformIDs(1, ctypes.byref(platform), None) == 0
name = ctypes.create_string_buffer(256)
assert driver.clGetPlatformInfo(platform, 0x0905, 256, name, None) == 0  # needs the node
print("here", flush=True)
time.sleep(60)
"""


if __name__ == "__main__":
    unittest.main()
