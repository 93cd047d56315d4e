"""What a program may do wrong where OpenCL promises nothing natively: through the wire it ends, with
the outcome that docs/RELIABILITY.md names. The rest is in tests/conformance/programs/endings.cc,
which also runs natively."""
import subprocess
import unittest

from programs import BUILD, ProgramTest, program, require_driver

ENDINGS = BUILD / "tests" / "conformance_programs" / "endings"


class Mistakes(ProgramTest):
    def setUp(self):
        super().setUp()
        require_driver()
        if not ENDINGS.exists():
            self.skipTest(f"{ENDINGS} is not built")

    def ends(self, case, status):
        for link in ("unix", "tls"):
            with self.subTest(link=link):
                try:
                    done = self.run_program(program("longwire"), "run", f"--local={link}", "--",
                                            ENDINGS, case)
                except subprocess.TimeoutExpired:
                    self.fail("hangs")
                self.assertEqual(done.returncode, status, done.stdout + done.stderr)

    def test_a_callback_that_blocks(self):
        self.ends("callback-blocks", 13)

    def test_a_callback_that_never_returns(self):
        self.ends("callback-never-returns", 14)

    def test_a_child_that_uses_what_its_parent_has(self):
        self.ends("fork-after-use", 17)

    def test_children_of_a_parent_in_the_middle_of_calls(self):
        self.ends("fork-of-a-busy-parent", 24)

    def test_released_handles_through_the_loader(self):
        self.ends("released-handles", 25)

    def test_descriptors_closed_and_opened_again(self):
        self.ends("descriptors-closed", 21)

    def test_no_descriptors_left(self):
        self.ends("no-descriptors", 22)


if __name__ == "__main__":
    unittest.main()
