"""Revocation of a client whose session runs, and what the audit log says of it all."""
import json
import os
import re
import subprocess
import unittest

from programs import BUILD, PATIENCE_S, ProgramTest, program, require_driver

# Far longer than the test; it is killed, not waited for.
LONG_KERNEL_S = 90


class Revoke(ProgramTest):
    def setUp(self):
        super().setUp()
        self.node, self.port = self.start_node()
        self.place = f"127.0.0.1:{self.port}"
        self.state = str(self.folder / "state")

    def pair(self):
        desk = self.start(program("longwire"), "pair", "--state", self.state)
        code = next(found[1] for found in
                    (re.search(r"longwire pair \S+:\d+ (\S+)", line) for line in desk.stdout)
                    if found)
        done = self.run_program(program("longwire"), "pair", self.place, code)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(desk.wait(PATIENCE_S), 0)

    def clients(self, *argv):
        done = self.run_program(program("longwire"), "trust", *argv, "--clients", "--state",
                                self.state)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def audit(self, *argv):
        done = self.run_program(program("longwire"), "audit", "--json", "--state", self.state,
                                *argv)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def busy_client(self):
        """A client of the node that is inside a kernel, and would be for long."""
        require_driver()
        client = BUILD / "tests" / "long_kernel"
        process = subprocess.Popen(
            [program("longwire"), "run", "--node", self.place, "--", str(client), str(LONG_KERNEL_S)],
            env=self.environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(self.end, process)
        self.assertEqual(process.stdout.readline(), "running\n")
        return process

    def test_a_revoked_clients_session_ends_at_once(self):
        self.pair()
        client = self.busy_client()
        worker = int(self.wait_for_log(r"session\.start.*program=long_kernel.* pid=(\d+)")[1])
        name = self.clients("list").split()[0]
        self.clients("revoke", name)
        self.assertNotEqual(client.wait(PATIENCE_S), 0)
        self.wait_for_log(r'session\.end.*outcome=ended reason="the client\'s key has been revoked"')
        with self.assertRaises(ProcessLookupError):
            os.kill(worker, 0)
        refused = self.run_program(program("longwire"), "devices", "--node", self.place)
        self.assertIn("not paired", refused.stderr)

        events = self.audit()
        self.assertEqual([e["event"] for e in events if e["event"] != "session.begin"][:2],
                         ["pairing.open", "pairing.done"])
        key = next(e["key"] for e in events if e["event"] == "pairing.done")
        revoked = next(e for e in events if e["event"] == "trust.revoked")
        self.assertEqual((revoked["client"], revoked["key"]), (name, key))
        ended = next(e for e in events if e["event"] == "session.end")
        self.assertEqual((ended["client"], ended["key"], ended["tenant"]), (name, key, "default"))
        self.assertGreater(ended["bytes_in"] + ended["duration_ms"], 0)
        self.assertEqual(next(e["key"] for e in events if e.get("purpose") == "session"), key)
        self.assertEqual(self.audit("--tenant", "nobody"), [])
        self.assertEqual(self.audit("--since", "2999"), [])

    def test_others_are_left_alone(self):
        self.pair()
        client = self.busy_client()
        nobody = "nobody " + "0" * 64 + " default 2026-01-01\n"
        path = self.folder / "state" / "clients"
        path.write_text(path.read_text() + nobody)
        self.clients("revoke", "nobody")
        self.assertEqual(self.run_program(program("longwire"), "devices", "--node",
                                          self.place).returncode, 0)
        self.assertIsNone(client.poll())
        self.clients("revoke", self.clients("list").split()[0])
        self.assertNotEqual(client.wait(PATIENCE_S), 0)


if __name__ == "__main__":
    unittest.main()
