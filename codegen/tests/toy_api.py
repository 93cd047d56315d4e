"""The toy API that the tests generate from, and copies of it with one thing broken."""

import shutil
import sys
import tempfile
from pathlib import Path

TESTS = Path(__file__).resolve().parent
sys.path.insert(0, str(TESTS.parent))

from longwire_codegen.__main__ import emit, read_api  # noqa: E402
from longwire_codegen.errors import SpecError  # noqa: E402


class ToyApi:
    """A copy in a temporary folder; edit() it, then read() or emit() it."""

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory()
        self.path = Path(self._folder.name)
        shutil.copytree(TESTS / "toy", self.path, dirs_exist_ok=True)

    def close(self):
        self._folder.cleanup()

    def edit(self, file: str, old: str, new: str) -> "ToyApi":
        path = self.path / file
        text = path.read_text()
        assert text.count(old) >= 1, f"{old!r} is not in {file}"
        path.write_text(text.replace(old, new, 1))
        return self

    def line(self, file: str, text: str) -> int:
        """The number of the first line that contains `text`."""
        for number, line in enumerate((self.path / file).read_text().splitlines(), start=1):
            if text in line:
                return number
        raise AssertionError(f"{text!r} is not in {file}")

    def read(self, update_lock: bool = False):
        return read_api(self.path, [self.path / "toy.h"], None, update_lock)

    def emit(self) -> dict:
        return emit(self.read())


__all__ = ["SpecError", "TESTS", "ToyApi"]
