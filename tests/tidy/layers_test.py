"""The layer check must report every marked line of the fixture tree, and nothing else."""
import pathlib
import fnmatch
import unittest

import layers

ROOT = pathlib.Path(__file__).resolve().parent / "fixtures/layers"


def marked_lines():
    for path in sorted(ROOT.rglob("*")):
        if path.suffix in layers.SOURCE_SUFFIXES:
            for number, line in enumerate(path.read_text().splitlines(), 1):
                if "// EXPECT" in line:
                    yield f"{path.relative_to(ROOT)}:{number}"


class LayersTest(unittest.TestCase):
    def setUp(self):
        self.reported = list(layers.check(ROOT))

    def test_reports_exactly_the_marked_lines(self):
        places = {":".join(line.split(":")[:2]) for line in self.reported}
        folders = {place for place in places if place.startswith("src/utils")}
        self.assertIn("src/utils:1", folders)
        expected = {p for p in marked_lines() if not p.startswith("src/utils/")}
        self.assertEqual(places - folders, expected)

    def test_says_who_includes_whom(self):
        self.assertIn("src/node/node.h:2: node may not include worker/core (worker/core/worker.h)",
                      self.reported)

    def test_a_folder_outside_the_layers_is_reported(self):
        self.assertTrue(any("src/utils/string.h" in line and "in no layer" in line
                            for line in self.reported))

    def test_main_fails_on_the_fixture(self):
        self.assertEqual(layers.main(["layers.py", str(ROOT)]), 1)

    def test_every_allowed_pattern_is_a_known_unit(self):
        known = {pattern for pattern, _ in layers.ALLOWED} | {"gen/*", "gen/wire", "gen/client",
                                                              "gen/worker"}
        for pattern, allowed in layers.ALLOWED:
            for target in allowed:
                self.assertTrue(any(fnmatch.fnmatch(target, unit) for unit in known),
                                f"{target} in the rule of {pattern}")


if __name__ == "__main__":
    unittest.main()
