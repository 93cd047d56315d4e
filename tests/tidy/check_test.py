"""./dev check in pieces: --list and --only."""
import pathlib
import subprocess
import unittest

CHECK = pathlib.Path(__file__).parents[2] / "tools" / "check.sh"


def check(*arguments):
    return subprocess.run([CHECK, *arguments], capture_output=True, text=True, check=False)


class Pieces(unittest.TestCase):
    def test_lists_what_it_would_do(self):
        short, long = (check(*words, "--list").stdout.splitlines() for words in ([], ["--long"]))
        self.assertIn("format", short)
        self.assertEqual(long[:len(short)], short)
        self.assertIn("soft CUDA: all of sin, compiled", long)

    def test_does_what_matches_alone(self):
        done = check("--only", "^include layers$")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.count("==> "), 1)
        self.assertRegex(done.stdout, r"include layers +passed")

    def test_refuses_what_matches_nothing(self):
        for wrong in (["--only", "no such step"], ["--only"], ["--unknown"]):
            self.assertEqual(check(*wrong).returncode, 2, wrong)


if __name__ == "__main__":
    unittest.main()
