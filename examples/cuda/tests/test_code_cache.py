"""Where the soft device's compiled code is kept, and where it is not: a program from its outside."""
import os
import pathlib
import subprocess
import tempfile
import unittest

BUILD = pathlib.Path(os.environ["LONGWIRE_BUILD_DIR"])
PROGRAM = BUILD / "bin/cuda_vector_add"


class CodeCache(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="longwire-cache-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.home = self.folder / "home"
        self.home.mkdir()

    def run_program(self, **variables):
        """What it says on stderr. It must succeed in any case."""
        environment = {"HOME": str(self.home), "LONGWIRE_SOFT_BACKEND": "llvm",
                       "LD_LIBRARY_PATH": str(BUILD / "lib/softcuda"), **variables}
        done = subprocess.run([PROGRAM], env=environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              check=False, timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stderr

    def written(self, folder):
        return [path for path in folder.rglob("*.code")]

    def test_in_the_home_by_default(self):
        self.run_program()
        self.assertTrue(self.written(self.home / ".cache/longwire/softcuda"))

    def test_where_xdg_says(self):
        self.run_program(XDG_CACHE_HOME=str(self.folder / "xdg"))
        self.assertTrue(self.written(self.folder / "xdg/longwire/softcuda"))
        self.assertFalse(self.written(self.home))

    def test_where_the_variable_says(self):
        self.run_program(LONGWIRE_SOFT_CACHE=str(self.folder / "own"),
                         XDG_CACHE_HOME=str(self.folder / "xdg"))
        self.assertTrue(self.written(self.folder / "own"))
        self.assertFalse(self.written(self.home))
        self.assertFalse((self.folder / "xdg").exists())

    def test_off(self):
        for off in ("0", ""):
            self.run_program(LONGWIRE_SOFT_CACHE=off)
        self.run_program(LONGWIRE_SOFT_BACKEND="interp")
        self.assertEqual(list(self.home.iterdir()), [])

    def test_nothing_is_written_twice(self):
        self.run_program()
        before = {path: path.stat().st_ino for path in self.written(self.home)}
        self.run_program()
        self.assertEqual({path: path.stat().st_ino for path in self.written(self.home)}, before)

    def test_a_folder_that_others_can_write_to(self):
        shared = self.folder / "shared"
        shared.mkdir()
        shared.chmod(0o777)
        self.assertIn("others can write", self.run_program(LONGWIRE_SOFT_CACHE=str(shared)))
        self.assertEqual(list(shared.iterdir()), [])

    def test_a_folder_that_cannot_be(self):
        self.assertEqual(self.run_program(LONGWIRE_SOFT_CACHE="/proc/none/cache"), "")

    def test_a_full_disk(self):
        """No file may grow: nothing can be kept."""
        limited = ["bash", "-c", 'trap "" XFSZ; ulimit -f 0; "$0" >/dev/null', str(PROGRAM)]
        done = subprocess.run(limited, check=False, timeout=60, stderr=subprocess.PIPE, env={
            "HOME": str(self.home), "LONGWIRE_SOFT_BACKEND": "llvm", "PATH": os.environ["PATH"],
            "LD_LIBRARY_PATH": str(BUILD / "lib/softcuda")})
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        left = self.home / ".cache/longwire/softcuda"
        self.assertEqual(list(left.iterdir()), [])


if __name__ == "__main__":
    unittest.main()
