"""clinfo --raw, natively and through the wire: a diff that must be empty.

Named exceptions, each with its reason, are in clinfo_allowed.txt.
"""

import difflib
import pathlib
import re

from . import report, sides

ALLOWED = pathlib.Path(__file__).resolve().parents[1] / "clinfo_allowed.txt"
# `[POCL/0]    CL_DEVICE_NAME      value`; platform lines that come first have no bracket.
LINE = re.compile(r"^(?:\[[^/\]]*/([^\]]*)\])?\s*(#?\w+)\s*(.*?)\s*$")


def run(options):
    program = sides.require_program("clinfo", "LONGWIRE_CLINFO", "Debian package clinfo")
    native, remote = sides.sides(options.mode)
    result = report.Report("clinfo", options.mode, options.out)
    argv = [program, "--raw"]
    before = native.run(argv, time_limit_s=options.time_limit)
    outcome = remote.run(argv, time_limit_s=options.time_limit)
    after = native.run(argv, time_limit_s=options.time_limit)

    lines, moving = _stable(parse(before.text), parse(after.text))
    allowed, not_offered = read_allowed()
    expected = [_without(line, not_offered) for line in lines if line[1] not in allowed]
    found = [line for line in parse(outcome.text)
             if line[1] not in allowed and line[:2] not in moving]
    for where, key in sorted(moving):
        print(f"note      {where} {key} changes between two native runs; not compared")
    diff = list(difflib.unified_diff(_spell(expected), _spell(found), "native", remote.name,
                                     lineterm="", n=0))
    result.add("clinfo --raw", before.status, outcome.status,
               before.status == outcome.status and not diff and bool(expected),
               native_seconds=before.seconds, remote_seconds=outcome.seconds,
               detail="\n".join(diff) + outcome.error_text)
    _show_exceptions(allowed, parse(before.text), parse(outcome.text))
    return result.finish()


def parse(text):
    """(where, key, value) for every line; where is `platform`, `device 0`, … or `loader`."""
    lines = []
    for text_line in text.splitlines():
        match = LINE.match(text_line)
        if not match or not text_line.strip():
            continue
        scope, key, value = match.groups()
        if key.startswith("CL_ICDL_"):
            where = "loader"
        elif scope is None or scope == "*":
            where = "platform"
        else:
            where = f"device {scope}"
        lines.append((where, key, value))
    return lines


def read_allowed():
    """key -> reason, and the names of extensions that devices may lack."""
    allowed, not_offered = {}, set()
    for line in ALLOWED.read_text().splitlines():
        line = line.split("#", 1)[0] if line.startswith("#") else line
        if line.startswith("extension "):
            not_offered.add(line.split()[1])
        elif line.strip():
            key, reason = line.split(None, 1)
            allowed[key] = reason
    return allowed, not_offered


def _without(line, not_offered):
    """The line of a device's list of extensions, less those that are not offered."""
    where, key, value = line
    if key not in ("CL_DEVICE_EXTENSIONS", "CL_DEVICE_EXTENSIONS_WITH_VERSION"):
        return line
    for name in not_offered:
        value = re.sub(rf"(?<!\S){name}(:\S+)?( |$)", "", value)
    return where, key, value


def _stable(before, after):
    """What two native runs agree on, and the (where, key) of what they do not."""
    moving = {line[:2] for line in set(before) ^ set(after)}
    return [line for line in before if line[:2] not in moving], moving


def _spell(lines):
    return [f"{where}  {key}  {value}" for where, key, value in lines]


def _show_exceptions(allowed, native, remote):
    """Prints the named exceptions that were really needed, and those that no longer are."""
    for key, reason in allowed.items():
        here = [value for _, name, value in native if name == key]
        there = [value for _, name, value in remote if name == key]
        if here == there:
            print(f"exception {key}: not needed here")
        else:
            print(f"exception {key}: {reason}\n          native {here}\n          remote {there}")
