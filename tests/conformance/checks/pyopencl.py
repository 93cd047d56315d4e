"""Programs with Debian's python3-pyopencl (pyopencl/*.py): the same output natively and remotely."""

import os
import pathlib

from . import programs, report, sides

SCRIPTS = pathlib.Path(__file__).resolve().parents[1] / "pyopencl"
PYTHON = os.environ.get("LONGWIRE_PYTHON", "/usr/bin/python3")


def run(options):
    probe = sides.Side("native").run([PYTHON, "-c", "import pyopencl, numpy"], time_limit_s=60)
    if probe.status != "ok":
        raise sides.Skip(f"{PYTHON} cannot import pyopencl (Debian package python3-pyopencl)")
    native, remote = sides.sides(options.mode)
    result = report.Report("pyopencl", options.mode, options.out)
    for script in sorted(SCRIPTS.glob("*.py")):
        if not script.name.startswith("_"):
            # -B and no cache of compiled programs: each side must build everything itself.
            programs.compare(result, native, remote, script.stem, [PYTHON, "-B", script],
                             options.time_limit)
    return result.finish()
