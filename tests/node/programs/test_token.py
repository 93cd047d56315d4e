"""Tokens end to end: a client that was never paired, with a token of an issuer that a node trusts."""
import json
import subprocess
import unittest

from programs import BUILD, PATIENCE_S, ProgramTest, program, require_driver

# Far longer than the test; it is killed, not waited for.
LONG_KERNEL_S = 90


class Token(ProgramTest):
    def setUp(self):
        super().setUp()
        require_driver()
        self.keys = self.folder / "issuer"
        self.keys.mkdir(mode=0o700)
        self.issuer_key = self.keys / "issuer.pem"
        self.issuer = self.ours("token", "new-issuer", self.issuer_key)
        self.state = self.folder / "state"
        config = self.folder / "node.toml"
        config.write_text(f'[tokens]\nissuers = ["{self.issuer}"]\n', encoding="utf-8")
        self.flags = ("--config", str(config))
        self.begin_node()
        self.node_key = self.ours("key", "--node", "--state", self.state)
        self.client_key = self.ours("key")

    def begin_node(self):
        self.node, port = self.start_node(*self.flags)
        self.place = f"127.0.0.1:{port}"

    def ours(self, *argv):
        done = self.run_program(program("longwire"), *argv)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.strip()

    def issue(self, *more, tenant="lab", client=None, node=None):
        path = self.keys / "token"
        self.ours("token", "issue", "--issuer-key", self.issuer_key, "--tenant", tenant, "--node",
                  node or self.node_key, "--client", client or self.client_key, "--out", path,
                  *more)
        return path

    def with_token(self, path):
        return dict(self.environment, LONGWIRE_TOKEN_FILE=str(path))

    def devices(self, path):
        return self.run_program(program("longwire"), "devices", "--json", "--node", self.place,
                                env=self.with_token(path))

    def audit(self):
        return [json.loads(line) for line in
                self.ours("audit", "--json", "--state", self.state).splitlines()]

    def refused(self, path, why):
        done = self.devices(path)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn(why, done.stderr)

    def test_a_token_is_good_once_and_gives_what_it_says(self):
        token = self.issue("--memory", "64MiB", "--device", "0", "--share", "0.25")
        self.assertIn("share    0.25", self.ours("token", "show", token))
        done = self.devices(token)
        self.assertEqual(done.returncode, 0, done.stderr)
        devices = json.loads(done.stdout)[0]["devices"]
        self.assertEqual(len(devices), 1)
        self.assertEqual(devices[0]["memory_bytes"], 64 << 20)
        self.refused(token, "used already")
        self.wait_for_log(r"session\.end.*tenant=lab")
        grant = next(e for e in self.audit() if e["event"] == "session.grant")
        self.assertEqual((grant["issuer"], grant["share_permille"]), (self.issuer, 250))
        begin = next(e for e in self.audit() if e["event"] == "session.begin")
        self.assertEqual((begin["tenant"], begin["key"]), ("lab", self.client_key))

        self.node.terminate()
        self.node.wait(PATIENCE_S)
        self.begin_node()
        self.refused(token, "used already")  # also over a restart

    def test_a_device_that_is_not_there_is_not_shown(self):
        done = self.devices(self.issue("--device", "no-such-device"))
        self.assertEqual(json.loads(done.stdout or "[{}]")[0].get("devices", []), [])

    def test_a_stolen_one_is_worth_nothing_nor_one_of_a_stranger(self):
        self.refused(self.issue(client="0" * 64), "another client")
        self.issuer_key = self.keys / "stranger.pem"
        self.ours("token", "new-issuer", self.issuer_key)
        self.refused(self.issue(), "issuer")
        # A token for another node is not shown to this one, which the client does not know.
        self.refused(self.issue(node="0" * 64), "not been paired")

    def test_a_newer_epoch_ends_the_sessions_of_an_older_one(self):
        busy = subprocess.Popen(
            [program("longwire"), "run", "--node", self.place, "--",
             str(BUILD / "tests" / "long_kernel"), str(LONG_KERNEL_S)],
            env=self.with_token(self.issue("--epoch", "1")), text=True, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        self.addCleanup(self.end, busy)
        self.assertEqual(busy.stdout.readline(), "running\n")
        other = self.issue("--epoch", "2", tenant="other")
        self.assertEqual(self.devices(other).returncode, 0)
        self.assertIsNone(busy.poll())  # that was another tenant's
        self.assertEqual(self.devices(self.issue("--epoch", "2")).returncode, 0)
        self.assertNotEqual(busy.wait(PATIENCE_S), 0)
        self.wait_for_log(r"session\.end.*newer epoch")
        self.refused(self.issue("--epoch", "1"), "epoch that is over")


if __name__ == "__main__":
    unittest.main()
