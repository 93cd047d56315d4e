"""Rotation of keys, by a client and by a node that runs: the others follow without pairing again."""
import json
import re
import shutil
import subprocess
import unittest

from programs import BUILD, PATIENCE_S, ProgramTest, program, require_driver

# Far longer than the test; it is killed, not waited for.
LONG_KERNEL_S = 90


class Rotate(ProgramTest):
    def node_with(self, keys=""):
        config = self.folder / "node.toml"
        config.write_text(f"[keys]\n{keys}\n", encoding="utf-8")
        self.node, port = self.start_node("--config", str(config))
        self.place = f"127.0.0.1:{port}"
        self.state = self.folder / "state"
        self.home = self.folder / "home"
        self.pair()

    def pair(self):
        desk = self.start(program("longwire"), "pair", "--state", self.state)
        code = next(found[1] for found in
                    (re.search(r"longwire pair \S+:\d+ (\S+)", line) for line in desk.stdout)
                    if found)
        self.ours("pair", self.place, code)
        self.assertEqual(desk.wait(PATIENCE_S), 0)

    def ours(self, *argv):
        done = self.run_program(program("longwire"), *argv)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.strip()

    def devices(self, home=None):
        environment = dict(self.environment, LONGWIRE_CONFIG_HOME=str(home or self.home))
        return self.run_program(program("longwire"), "devices", "--node", self.place,
                                env=environment)

    def works(self, home=None):
        done = self.devices(home)
        self.assertEqual(done.returncode, 0, done.stderr)

    def refused(self, why, home=None):
        done = self.devices(home)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn(why, done.stderr)

    def copy_of_home(self, name):
        """As another machine has it, or a thief."""
        return shutil.copytree(self.home, self.folder / name)

    def rotate(self, home):
        environment = dict(self.environment, LONGWIRE_CONFIG_HOME=str(home))
        done = self.run_program(program("longwire"), "key", "rotate", env=environment)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.strip()

    def audit(self, event):
        lines = self.ours("audit", "--json", "--state", self.state).splitlines()
        return [line for line in map(json.loads, lines) if line["event"] == event]

    def clients(self):
        return self.ours("trust", "list", "--clients", "--state", self.state).splitlines()

    def test_a_client_is_recognised_with_its_new_key(self):
        self.node_with()
        old = self.ours("key")
        name = self.clients()[0].split()[0]
        copy = self.copy_of_home("copy")
        new = self.ours("key", "rotate")
        self.assertNotEqual(new, old)
        self.assertEqual(self.ours("key"), new)
        self.works()
        followed, = self.audit("key.followed")
        self.assertEqual((followed["client"], followed["key"], followed["replaces"]),
                         (name, new, old))
        replaced, current = self.clients()
        self.assertIn("replaced, still accepted", replaced)
        self.assertEqual(current.split()[:2], [name, "default"])
        # A machine that shares the old key has the overlap to get the new one.
        self.works(copy)
        self.works()
        self.assertEqual(len(self.audit("key.followed")), 1)
        # Revoked by either key's name, nothing of it is left.
        self.ours("trust", "revoke", old, "--clients", "--state", self.state)
        self.refused("not paired")
        self.refused("not paired", copy)

    def test_after_the_overlap_the_old_key_is_refused(self):
        self.node_with("overlap_s = 0")
        copy = self.copy_of_home("copy")
        self.rotate(self.home)
        self.works()
        self.refused("replaced by a newer one", copy)
        # Nor does it help to rotate the copy: the first heir is the only one.
        self.rotate(copy)
        self.refused("replaced by another already", copy)
        self.works()

    def test_several_rotations_while_the_node_was_not_asked(self):
        self.node_with("overlap_s = 0")
        for _ in range(3):
            self.rotate(self.home)
        self.works()
        self.assertEqual(len(self.clients()), 2)

    def test_the_operator_may_forbid_it(self):
        self.node_with("accept_rotation = false")
        self.rotate(self.home)
        self.refused("accept_rotation")
        self.assertEqual(len(self.clients()), 1)

    def test_a_running_session_outlives_the_rotation_of_both_keys(self):
        require_driver()
        self.node_with("overlap_s = 0")
        busy = subprocess.Popen(
            [program("longwire"), "run", "--node", self.place, "--",
             str(BUILD / "tests" / "long_kernel"), str(LONG_KERNEL_S)],
            env=self.environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(self.end, busy)
        self.assertEqual(busy.stdout.readline(), "running\n")
        self.rotate(self.home)
        self.ours("key", "rotate", "--node", "--state", self.state)
        self.works()
        self.works()
        self.assertIsNone(busy.poll())
        name = self.clients()[0].split()[0]
        self.ours("trust", "revoke", name, "--clients", "--state", self.state)
        self.assertNotEqual(busy.wait(PATIENCE_S), 0)

    def test_a_node_is_recognised_with_its_new_key(self):
        self.node_with()
        old = self.ours("key", "--node", "--state", self.state)
        away = self.copy_of_home("away")
        new = self.ours("key", "rotate", "--node", "--state", self.state)
        self.works()
        listed = (self.home / "nodes").read_text(encoding="utf-8").splitlines()[1:]
        self.assertEqual([line.split()[1] for line in listed], [old, new])
        self.assertIn(" until=", listed[0])
        rotated, = self.audit("key.rotated")
        self.assertEqual((rotated["key"], rotated["replaces"]), (new, old))
        self.assertIn("by", rotated)
        # One that was away meanwhile, also over a restart of the node and one more rotation.
        self.node.terminate()
        self.node.wait(PATIENCE_S)
        self.ours("key", "rotate", "--node", "--state", self.state)
        self.node, port = self.start_node()
        self.place = f"127.0.0.1:{port}"
        self.works(away)
        self.works()

    def test_another_nodes_statement_is_worth_nothing(self):
        self.node_with()
        # A key of the client's kind, in the node's place.
        identity = self.state / "identity.pem"
        environment = dict(self.environment, LONGWIRE_CONFIG_HOME=str(self.state))
        self.assertEqual(self.run_program(program("longwire"), "key", "rotate",
                                          env=environment).returncode, 0)
        self.refused("not been paired")
        identity.unlink()
        self.refused("not been paired")


if __name__ == "__main__":
    unittest.main()
