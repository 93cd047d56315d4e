#!/usr/bin/python3
"""generate.py: what comes out of a line, for each library."""
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
        f = self.functions("[Copies]\ncudaX both ptsz (const void* a, size_t b = 0)\n")[0]
        self.assertEqual((f.symbol, f.section, f.arguments), ("cudaX", "Copies", "a, b"))
        self.assertEqual(f.per_thread(), "cudaX_ptsz")
        self.assertEqual(f.parameters(), "const void* a, size_t b")
        self.assertEqual(f.types(), "const void*, size_t")

    def test_a_wrong_line_stops(self):
        with self.assertRaises(SystemExit):
            self.functions("cudaX 11 - (void)\n")

    def test_each_library_has_its_forms(self):
        all_ = self.functions("cudaA 12 - (int a)\ncudaA 13 - (long a)\ncudaB both ptsz (void)\n")
        self.assertEqual([f.plain for f in all_ if f.is_in("12")], [["int a"], []])
        exports = generate.export_map([f for f in all_ if f.is_in("13")], "13")
        self.assertEqual(exports, "libcudart.so.13 {\n  global:\n    cudaA;\n    cudaB;\n"
                                  "    cudaB_ptsz;\n  local: *;\n};\n")

    def test_what_is_not_supported_says_so(self):
        text = generate.library_source(self.functions("cudaA both - (int a)\n"), set())
        self.assertIn("cudaError_t cudaA(int) { return longwire::cudart::not_supported(); }", text)

    def test_the_default_stream_of_the_thread(self):
        text = generate.header(self.functions("cudaA both ptsz (cudaStream_t stream = 0)\n"))
        self.assertIn("cudaError_t cudaA_ptsz(cudaStream_t stream LW_DEFAULT(0));", text)
        self.assertIn("#define cudaA cudaA_ptsz", text)


if __name__ == "__main__":
    unittest.main()
