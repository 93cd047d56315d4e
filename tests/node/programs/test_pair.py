"""Pairing end to end on loopback: longwired, `longwire pair` on both sides, devices, revoke."""
import json
import re
import unittest

from programs import ProgramTest, program


class Pair(ProgramTest):
    def setUp(self):
        super().setUp()
        self.node, self.port = self.start_node()
        self.place = f"127.0.0.1:{self.port}"
        self.state = str(self.folder / "state")

    def show_code(self):
        process = self.start(program("longwire"), "pair", "--state", self.state)
        for line in process.stdout:
            found = re.search(r"longwire pair \S+:(\d+) (\S+)", line)
            if found:
                self.assertEqual(int(found[1]), self.port)
                return process, found[2]
        self.fail(process.stderr.read())
        return None

    def pair(self, code):
        return self.run_program(program("longwire"), "pair", self.place, code)

    def devices(self):
        return self.run_program(program("longwire"), "devices", "--json", "--node", self.place)

    def test_from_strangers_to_friends_and_back(self):
        self.assertEqual(self.devices().returncode, 1)
        desk, code = self.show_code()
        done = self.pair(code.lower().replace("-", " "))  # as people type it
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("Paired with box", done.stdout)
        self.assertEqual(desk.wait(60), 0)
        listed = self.devices()
        self.assertEqual(listed.returncode, 0, listed.stderr)
        self.assertEqual(json.loads(listed.stdout)[0]["answers"], True)
        self.assertIn("box", self.run_program(program("longwire"), "trust", "list").stdout)

        clients = self.run_program(program("longwire"), "trust", "list", "--clients", "--state",
                                   self.state).stdout
        revoked = self.run_program(program("longwire"), "trust", "revoke", clients.split()[0],
                                   "--clients", "--state", self.state)
        self.assertEqual(revoked.returncode, 0, revoked.stderr)
        refused = self.devices()
        self.assertEqual(refused.returncode, 1)
        self.assertIn("not paired", refused.stderr)

    def test_wrong_codes_are_few(self):
        desk, code = self.show_code()
        for _ in range(3):
            done = self.pair("AAAA-AAAA")
            self.assertEqual(done.returncode, 1)
            self.assertIn("code is wrong", done.stderr)
        self.assertEqual(desk.wait(60), 1)  # it gives up
        done = self.pair(code)
        self.assertEqual(done.returncode, 1)
        self.assertIn("not waiting", done.stderr)

    def test_without_an_offer_nobody_pairs(self):
        self.assertIn("not waiting", self.pair("AAAA-AAAA").stderr)

    def test_a_withdrawn_code_is_worth_nothing(self):
        desk, code = self.show_code()
        desk.kill()
        desk.wait(60)
        # The node notices at once, but in its own process.
        for _ in range(100):
            done = self.pair(code)
            if done.returncode != 0:
                break
        self.assertIn("not waiting", done.stderr)

    def test_an_address_has_few_tries_over_all_codes(self):
        for _ in range(2):
            desk, _ = self.show_code()
            for _ in range(3):
                self.assertIn("code is wrong", self.pair("AAAA-AAAA").stderr)
            desk.wait(60)
        desk, code = self.show_code()
        refused = self.pair(code)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("too many pairings", refused.stderr)
        self.assertIsNone(desk.poll())  # the code is good for everybody else

    def test_nonsense_is_usage(self):
        self.assertEqual(self.pair("!!!").returncode, 2)
        self.assertEqual(self.run_program(program("longwire"), "pair", self.place).returncode, 2)

    def test_without_a_node_it_says_what_to_do(self):
        done = self.run_program(program("longwire"), "pair", "--state", str(self.folder / "other"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("longwire serve", done.stderr)


if __name__ == "__main__":
    unittest.main()
