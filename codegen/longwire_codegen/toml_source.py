"""A TOML file with line numbers and comments, which tomllib drops.

Only the subset that our descriptions use is understood by the line scanner: [table.headers] and
`key = value` pairs that begin a line. What it cannot see is reported at its table's line.
"""

import re
import tomllib
from pathlib import Path

from .errors import SpecError

_TABLE = re.compile(r"^\s*\[\s*([A-Za-z0-9_.\-]+)\s*\]\s*(?:#\s*(.*))?$")
_KEY = re.compile(r"^\s*([A-Za-z0-9_.\-]+)\s*=")
_COMMENT = re.compile(r'^(?:[^"#]|"(?:[^"\\]|\\.)*")*#\s*(.*)$')


class TomlSource:
    def __init__(self, path: Path):
        self.path = str(path)
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise SpecError(self.path, 1, f"cannot be read: {error.strerror}") from error
        self._lines: dict[tuple[str, str], int] = {}
        self._comments: dict[tuple[str, str], str] = {}
        self._scan(text)
        self.data = self._parse(text)

    def line(self, table: str, key: str = "") -> int:
        return self._lines.get((table, key)) or self._lines.get((table, ""), 1)

    def comment(self, table: str, key: str = "") -> str:
        return self._comments.get((table, key), "")

    def error(self, table: str, key: str, message: str) -> SpecError:
        return SpecError(self.path, self.line(table, key), message)

    def _scan(self, text: str) -> None:
        table = ""
        for number, line in enumerate(text.splitlines(), start=1):
            key = ""
            if header := _TABLE.match(line):
                table = header.group(1)
            elif pair := _KEY.match(line):
                key = pair.group(1)
            else:
                continue
            self._lines.setdefault((table, key), number)
            if comment := _COMMENT.match(line):
                self._comments.setdefault((table, key), comment.group(1).strip())

    def _parse(self, text: str) -> dict:
        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            where = re.search(r"\(at line (\d+)", str(error))
            line = int(where.group(1)) if where else 1
            what = re.sub(r"\s*\(at .*\)$", "", str(error))
            raise SpecError(self.path, line, what) from error
