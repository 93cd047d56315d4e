"""longwire doctor: each fault is made, and must be found, named and given a mend."""
import ctypes
import json
import os
import platform
import re
import socket
import struct
import subprocess
import threading
import time
import unittest

from programs import BUILD, PATIENCE_S, ProgramTest, program, require, require_driver

# seccomp(2) and landlock_create_ruleset(2), by machine.
CAGE_CALLS = {"x86_64": (317, 444), "aarch64": (277, 444)}
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 22, 38, 2
HANDSHAKE_BYTES = 4000  # less than the session's opening, more than any packet
DOZES_AFTER_S = 0.15
WAKES_IN_S = 0.06


def forbid_calls(numbers):
    """In this process, as a container's filter may: they fail with EPERM."""
    load, is_equal, answer, allow, eperm = 0x20, 0x15, 0x06, 0x7FFF0000, 0x00050001
    lines = [(load, 0, 0, 0)]
    for number in numbers:
        lines += [(is_equal, 0, 1, number), (answer, 0, 0, eperm)]
    lines.append((answer, 0, 0, allow))
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in lines))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(lines),
                                                      ctypes.addressof(code)))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 or libc.prctl(
            PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


class FaultyWire:
    """A proxy on loopback that swallows large pieces, or falls asleep where nothing is sent."""

    def __init__(self, target_port, largest=None, dozes=False):
        self.target, self.largest, self.dozes = target_port, largest, dozes
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.open = [self.listener]
        threading.Thread(target=self.accept_all, daemon=True).start()

    def close(self):
        for end in self.open:
            end.close()

    def accept_all(self):
        while True:
            try:
                near, _ = self.listener.accept()
                far = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                return
            self.open += [near, far]
            for end in (near, far):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for ends in ((near, far), (far, near)):
                threading.Thread(target=self.forward, args=ends, daemon=True).start()

    def forward(self, source, sink):
        try:
            while True:
                began = time.monotonic()
                data = source.recv(1 << 16)
                if not data:
                    return sink.shutdown(socket.SHUT_WR)
                if self.largest and len(data) > self.largest:
                    return None  # as a router does that drops what must not be cut: for ever
                if self.dozes and time.monotonic() - began > DOZES_AFTER_S:
                    time.sleep(WAKES_IN_S)
                sink.sendall(data)
        except OSError:
            return None


class Doctor(ProgramTest):
    def setUp(self):
        super().setUp()
        require_driver()
        self.driver = (BUILD / "lib" / "liblongwire_opencl.so").resolve()
        # The loader finds us: what else is wrong is then the test's.
        self.vendors = self.driver
        self.before_it_runs = None

    def examine(self, *flags):
        environment = {**self.environment, "OCL_ICD_VENDORS": str(self.vendors)}
        environment.pop("OCL_ICD_FILENAMES", None)
        done = self.run_program(program("longwire"), "doctor", "--json", *flags, env=environment,
                                preexec_fn=self.before_it_runs)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual(done.returncode, 1 if report["problems"] else 0)
        return report["findings"]

    def find(self, findings, check, about=None):
        found = [f for f in findings if f["check"] == check and about in (None, f["about"])]
        self.assertEqual(len(found), 1, f"{check}: {findings}")
        if found[0]["outcome"] in ("warning", "problem"):
            self.assertTrue(found[0]["mend"], found[0])
        return found[0]

    def assert_found(self, findings, check, outcome, seen="", mend=""):
        found = self.find(findings, check)
        self.assertEqual(found["outcome"], outcome, found)
        self.assertTrue(re.search(seen, found["seen"]), found)
        self.assertTrue(re.search(mend, found["mend"]), found)


class Client(Doctor):
    def test_no_node_is_configured(self):
        self.assert_found(self.examine(), "nodes", "problem", mend="LONGWIRE_NODES")

    def test_a_wrong_configuration_names_its_line(self):
        home = self.folder / "home"
        home.mkdir(mode=0o700)
        (home / "config.toml").write_text('nodes = ["a"]\nnods = 3\n')
        self.assert_found(self.examine(), "config", "problem", seen=r"config\.toml: line 2: .*nods")

    def test_the_driver_is_switched_off(self):
        self.environment["LONGWIRE_DISABLE"] = "1"
        self.assert_found(self.examine(), "disabled", "problem", mend="unset LONGWIRE_DISABLE")

    def test_the_loader_looks_elsewhere(self):
        self.vendors = self.folder
        findings = self.examine()
        self.assert_found(findings, "icd-variables", "problem", mend="unset OCL_ICD_VENDORS")
        self.assert_found(findings, "loader", "problem", seen="does not load Longwire")

    def test_the_loader_finds_another_copy(self):
        copy = self.folder / "liblongwire_opencl.so"
        copy.write_bytes(self.driver.read_bytes())
        self.vendors = copy
        self.assert_found(self.examine(), "loader", "warning", seen=re.escape(str(copy)))

    def test_the_loader_finds_another_version(self):
        version = self.run_program(program("longwire"), "--version").stdout.split()[1].encode()
        copy = self.folder / "liblongwire_opencl.so"
        other = b"9" * version.index(b".") + version[version.index(b"."):]
        copy.write_bytes(self.driver.read_bytes().replace(b"OpenCL 3.0 Longwire " + version,
                                                          b"OpenCL 3.0 Longwire " + other))
        self.vendors = copy
        self.assert_found(self.examine(), "loader", "problem", seen=f"Longwire {other.decode()}")

    def test_a_key_that_others_may_read(self):
        home = self.folder / "home"
        home.mkdir(mode=0o700)
        (home / "identity.pem").write_text("not a key")
        (home / "identity.pem").chmod(0o644)
        self.assert_found(self.examine(), "keys", "problem", mend="chmod 600")
        (home / "identity.pem").chmod(0o600)
        self.assert_found(self.examine(), "keys", "problem", mend="pair again")

    def test_people_read_it(self):
        done = self.run_program(program("longwire"), "doctor")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"(?m)^this machine\n")
        self.assertRegex(done.stdout, r"(?m)^  problem +nodes +no node")
        self.assertRegex(done.stdout, r"\d problems?, \d warnings?\.\n$")
        wrong = self.run_program(program("longwire"), "doctor", "--node", "unix:relative")
        self.assertEqual(wrong.returncode, 2)


class Node(Doctor):
    def start_plain_node(self):
        process = self.start(program("longwired"), "--no-tls", "--plain", "127.0.0.1:0", "--no-unix",
                             "--state", self.folder / "state")
        for line in process.stderr:
            if found := re.search(r"endpoint=tcp://127\.0\.0\.1:(\d+)", line):
                threading.Thread(target=process.stderr.read, daemon=True).start()
                return int(found[1])
        self.fail("no endpoint")
        return None

    def test_nothing_is_wrong_with_a_good_one(self):
        place = f"tcp:127.0.0.1:{self.start_plain_node()}"
        findings = [f for f in self.examine("--node", place) if f["about"] == place]
        self.assertNotIn("problem", [f["outcome"] for f in findings], findings)
        for check in ("name", "connect", "session", "version", "clock", "large-messages", "devices",
                      "rate"):
            self.assertEqual(self.find(findings, check)["outcome"], "ok", check)

    def test_nobody_listens(self):
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        self.assert_found(self.examine("--node", f"127.0.0.1:{port}"), "connect", "problem",
                          mend="longwired is not running")

    def test_a_name_that_does_not_exist(self):
        self.assert_found(self.examine("--node", "nothing.invalid"), "name", "problem")

    def test_a_stranger(self):
        _, port = self.start_node()
        self.assert_found(self.examine("--node", f"127.0.0.1:{port}"), "session", "problem",
                          mend=f"longwire pair 127.0.0.1:{port}")

    def test_a_pairing_that_was_taken_back(self):
        _, port = self.start_node()
        place, state = f"127.0.0.1:{port}", self.folder / "state"
        desk = self.start(program("longwire"), "pair", "--state", state)
        code = next(found[1] for line in desk.stdout
                    if (found := re.search(r"longwire pair \S+:\d+ (\S+)", line)))
        self.assertEqual(self.run_program(program("longwire"), "pair", place, code).returncode, 0)
        self.assertEqual(desk.wait(PATIENCE_S), 0)
        self.assertEqual(self.find(self.examine("--node", place), "session")["outcome"], "ok")
        clients = self.run_program(program("longwire"), "trust", "list", "--clients", "--state",
                                   state).stdout
        self.run_program(program("longwire"), "trust", "revoke", clients.split()[0], "--clients",
                         "--state", state)
        self.assert_found(self.examine("--node", place), "session", "problem",
                          mend="longwire pair")

    def test_a_wire_that_swallows_large_packets(self):
        wire = FaultyWire(self.start_plain_node(), largest=HANDSHAKE_BYTES)
        self.addCleanup(wire.close)
        self.assert_found(self.examine("--node", f"tcp:127.0.0.1:{wire.port}"), "large-messages",
                          "problem", seen="small messages get through", mend="mtu")

    def test_a_radio_that_dozes(self):
        wire = FaultyWire(self.start_plain_node(), dozes=True)
        self.addCleanup(wire.close)
        self.assert_found(self.examine("--node", f"tcp:127.0.0.1:{wire.port}"), "power-saving",
                          "warning", mend="power_save off")


class Machine(Doctor):
    def setUp(self):
        super().setUp()
        self.state = self.folder / "state"
        self.config = self.folder / "node.toml"

    def examine_machine(self, more=""):
        self.config.write_text(f'[listen]\ntls = ["127.0.0.1:{self.port}"]\nunix = ""\n'
                               f'[state]\ndirectory = "{self.state}"\n'
                               f'cache = "{self.folder / "cache"}"\n{more}')
        return self.examine("--config", self.config)

    @property
    def port(self):
        return self.taken.getsockname()[1]

    @property
    def taken(self):
        if not hasattr(self, "_taken"):
            self._taken = socket.create_server(("127.0.0.1", 0))
            self.addCleanup(self._taken.close)
        return self._taken

    def test_no_agent_and_its_port_is_taken(self):
        findings = self.examine_machine()
        self.assert_found(findings, "agent", "warning", mend="longwired")
        self.assert_found(findings, "ports", "problem", seen=str(self.port), mend="ss -ltnp")
        self.assertEqual(self.find(findings, "state")["outcome"], "skipped")

    def test_an_open_state(self):
        self.state.mkdir()
        self.state.chmod(0o755)
        self.assert_found(self.examine_machine(), "state", "problem", mend="chmod 700")

    def test_an_agent_that_runs(self):
        self.start_node()
        findings = self.examine("--state", self.state)
        self.assertEqual(self.find(findings, "agent")["outcome"], "ok")
        self.assertEqual(self.find(findings, "state")["outcome"], "ok")
        self.assertEqual(self.find(findings, "seccomp")["outcome"], "ok")

    def test_a_sandbox_that_is_off(self):
        self.assert_found(self.examine_machine('[worker]\nsandbox = "off"\n'), "sandbox", "warning")

    def test_a_container_that_forbids_the_cage(self):
        calls = CAGE_CALLS.get(platform.machine())
        if calls is None:
            self.skipTest(f"the numbers of the calls on {platform.machine()} are not known here")
        self.before_it_runs = lambda: forbid_calls(calls)
        findings = self.examine_machine()
        self.assert_found(findings, "seccomp", "problem", seen="not permitted", mend="allow")
        self.assert_found(findings, "landlock", "warning", mend="container")

    def test_a_wrong_configuration_of_the_node(self):
        self.assert_found(self.examine_machine("[limits]\nsesions = 3\n"), "node-config", "problem",
                          seen="sesions")

    def test_a_full_disk(self):
        require("unshare")
        self.state.mkdir(mode=0o700)
        mount = ["unshare", "--mount", "mount", "-t", "tmpfs", "-o", "size=64k", "none", self.state]
        if os.geteuid() != 0 or subprocess.run(mount, capture_output=True,
                                               check=False).returncode != 0:
            self.skipTest("needs root who may mount")
        done = self.run_program("unshare", "--mount", "sh", "-c",
                                'mount -t tmpfs -o size=64k,mode=700 none "$2" && '
                                'exec "$1" doctor --json --state "$2"', "sh", program("longwire"),
                                self.state)
        self.assert_found(json.loads(done.stdout)["findings"], "disk", "problem", mend="make room")

    def test_no_device_to_lend(self):
        # The loader finds our own driver alone, which a node does not lend.
        self.assert_found(self.examine_machine(), "platforms", "problem", mend="OpenCL driver")


if __name__ == "__main__":
    unittest.main()
