"""A sub-tree of cgroup v2 for a test's node, given away as systemd does it."""
import contextlib
import os
import pathlib
import time

from programs import PATIENCE_S


def own_group():
    lines = pathlib.Path("/proc/self/cgroup").read_text().splitlines()
    return next(line[len("0::/"):] for line in lines if line.startswith("0::/"))


class SubTree:
    """For a test case: in self.root."""

    def setUp(self):
        super().setUp()
        mounts = [line.split() for line in pathlib.Path("/proc/self/mounts").read_text().splitlines()]
        place = next((words[1] for words in mounts if words[2] == "cgroup2"), None)
        if place is None:
            self.skipTest("cgroup v2 is not mounted")
        self.home = pathlib.Path(place) / own_group()
        self.root = pathlib.Path(place) / f"lw-cage-{os.getpid()}"
        try:
            self.root.mkdir()
            self.addCleanup(self.remove_root)
            os.setxattr(self.root, "user.delegate", b"1")
            (self.root / "agent").mkdir()
        except OSError as error:
            self.skipTest(f"cgroup v2 cannot be written: {error}")

    def remove_root(self):
        (self.root / "cgroup.kill").write_text("1")
        self.wait_until(self.removed, "the groups are in use")

    def removed(self):
        try:
            for group in self.root.iterdir():
                if group.is_dir():
                    group.rmdir()
            self.root.rmdir()
        except OSError:
            return False
        return True

    def wait_until(self, condition, otherwise):
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            self.assertLess(time.monotonic(), deadline, otherwise)
            time.sleep(0.01)

    @contextlib.contextmanager
    def inside(self, group):
        """What is started meanwhile is in that group."""
        (group / "cgroup.procs").write_text(str(os.getpid()))
        try:
            yield
        finally:
            (self.home / "cgroup.procs").write_text(str(os.getpid()))

    def groups(self):
        return set(self.root.glob("worker-*"))

    def living(self):
        return {group for group in self.groups() if (group / "cgroup.procs").read_text()}
