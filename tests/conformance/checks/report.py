"""Collects what was compared, prints it as a table, and decides the exit status."""

import dataclasses
import json
import pathlib

EXIT_SAME = 0
EXIT_DIFFERENT = 1
EXIT_SKIPPED = 77
# How much of a long detail goes to the terminal; all of it goes to the file.
DETAIL_LINES_MAX = 40


@dataclasses.dataclass
class Row:
    case: str
    native: str
    remote: str
    same: bool
    native_seconds: float
    remote_seconds: float
    detail: str


class Report:
    """One check's results. `out` is a folder for the machine-readable copy, or None."""

    def __init__(self, name, mode, out=None):
        self.name = name
        self.mode = mode
        self.out = pathlib.Path(out) if out else None
        self.rows = []

    def add(self, case, native, remote, same, *, native_seconds=0.0, remote_seconds=0.0,
            detail=""):
        row = Row(case, native, remote, same, native_seconds, remote_seconds, detail)
        self.rows.append(row)
        mark = "same" if same else "DIFFERENT"
        print(f"{mark:<9} {case:<58} native {native:<14} {self.mode} {remote:<14} "
              f"{native_seconds:7.1f}s {remote_seconds:7.1f}s", flush=True)
        if not same and detail:
            lines = detail.splitlines()
            for line in lines[:DETAIL_LINES_MAX]:
                print(f"          | {line}", flush=True)
            if len(lines) > DETAIL_LINES_MAX:
                print(f"          | … {len(lines) - DETAIL_LINES_MAX} more lines", flush=True)

    def finish(self):
        different = [row for row in self.rows if not row.same]
        print(f"{self.name} ({self.mode}): {len(self.rows)} compared, {len(different)} different")
        if self.out:
            self.out.mkdir(parents=True, exist_ok=True)
            path = self.out / f"{self.name}-{self.mode}.json"
            path.write_text(json.dumps([dataclasses.asdict(row) for row in self.rows], indent=1))
            print(f"written to {path}")
        return EXIT_DIFFERENT if different or not self.rows else EXIT_SAME
