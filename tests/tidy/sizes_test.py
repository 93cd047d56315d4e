"""The size ratchet must see through C++'s shapes, report what is too long, and only shrink."""
import pathlib
import unittest

import sizes

ROOT = pathlib.Path(__file__).resolve().parent / "fixtures/sizes"
LONG = ("src/base/long.cc", "long_one")


class SizesTest(unittest.TestCase):
    def test_tells_functions_from_other_braces(self):
        measured = sizes.sizes_of(ROOT / "src/base/shapes.cc")
        del measured["file"]
        self.assertEqual({name: size for name, (size, _) in measured.items()},
                         {"sum": 1, "Wide": 2, "operator==": 1, "free_function": 7, "plain": 1})

    def test_reports_what_is_over_its_limit(self):
        self.assertEqual(sizes.oversized(ROOT), {
            LONG: 41,
            ("src/base/long.h", "file"): 601,
            ("tools/long.py", "long_python"): 41,
        })

    def test_main_fails_on_the_fixture(self):
        self.assertEqual(sizes.main(["sizes.py", str(ROOT)]), 1)

    def test_an_entry_of_the_ratchet_allows_its_size_and_no_more(self):
        self.assertEqual(list(sizes.report({LONG: 41}, {LONG: 41})), [])
        self.assertEqual(list(sizes.report({LONG: 42}, {LONG: 41})),
                         ["src/base/long.cc: long_one has 42 lines, the limit is 41"])

    def test_update_only_shrinks(self):
        self.assertEqual(sizes.update({LONG: 50}, {LONG: 60}, accept=False), {LONG: 50})
        self.assertEqual(sizes.update({LONG: 70}, {LONG: 60}, accept=False), {LONG: 60})
        self.assertEqual(sizes.update({}, {LONG: 60}, accept=False), {})
        self.assertEqual(sizes.update({LONG: 70}, {}, accept=False), {})
        self.assertEqual(sizes.update({LONG: 70}, {}, accept=True), {LONG: 70})


if __name__ == "__main__":
    unittest.main()
