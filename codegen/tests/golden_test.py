"""What the generator writes for the toy API, compared with golden/.

After a change that is meant: LONGWIRE_UPDATE_GOLDEN=1 /usr/bin/python3 codegen/tests/golden_test.py
and review the difference.
"""

import os
import unittest

from toy_api import TESTS, ToyApi

GOLDEN = TESTS / "golden"
FILES = (
    "messages.h", "messages.cc", "opcodes.h", "message_visit.h", "native_api.h", "native_api.cc",
    "worker_dispatch.h", "worker_dispatch.cc", "client_api.h", "client_checks.h", "client_auto.cc",
    "entry.h", "entry.cc", "function_list.h", "trace.cc", "mock_native.h", "test_handlers.h",
    "exports.map",
)


class Golden(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        toy = ToyApi()
        cls.emitted = toy.emit()
        toy.close()
        if os.environ.get("LONGWIRE_UPDATE_GOLDEN"):
            for name in FILES:
                (GOLDEN / name).write_text(cls.emitted[name])

    def test_files_are_as_reviewed(self):
        for name in FILES:
            with self.subTest(name):
                self.assertEqual((GOLDEN / name).read_text(), self.emitted[name])

    def test_nothing_is_emitted_unseen(self):
        seen = set(FILES) | {"trace.h", "exports.cc", "fuzz_seeds.txt"}
        unseen = {n for n in self.emitted if not n.startswith("fuzz_seeds/")} - seen
        self.assertEqual(unseen, set())

    def test_generating_twice_gives_the_same(self):
        toy = ToyApi()
        self.addCleanup(toy.close)
        self.assertEqual(toy.emit(), self.emitted)

    def test_one_seed_per_message_push_and_reply(self):
        seeds = [n for n in self.emitted if n.startswith("fuzz_seeds/")]
        self.assertEqual(seeds, [
            "fuzz_seeds/000_EnqueuePaint.bin", "fuzz_seeds/001_CreateBrush.bin",
            "fuzz_seeds/002_DescribeShop.bin", "fuzz_seeds/003_DescribeShop_Reply.bin",
            "fuzz_seeds/004_PaintDry.bin",
        ])
        self.assertEqual(self.emitted[seeds[2]].hex(), "0200000000000000" + "0700000000000000" * 2)


if __name__ == "__main__":
    unittest.main()
