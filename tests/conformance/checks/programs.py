"""Our own self-checking programs (programs/*.cc): transcripts must be the same, byte for byte.

They are built with the tree; LONGWIRE_PROGRAMS_DIR names another folder of them.
"""

import difflib
import os
import pathlib

from . import report, sides

DEFAULT_FOLDER = sides.BUILD / "tests" / "conformance_programs"
DEFAULT_MODE = "all"


def add_arguments(parser):
    parser.add_argument("--only", action="append", metavar="NAME",
                        help="only this program (may be repeated)")


def run(options):
    folder = pathlib.Path(os.environ.get("LONGWIRE_PROGRAMS_DIR", DEFAULT_FOLDER))
    programs = sorted(path for path in folder.glob("*") if os.access(path, os.X_OK))
    if options.only:
        programs = [path for path in programs if path.name in options.only]
    if not programs:
        raise sides.Skip(f"no programs in {folder} (run ./dev build)")
    native, remote = sides.sides(options.mode)
    result = report.Report("programs", options.mode, options.out)
    for path in programs:
        compare(result, native, remote, path.name, [path], options.time_limit)
    return result.finish()


def compare(result, native, remote, name, argv, limit):
    """Adds one row: both must end well and print the same bytes."""
    here = native.run(argv, time_limit_s=limit)
    there = remote.run(argv, time_limit_s=limit)
    diff = list(difflib.unified_diff(here.text.splitlines(), there.text.splitlines(),
                                     "native", remote.name, lineterm="", n=2))
    if here.stdout != there.stdout and not diff:
        diff = ["the same lines, but other bytes"]
    same = here.status == there.status == "ok" and not diff
    result.add(name, here.status, there.status, same, native_seconds=here.seconds,
               remote_seconds=there.seconds,
               detail="\n".join(diff) + "\n" + there.error_text)
