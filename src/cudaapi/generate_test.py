#!/usr/bin/python3
"""generate.py: names, versions and arguments that come out of a line."""
import pathlib
import tempfile
import unittest

import generate


class GenerateTest(unittest.TestCase):
    def functions(self, text):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "f.def")
            path.write_text(text)
            return generate.read_functions(path)

    def test_a_line(self):
        f = self.functions("[Memory]\ncuMemX_v2 3020 ptds (const void* a, size_t b)\n")[0]
        self.assertEqual((f.name, f.symbol, f.version, f.section, f.arguments),
                         ("cuMemX", "cuMemX_v2", 3020, "Memory", "a, b"))
        self.assertEqual(f.per_thread(), "cuMemX_v2_ptds")

    def test_a_wrong_line_stops(self):
        with self.assertRaises(SystemExit):
            self.functions("cuX 2000 (void)\n")

    def test_plain_names_are_the_newest_versions(self):
        text = generate.header(self.functions(
            "cuA 2000 - (void)\ncuA_v2 3020 - (void)\ncuStreamGetCtx 9020 - (void)\n"
            "cuStreamGetCtx_v2 12050 - (void)\ncuGraphInstantiateWithFlags 11040 - (void)\n"))
        self.assertIn("#define cuA cuA_v2", text)
        self.assertNotIn("#define cuStreamGetCtx ", text)

    def test_an_unknown_supported_name_stops(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "supported")
            path.write_text("cuNothing\n")
            with self.assertRaises(SystemExit):
                generate.read_supported(path, self.functions("cuA 2000 - (void)\n"))


if __name__ == "__main__":
    unittest.main()
