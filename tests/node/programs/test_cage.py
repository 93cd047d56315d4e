"""What a worker in wrong hands tries, and which wall stops it: tests/node/caged.cc, locked into the
cage of longwire-worker by the same code. docs/SECURITY.md points here."""
import json
import os
import pathlib
import signal
import unittest

from cgroups import SubTree
from programs import BUILD, PATIENCE_S, ProgramTest, program, sanitizers

CAGED = BUILD / "tests" / "caged"
LIST = pathlib.Path(__file__).resolve().parent.parent / "syscalls.txt"
FIRST_USER = 0x70010000
ROOT = os.geteuid() == 0

# By seccomp: no kernel that we run on can let these through.
FILTERED = [
    # other processes
    "kill-all", "pidfd", "take-descriptor", "setsid", "renice-user",
    # the network
    "tcp", "tcp6", "udp", "unix", "netlink", "vsock", "packet", "connect", "bind", "listen",
    "accept", "accept-elsewhere", "datagram-pair", "send-elsewhere", "fast-open",
    # the kernel
    "tiocsti", "unshare", "clone-namespace", "setns", "mount", "setuid", "chroot", "io_uring",
    "bpf", "perf", "keyctl", "add_key", "userfaultfd", "modules", "reboot", "shared-memory",
    "message-queue", "mknod", "open-by-handle",
]
FILTERED_BY_PROCESS = ["kill", "tgkill", "sigqueue", "setown", "setown-ioctl", "ptrace",
                       "read-memory", "renice", "prlimit"]
FILTERED_BY_PATH = ["chmod", "truncate", "setxattr", "utimes"]
WALLED_BY_PATH = ["read", "write", "use", "unlink"]  # by Landlock
WALLED_LINKS = {"rename": ("EACCES", "EXDEV"), "link": ("EACCES", "EXDEV")}


def built():
    if not os.access(CAGED, os.X_OK):
        raise unittest.SkipTest(f"{CAGED} is not built")


class Cage(ProgramTest):
    first_user = 0

    def setUp(self):
        built()
        super().setUp()
        self.folder.chmod(0o711)
        self.cache = self.folder / "cache"

    def attempt(self, action, argument="", sandbox="enforce", expected_code=0):
        result = self.run_program(CAGED, "--cache", self.cache, "--sandbox", sandbox,
                                  "--first-user", self.first_user, "--try", action, str(argument))
        self.assertEqual(result.returncode, expected_code, f"{action}: {result.stderr}")
        return result.stdout.strip()

    def assert_refused(self, action, argument="", errors=("EPERM",)):
        said = self.attempt(action, argument)
        self.assertIn(said, [f"refused {error}" for error in errors], f"{action} {argument}")

    def require_landlock(self):
        if self.attempt("list", "/var/lib") != "refused EACCES":
            self.skipTest("this kernel has no Landlock")

    def victim(self, content="secret", mode=0o666):
        """A file of somebody else's, which this user and every other may use."""
        place = self.folder / "open"
        place.mkdir(exist_ok=True)
        place.chmod(0o777)
        path = place / "victim"
        path.write_text(content)
        path.chmod(mode)
        return path


class SameUser(Cage):
    """The walls that do not need a user of its own: the worker is who the agent is."""

    def test_a_worker_can_still_do_its_work(self):
        for action in ("threads", "child", "own-file", "own-temporary", "made-code"):
            self.assertEqual(self.attempt(action), "done", action)
        for path in ("/etc/ld.so.cache", "/proc/self/maps", "/usr/bin/ld"):
            if os.path.exists(path):
                self.assertEqual(self.attempt("read", path), "done", path)
        self.assertEqual(self.attempt("use", "/dev/null"), "done")

    def test_what_the_filter_refuses(self):
        for action in FILTERED:
            self.assert_refused(action)
        self.assert_refused("clone3", errors=("ENOSYS",))  # libc then takes clone

    def test_every_call_outside_the_list_is_refused(self):
        self.assert_refused("outside-the-list")

    def test_the_list_is_the_one_that_was_reviewed(self):
        self.maxDiff = None
        reviewed = [line for line in LIST.read_text().splitlines() if not line.startswith("#")]
        now = self.run_program(CAGED, "--list").stdout.splitlines()
        self.assertEqual(now, reviewed, f"after review: {CAGED} --list, behind the head of {LIST}")

    def test_no_reach_into_the_agent(self):
        agent = os.getpid()
        for action in FILTERED_BY_PROCESS:
            self.assert_refused(action, agent)
        self.require_landlock()
        for name in ("mem", "maps", "environ", "fd"):
            self.assert_refused("list" if name == "fd" else "read", f"/proc/{agent}/{name}",
                                ("EACCES",))

    def test_no_file_is_changed_by_its_path(self):
        path = self.victim()
        for action in FILTERED_BY_PATH:
            self.assert_refused(action, path)
        self.assertEqual(path.read_text(), "secret")

    def test_no_files_but_its_own(self):
        self.require_landlock()
        path = self.victim()
        for action in WALLED_BY_PATH:
            self.assert_refused(action, path, ("EACCES",))
        for action, errors in WALLED_LINKS.items():
            self.assert_refused(action, path, errors)
        self.assert_refused("write", path.with_name("new"), ("EACCES",))
        for secret in ("/etc/shadow", "/etc/ssh", "/root", "/home", "/proc/1/maps", "/var/log"):
            if os.path.exists(secret):
                self.assert_refused("read", secret, ("EACCES",))

    def test_no_other_tenants_files(self):
        self.require_landlock()
        self.attempt("threads")  # makes the folders
        other = self.cache / "tenants" / "other"
        (other / "builds").mkdir(parents=True)
        (other / "builds" / "x.build").write_text("kernel")
        for place, action in ((other, "list"), (self.cache / "tenants", "list"),
                              (other / "builds" / "x.build", "read"),
                              (other / "builds" / "new", "write")):
            self.assert_refused(action, place, ("EACCES",))

    def test_no_devices_but_those_that_compute(self):
        self.require_landlock()
        for device in ("/dev/mem", "/dev/kmsg", "/dev/tty", "/dev/ptmx", "/dev/fuse", "/dev/kvm",
                       "/dev/loop-control", "/dev/net/tun", "/dev/vda", "/dev/sda"):
            if os.path.exists(device):
                self.assert_refused("use", device, ("EACCES",))
        self.assert_refused("list", "/dev/shm", ("EACCES",))

    def test_no_capabilities(self):
        self.assert_refused("capabilities")

    def test_a_shell_is_in_the_same_cage(self):
        self.assertEqual(self.attempt("shell", "exit 0"), "done")
        self.require_landlock()
        path = self.victim()
        self.assertEqual(self.attempt("shell", f"cat {path}"), "refused EACCES")
        self.assertEqual(self.attempt("shell", "echo x > /dev/tcp/127.0.0.1/1"), "refused EACCES")

    def test_the_attempts_tell_the_truth(self):
        path = self.victim()
        for action, argument in (("tcp", ""), ("unix", ""), ("kill", os.getpid()), ("setsid", ""),
                                 ("read", path), ("chmod", path), ("utimes", path), ("use", path),
                                 ("datagram-pair", ""), ("setown", os.getpid()),
                                 ("prlimit", os.getpid()), ("pidfd", os.getpid())):
            self.assertEqual(self.attempt(action, argument, sandbox="off"), "done", action)
        self.assertEqual(self.attempt("tcp", sandbox="log"), "done")
        self.attempt("no such action", expected_code=2)


@unittest.skipUnless(ROOT, "only root can give a tenant a user of its own")
class OwnUser(Cage):
    """The wall that stands without Landlock and seccomp: all of it with --sandbox off."""

    first_user = FIRST_USER

    def off(self, action, argument=""):
        return self.attempt(action, argument, sandbox="off")

    def tenants(self):
        return self.cache / f"tenants-{FIRST_USER}"

    def owner(self, tenant="prisoner"):
        return (self.tenants() / tenant).stat().st_uid

    def test_a_tenant_keeps_its_user(self):
        self.assertEqual(self.off("own-file"), "done")
        self.assertEqual(self.owner(), FIRST_USER)
        self.assertEqual(self.off("own-temporary"), "done")
        self.assertEqual(self.owner(), FIRST_USER)

    def test_tenants_have_different_users(self):
        other = self.tenants() / "other"
        other.mkdir(parents=True)
        os.chown(other, FIRST_USER, FIRST_USER)
        self.off("threads")
        self.assertEqual(self.owner(), FIRST_USER + 1)
        other.chmod(0o700)
        self.assertEqual(self.off("list", other), "refused EACCES")

    def test_nothing_of_roots(self):
        key = self.folder / "identity.pem"
        key.write_text("key")
        key.chmod(0o600)
        for action in ("read", "write", "chmod", "truncate", "unlink", "utimes"):
            self.assertIn(self.off(action, key), ("refused EACCES", "refused EPERM"), action)
        for action in ("kill", "ptrace", "prlimit", "renice", "read-memory"):
            self.assertIn(self.off(action, os.getpid()), ("refused EPERM", "refused EACCES"), action)
        for action in ("be-root", "capabilities", "setuid", "mount", "chroot", "mknod"):
            self.assertEqual(self.off(action), "refused EPERM", action)
        self.assertEqual(self.off("read", "/etc/shadow"), "refused EACCES")

    def test_and_the_other_walls_on_top(self):
        for action in ("threads", "child", "own-file", "own-temporary", "made-code"):
            self.assertEqual(self.attempt(action), "done", action)
        for action in FILTERED:
            self.assert_refused(action)


def without_shadow_memory():
    if sanitizers():
        raise unittest.SkipTest("a sanitizer's shadow is memory of the worker too")


class Limits(ProgramTest):
    """What the agent sets before a worker begins: caged is the node's worker."""

    def setUp(self):
        built()
        super().setUp()
        self.folder.chmod(0o711)

    def start_with(self, action, argument="x", limits=""):
        worker = self.folder / "worker"
        worker.write_text(f'#!/bin/sh\nexec {CAGED.resolve()} "$@" --try {action} {argument}\n')
        worker.chmod(0o755)
        config = self.folder / "node.toml"
        config.write_text(f'[worker]\nprogram = "{worker}"\ndies_with_agent = true\n{limits}\n'
                          f'[state]\ncache = "{self.folder}/cache"\n')
        return self.start_node("--config", str(config))[0]

    def said(self, action, argument="x", limits=""):
        process = self.start_with(action, argument, limits)
        said = self.wait_for_log(r'worker\.output.*line="?(refused \w+|done)')[1]
        self.end(process)
        return said

    def test_the_size_of_files(self):
        self.assertEqual(self.said("huge-file", 5 << 30), "refused EFBIG")

    def test_the_size_of_files_is_the_operators(self):
        self.assertEqual(self.said("huge-file", 2 << 20, 'file_size = "1MiB"'), "refused EFBIG")
        self.assertEqual(self.said("huge-file", 1 << 19, 'file_size = "1MiB"'), "done")

    def test_no_limit_is_raised(self):
        self.assertEqual(self.said("raise-limit"), "refused EPERM")

    def test_descriptors(self):
        self.assertEqual(self.said("many-descriptors", limits="open_files = 64"), "refused EMFILE")

    def test_memory(self):
        without_shadow_memory()
        self.assertEqual(self.said("huge-memory", 2 << 30, 'memory = "1GiB"'), "refused ENOMEM")
        self.assertEqual(self.said("huge-memory", 1 << 20, 'memory = "1GiB"'), "done")

    def left(self):
        return set((self.folder / "cache" / "workers").glob("agent-*/*"))

    def test_temporary_files_go_with_the_worker(self):
        process = self.start_with("linger")
        self.wait_for_log("worker.output.*done")
        self.assertEqual(len(self.left()), 1)
        process.terminate()  # spares are killed
        process.wait(PATIENCE_S)
        self.assertEqual(self.left(), set())

    def test_temporary_files_of_a_killed_agent_go_with_the_next(self):
        process = self.start_with("linger")
        self.wait_for_log("worker.output.*done")
        process.kill()
        process.wait()
        before = self.left()
        self.assertEqual(len(before), 1)
        self.start_with("linger")
        self.wait_for_log("worker.output.*done")
        self.assertEqual(before & self.left(), set())


class OwnCgroup(SubTree, ProgramTest):
    """The node in a sub-tree of cgroup v2 that has been given to it, as by systemd."""

    def start_in(self, group, limits=""):
        """A node, of which also each spare worker can be seen."""
        config = self.folder / "node.toml"
        config.write_text(f"[worker]\nspares = 1\n{limits}\n"
                          f'[state]\ncache = "{self.folder}/cache"\n')
        with self.inside(group):
            return self.start_node("--config", str(config))[0]

    def one_worker(self):
        self.wait_until(lambda: len(self.living()) == 1, "no worker has a group")
        return self.living().pop()

    def test_it_comes_and_goes_with_the_worker(self):
        process = self.start_in(self.root / "agent")
        group = self.one_worker()
        pid = int((group / "cgroup.procs").read_text().split()[0])
        command = pathlib.Path(f"/proc/{pid}/cmdline")
        self.wait_until(lambda: "longwire-worker" in command.read_text(), "not a worker")
        self.assertNotIn("no cgroup of their own", self.log.read_text())
        process.terminate()
        self.assertEqual(process.wait(PATIENCE_S), 0)
        self.assertEqual(self.groups(), set())

    def test_what_a_killed_agent_has_left_goes_with_the_next(self):
        process = self.start_in(self.root / "agent")
        left = self.one_worker()
        process.kill()
        process.wait()
        self.start_in(self.root / "agent")
        self.wait_until(lambda: not left.exists(), "it is left")
        self.assertNotEqual(self.one_worker(), left)

    def test_an_agent_in_the_sub_tree_itself_can_be_started_again(self):
        """As systemd before 254 has it, with a worker that has outlived the agent."""
        process = self.start_in(self.root, 'memory = "1GiB"\nprocesses = 500')
        self.wait_for_log("sandbox.partial.*DelegateSubgroup")
        self.one_worker()
        process.kill()
        process.wait()
        survivor = self.root / "worker-survivor"
        survivor.mkdir()
        sleeper = self.start("sleep", str(PATIENCE_S))
        (survivor / "cgroup.procs").write_text(str(sleeper.pid))
        self.assertEqual((self.root / "cgroup.subtree_control").read_text().strip(), "")
        self.start_in(self.root)
        self.one_worker()
        self.assertEqual(sleeper.wait(PATIENCE_S), -signal.SIGKILL, "it is on no record")

    def test_where_there_is_none_the_log_and_doctor_say_so(self):
        without_shadow_memory()
        plain = self.root / "plain"
        plain.mkdir()
        self.start_in(plain, 'memory = "1GiB"')
        self.wait_for_log("sandbox.partial.*no cgroup of their own")
        self.assertEqual(self.doctors()["outcome"], "warning")

    def test_doctor_finds_them(self):
        self.start_in(self.root / "agent")
        self.assertEqual(self.doctors()["outcome"], "ok")

    def doctors(self):
        config = self.folder / "doctor.toml"
        config.write_text(f'[worker]\nmemory = "1GiB"\n[state]\ndirectory = "{self.folder}/state"\n'
                          f'cache = "{self.folder}/cache"\n')
        said = self.run_program(program("longwire"), "doctor", "--json", "--config", config)
        findings = json.loads(said.stdout)["findings"]
        return next(finding for finding in findings if finding["check"] == "cgroup")


if __name__ == "__main__":
    unittest.main()
