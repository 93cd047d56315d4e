"""Appending to the lock: opcodes, later releases, and what decoders make of them."""

import unittest

from toy_api import ToyApi


class UpdateLock(unittest.TestCase):
    def setUp(self):
        self.toy = ToyApi()
        self.addCleanup(self.toy.close)

    def lock(self) -> str:
        return (self.toy.path / "toy.lock").read_text()

    def test_fields_of_a_later_release_are_optional(self):
        fields = self.toy.read().messages.message("DescribeShop").fields
        self.assertEqual([f.optional for f in fields], [False, True])
        self.assertIn("if (in.ok() && in.remaining() != 0) m.since_later",
                      self.toy.emit()["messages.cc"])

    def test_new_messages_take_the_next_opcode(self):
        self.toy.edit("messages.toml", "[push.PaintDry]", '[message.Sell]\n\n[push.PaintDry]')
        message = self.toy.read(update_lock=True).messages.message("Sell")
        self.assertEqual(message.opcode, 0x1004)
        self.assertIn("0x1004 Sell -\n", self.lock())
        self.assertEqual(self.toy.read().messages.message("Sell").opcode, 0x1004)

    def test_retired_opcodes_stay_retired(self):
        self.toy.read(update_lock=True)
        self.assertIn("0x1001 retired StirPaint", self.lock())

    def test_appended_fields_begin_a_release(self):
        self.toy.edit("messages.toml", 'walls = "handles"', 'walls = "handles"\nhow = "u32"')
        self.toy.read(update_lock=True)
        self.assertIn("push PaintDry walls:handles|how:u32", self.lock())
        self.assertEqual([f.optional for f in self.toy.read().messages.pushes[0].fields],
                         [False, True])

    def test_updating_without_news_changes_nothing_but_the_header(self):
        before = [line for line in self.lock().splitlines() if not line.startswith("#")]
        self.toy.read(update_lock=True)
        after = [line for line in self.lock().splitlines() if not line.startswith("#")]
        self.assertEqual(before, after)

    def test_a_lock_from_nothing(self):
        (self.toy.path / "toy.lock").unlink()
        api = self.toy.read(update_lock=True)
        self.assertEqual([m.opcode for m in api.messages.messages], [0x1000, 0x1001, 0x1002])


if __name__ == "__main__":
    unittest.main()
