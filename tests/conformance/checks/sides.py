"""The two sides of every comparison: the native driver, and the same program through the wire."""

import dataclasses
import os
import pathlib
import shlex
import signal
import subprocess
import time

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
BUILD = pathlib.Path(os.environ.get("LONGWIRE_BUILD_DIR", REPOSITORY / "build" / "release"))
MODES = ("unix", "tcp", "tls")
# Time between asking a program that ran out of time to stop and killing it.
STOP_GRACE_S = 5


class Skip(Exception):
    """Something this check needs is not on this machine; the text says what."""


@dataclasses.dataclass
class Outcome:
    """What one run of one program left behind."""

    argv: list
    returncode: int
    stdout: bytes
    stderr: bytes
    seconds: float
    timed_out: bool

    @property
    def status(self):
        """One word: ok, exit:N, signal:NAME or timeout."""
        if self.timed_out:
            return "timeout"
        code = self.returncode
        # A shell, or `longwire run`, reports the death of its child by a signal as 128 + number.
        number = -code if code < 0 else code - 128 if 128 < code < 160 else 0
        if number:
            try:
                return f"signal:{signal.Signals(number).name}"
            except ValueError:
                return f"signal:{number}"
        return "ok" if code == 0 else f"exit:{code}"

    @property
    def text(self):
        return self.stdout.decode("utf-8", "replace")

    @property
    def error_text(self):
        return self.stderr.decode("utf-8", "replace")


class Side:
    """A way to start a program: `native`, or through a private node in one of MODES."""

    def __init__(self, mode):
        self.mode = mode
        self.name = "native" if mode == "native" else f"remote-{mode}"

    def command(self, argv):
        argv = [str(part) for part in argv]
        if self.mode == "native":
            return argv
        return [str(longwire_binary()), "run", f"--local={self.mode}", "--", *argv]

    def run(self, argv, *, time_limit_s, env=None, cwd=None, stdin=None):
        """Runs `argv` to its end, or kills it and all it started after `time_limit_s`."""
        environment = dict(os.environ, **(env or {}))
        started = time.monotonic()
        process = subprocess.Popen(
            self.command(argv), stdin=stdin or subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=environment, cwd=cwd, start_new_session=True)
        timed_out = False
        try:
            stdout, stderr = process.communicate(timeout=time_limit_s)
        except subprocess.TimeoutExpired:
            timed_out = True
            stdout, stderr = _stop(process)
        except BaseException:
            _stop(process)
            raise
        return Outcome(argv, process.returncode, stdout, stderr,
                       time.monotonic() - started, timed_out)

    def spell(self, argv):
        """The command as a person would type it, to repeat a case by hand."""
        return shlex.join(self.command(argv))


def longwire_binary():
    path = pathlib.Path(os.environ.get("LONGWIRE_BIN", BUILD / "bin" / "longwire"))
    if not os.access(path, os.X_OK):
        raise Skip(f"no executable at {path} (run ./dev build, or set LONGWIRE_BIN)")
    return path


def sides(mode):
    """The native side and the side it is compared with."""
    if mode != "native":
        longwire_binary()
    return Side("native"), Side(mode)


def require_program(name, variable, how):
    """The path of a program named by an environment variable or found in PATH, or Skip."""
    given = os.environ.get(variable)
    if given:
        if os.access(given, os.X_OK) and os.path.isfile(given):
            return given
        raise Skip(f"{variable}={given} is not an executable file")
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        path = os.path.join(folder, name)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    raise Skip(f"{name} is not in PATH and {variable} is not set ({how})")


def _stop(process):
    """Stops a process group: a request first, then by force; returns what it had written."""
    for number, wait_s in ((signal.SIGTERM, STOP_GRACE_S), (signal.SIGKILL, STOP_GRACE_S)):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            pass
        try:
            return process.communicate(timeout=wait_s)
        except subprocess.TimeoutExpired:
            continue
    # Something that left the group still holds the pipes: do not wait for it.
    process.kill()
    return b"", b""
