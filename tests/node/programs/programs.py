"""What the tests of the programs share: where the build is, a node to talk to, a private home."""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

BUILD = pathlib.Path(os.environ.get("LONGWIRE_BUILD_DIR", "build/release"))
BIN = BUILD / "bin"
PATIENCE_S = 60
SANITIZERS_REPORT = re.compile(r"^.*(?:Sanitizer|runtime error:).*$", re.MULTILINE)
# Sanitizers look for leaks with ptrace, which is just what a sandbox forbids.
QUIET_SANITIZERS = {"ASAN_OPTIONS": "detect_leaks=0", "LSAN_OPTIONS": "detect_leaks=0"}


def program(name):
    path = BIN / name
    if not os.access(path, os.X_OK):
        raise unittest.SkipTest(f"{path} is not built")
    return str(path)


def require(tool):
    if shutil.which(tool) is None:
        raise unittest.SkipTest(f"{tool} is not installed")


def require_driver():
    """Sanitizers' runtimes cannot come into a program with the driver."""
    path = BUILD / "lib" / "liblongwire_opencl.so"
    load = [sys.executable, "-c", "import ctypes, sys; ctypes.CDLL(sys.argv[1])", str(path)]
    if subprocess.run(load, capture_output=True, check=False).returncode != 0:
        raise unittest.SkipTest(f"{path} cannot be loaded")


def sanitizers():
    """Those of this build, such as "address,undefined"; "" for none."""
    cache = (BUILD / "CMakeCache.txt").read_text(encoding="utf-8")
    return re.search(r"^LONGWIRE_SANITIZE:\w+=(.*)$", cache, re.MULTILINE)[1]


class ProgramTest(unittest.TestCase):
    """A temporary folder, which is also HOME, and an environment that names no node."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="lw-", dir="/tmp"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("LONGWIRE_")}
        self.environment.update(QUIET_SANITIZERS, HOME=str(self.folder),
                                LONGWIRE_CONFIG_HOME=str(self.folder / "home"))

    def run_program(self, *argv, **options):
        options.setdefault("env", self.environment)
        return subprocess.run([str(a) for a in argv], capture_output=True, text=True,
                              timeout=PATIENCE_S, **options)

    def start(self, *argv, **options):
        options.setdefault("env", self.environment)
        process = subprocess.Popen([str(a) for a in argv], text=True, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, **options)
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.kill()
        process.communicate()

    def start_node(self, *flags):
        """longwired on loopback; its log goes to a file. Returns (process, port)."""
        self.log = self.folder / "node.log"
        with open(self.log, "w", encoding="utf-8") as log:
            process = subprocess.Popen(
                [program("longwired"), "--listen", "127.0.0.1:0", "--no-unix", "--state",
                 str(self.folder / "state"), "--name", "box", *flags],
                stdout=log, stderr=log, env=self.environment)
        self.addCleanup(self.assert_no_report, self.log)
        self.addCleanup(self.end, process)
        found = self.wait_for_log(r"endpoint=tls://127\.0\.0\.1:(\d+)")
        return process, int(found[1])

    def assert_no_report(self, log):
        """Of a sanitizer, about the agent or a worker."""
        found = SANITIZERS_REPORT.search(log.read_text(errors="replace"))
        self.assertIsNone(found, f"{log.read_text(errors='replace')}")

    def wait_for_log(self, pattern):
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            found = re.search(pattern, self.log.read_text(errors="replace"))
            if found:
                return found
            time.sleep(0.02)
        self.fail(f"no {pattern} in:\n{self.log.read_text(errors='replace')}")
        return None


TERM = signal.SIGTERM
