"""Every source that reads a peer's bytes is among the DECODES of some fuzz target."""
import os
import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("LONGWIRE_BUILD_DIR", ROOT / "build/release"))
# Begins to read bytes, or parses a file; a function that is given a Reader is its caller's.
BEGINS = re.compile(r"\bReader \w+\(|\btoml::parse\(|[jJ]son::parse\(")


class Decoders(unittest.TestCase):
    def test_each_has_a_fuzz_target(self):
        fuzzed = {line for file in (BUILD / "fuzz").glob("*.decodes")
                  for line in file.read_text().split()}
        self.assertGreater(len(fuzzed), 20)
        found = {str(path.relative_to(ROOT)) for path in (ROOT / "src").rglob("*.cc")
                 if not path.name.startswith("fuzz_") and not path.name.endswith("_test.cc")
                 and BEGINS.search(path.read_text())}
        self.assertGreater(len(found), 10)
        self.assertEqual(sorted(found - fuzzed), [])

    def test_what_is_fuzzed_is_there(self):
        for file in (BUILD / "fuzz").glob("*.decodes"):
            for line in file.read_text().split():
                self.assertTrue((ROOT / line).exists(), f"{line} of {file.stem}")


if __name__ == "__main__":
    unittest.main()
