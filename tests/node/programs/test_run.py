"""longwire run: exit statuses, signals, environment, nothing left behind."""
import os
import pathlib
import signal
import subprocess
import time
import unittest

from programs import PATIENCE_S, ProgramTest, program, require, require_driver


class Run(ProgramTest):
    def run_local(self, *argv, mode="unix"):
        return self.run_program(program("longwire"), "run", f"--local={mode}", "--", *argv)

    def test_the_programs_exit_status_is_ours(self):
        self.assertEqual(self.run_local("sh", "-c", "exit 7").returncode, 7)
        self.assertEqual(self.run_local("true").returncode, 0)

    def test_a_signal_that_ends_the_program_is_128_and_its_number(self):
        self.assertEqual(self.run_local("sh", "-c", "kill -SEGV $$").returncode, 128 + 11)

    def test_failures_of_ours_are_told_apart_as_env_does(self):
        missing = self.run_local("/nonexistent/program")
        self.assertEqual(missing.returncode, 127)
        self.assertIn("/nonexistent/program", missing.stderr)
        self.assertEqual(self.run_local("/etc/passwd").returncode, 126)
        nowhere = self.run_program(program("longwire"), "run", "--", "true")
        self.assertEqual(nowhere.returncode, 125)
        self.assertIn("--node", nowhere.stderr)
        self.assertEqual(self.run_program(program("longwire"), "run").returncode, 125)

    def test_arguments_arrive_to_the_letter(self):
        odd = ["--", "[in]scale[out]", "-h", "--local=tcp", "", " a  b ", "%s", "--help"]
        out = self.run_local("printf", "<%s>", *odd).stdout
        self.assertEqual(out, "".join(f"<{a}>" for a in odd))

    def test_the_program_finds_our_driver_only(self):
        out = self.run_local("sh", "-c", "echo $OCL_ICD_VENDORS; echo $LONGWIRE_NODES").stdout
        driver, node = out.split()
        self.assertTrue(driver.endswith("liblongwire_opencl.so"), driver)
        self.assertTrue(node.startswith("unix:"), node)

    def test_nothing_is_left_behind(self):
        home = self.run_local("sh", "-c", "echo $LONGWIRE_CONFIG_HOME").stdout.strip()
        self.assertTrue(home)
        self.assertFalse(os.path.exists(os.path.dirname(home)))

    def test_stdin_and_stdout_are_the_programs(self):
        done = subprocess.run([program("longwire"), "run", "--local=unix", "--", "cat"],
                              input="through\n", capture_output=True, text=True,
                              timeout=PATIENCE_S, env=self.environment, check=False)
        self.assertEqual((done.stdout, done.stderr), ("through\n", ""))

    def test_signals_are_passed_on(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGHUP):
            script = f"trap 'exit {40 + number}' {number - 0}; echo ready; while :; do sleep 0.05; done"
            process = self.start(program("longwire"), "run", "--local=unix", "--", "bash", "-c",
                                 script)
            self.assertEqual(process.stdout.readline(), "ready\n")
            process.send_signal(number)
            self.assertEqual(process.wait(PATIENCE_S), 40 + number)

    def test_the_node_dies_with_a_killed_longwire(self):
        process = self.start(program("longwire"), "run", "--local=unix", "--", "bash", "-c",
                             "echo $$ $LONGWIRE_NODES; exec sleep 600")
        child, node = process.stdout.readline().split()
        self.addCleanup(os.kill, int(child), signal.SIGKILL)
        socket = pathlib.Path(node.removeprefix("unix:"))
        self.assertTrue(socket.exists())
        process.kill()
        process.wait(PATIENCE_S)
        deadline = time.monotonic() + PATIENCE_S
        while socket.exists() and time.monotonic() < deadline:  # the node removes it as it ends
            time.sleep(0.05)
        self.assertFalse(socket.exists())


class RunDevices(ProgramTest):
    """With a device: what Debian's PoCL gives, over every link."""

    def test_clinfo_finds_the_device_over_every_link(self):
        require("clinfo")
        require_driver()
        if "Device #0" not in self.run_program("clinfo", "-l").stdout:
            self.skipTest("no OpenCL device on this machine")
        for mode in ("unix", "tcp", "tls"):
            with self.subTest(mode):
                done = self.run_program(program("longwire"), "run", f"--local={mode}", "--",
                                        "clinfo", "-l")
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn("Device #0", done.stdout)
                self.assertEqual(done.stderr, "")


if __name__ == "__main__":
    unittest.main()
