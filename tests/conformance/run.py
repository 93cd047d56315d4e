#!/usr/bin/python3
"""Runs one program natively and through the wire and says what differs.

Exit status: 0 the same, 1 different, 77 skipped because something is not installed here.
"""

import argparse
import importlib
import sys

from checks import report, sides

CHECKS = ("clinfo", "clpeak", "hashcat", "ffmpeg", "darktable", "pyopencl", "cts", "programs")
DEFAULT_TIME_LIMIT_S = 120


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="check", required=True)
    for name in CHECKS:
        module = importlib.import_module(f"checks.{name}")
        command = commands.add_parser(name, help=module.__doc__.splitlines()[0],
                                      description=module.__doc__)
        command.add_argument("--mode", choices=(*sides.MODES, "all", "native"),
                             default=getattr(module, "DEFAULT_MODE", "tls"),
                             help="how the private node is reached (default: %(default)s); "
                                  "`native` compares the native driver with itself, to see "
                                  "whether a check is deterministic")
        command.add_argument("--time-limit", type=float, metavar="SECONDS",
                             default=DEFAULT_TIME_LIMIT_S, help="for each run of a program")
        command.add_argument("--out", metavar="DIR", help="also write the results there as JSON")
        if hasattr(module, "add_arguments"):
            module.add_arguments(command)
        command.set_defaults(run=module.run)
    options = parser.parse_args()
    try:
        return run_modes(options)
    except sides.Skip as reason:
        print(f"skipped: {options.check}: {reason}", file=sys.stderr)
        return report.EXIT_SKIPPED


def run_modes(options):
    """Runs the check once, or over every link; the worst result counts."""
    if options.mode != "all":
        return options.run(options)
    results = []
    for options.mode in sides.MODES:
        results.append(options.run(options))
    return max(results)


if __name__ == "__main__":
    sys.exit(main())
