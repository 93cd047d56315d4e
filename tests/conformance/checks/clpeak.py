"""clpeak: every metric that is reported natively is reported through the wire, with no error.

The numbers themselves are not compared here; bench/ does that.
"""

import re

from . import report, sides

METRIC = re.compile(r"^(\s+.+?)\s*: ([0-9.eE+-]+)( [a-z]+)?$")
TROUBLE = re.compile(r"error|fail|CL_[A-Z_]+|exception|\bnan\b|\binf\b", re.IGNORECASE)
TIME_LIMIT_S = 600


def run(options):
    program = sides.require_program("clpeak", "LONGWIRE_CLPEAK", "docs/CONFORMANCE.md")
    native, remote = sides.sides(options.mode)
    result = report.Report("clpeak", options.mode, options.out)
    limit = max(options.time_limit, TIME_LIMIT_S)
    here = native.run([program], time_limit_s=limit)
    there = remote.run([program], time_limit_s=limit)
    expected, found = shape(here.text), shape(there.text)
    lost = [line for line in expected if line not in found]
    new = [line for line in found if line not in expected]
    trouble = [line for line in (there.text + there.error_text).splitlines()
               if TROUBLE.search(line)]
    detail = "\n".join([f"lost: {line}" for line in lost] + [f"new: {line}" for line in new] +
                       [f"trouble: {line}" for line in trouble])
    result.add(f"clpeak: {len(expected)} lines", here.status, there.status,
               here.status == there.status == "ok" and bool(expected) and not detail,
               native_seconds=here.seconds, remote_seconds=there.seconds, detail=detail)
    for line in there.text.splitlines():
        if METRIC.match(line):
            print(f"remote    {line}")
    return result.finish()


def shape(text):
    """The output with every section in front of its metrics and without the numbers."""
    lines, section = [], ""
    for line in text.splitlines():
        metric = METRIC.match(line)
        if metric:
            value = float(metric.group(2))
            lines.append(f"{section}/{metric.group(1).strip()}: {'number' if value > 0 else value}")
        elif line.strip() and not line.startswith("Platform:"):
            section = line.strip()
            lines.append(section)
    return lines
