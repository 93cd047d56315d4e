"""A driver that needs or exports too much must be reported."""
import unittest

import driver_deps


class DriverDepsTest(unittest.TestCase):
    def test_a_clean_driver_passes(self):
        self.assertEqual(driver_deps.problems(["libc.so.6"], ["clGetPlatformIDs"]), [])

    def test_a_dependency_is_reported(self):
        self.assertEqual(driver_deps.problems(["libstdc++.so.6"], ["cuInit"]),
                         ["needs libstdc++.so.6"])

    def test_an_exported_internal_symbol_is_reported(self):
        self.assertEqual(driver_deps.problems([], ["clFinish", "_ZN8longwire4base3fooEv"]),
                         ["exports _ZN8longwire4base3fooEv"])

    def test_a_driver_without_exports_is_reported(self):
        self.assertEqual(driver_deps.problems([], []), ["exports nothing"])


if __name__ == "__main__":
    unittest.main()
