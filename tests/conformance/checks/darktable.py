"""darktable-cltest: darktable compiles all its OpenCL kernels, keeps and reloads the binaries."""

import difflib
import pathlib
import re
import tempfile

from . import report, sides

KERNELS = pathlib.Path("/usr/share/darktable/kernels")
# 32 programs compiled from source, some very large.
TIME_LIMIT_S = 900
# The eighth field is `disabled`: darktable disables any CPU until told otherwise. The ninth is the
# speed it would measure, and by which it might switch OpenCL off.
DEVICE_SETTINGS = "0 250 0 16 16 128 0 0 0.010 0.000"
NAME = re.compile(r"CANONICAL NAME:\s*(\S+)")
# Lines that name the platform, or depend on the moment or the memory that happens to be free.
PASSING_LINES = re.compile(
    r"PLATFORM NAME|total mem:|mipmap cache:|available mem:|singlebuff:|KERNEL LOADING TIME:|"
    r"PERFORMANCE:|GLOBAL MEM SIZE:|MAX MEM ALLOC:")
STAMP = re.compile(r"^\d+\.\d+ ")


def run(options):
    program = sides.require_program("darktable-cltest", "LONGWIRE_DARKTABLE_CLTEST",
                                    "Debian package darktable")
    native, remote = sides.sides(options.mode)
    result = report.Report("darktable", options.mode, options.out)
    limit = max(options.time_limit, TIME_LIMIT_S)
    with tempfile.TemporaryDirectory(prefix="longwire-darktable-") as folder:
        name = _canonical_name(native, program, pathlib.Path(folder) / "probe", limit)
        homes = {side: _home(pathlib.Path(folder) / place, name)
                 for side, place in ((native, "here"), (remote, "there"))}
        for case in ("from source", "from kept binaries"):
            here = _cltest(native, program, homes[native], limit)
            there = _cltest(remote, program, homes[remote], limit)
            diff = list(difflib.unified_diff(
                transcript(here, homes[native]), transcript(there, homes[remote]),
                "native", remote.name, lineterm="", n=0))
            same = here.status == there.status == "ok" and not diff
            if "OpenCL successfully initialized" not in here.text:
                diff.append("the native driver did not get through darktable's own test")
                same = False
            result.add(f"darktable-cltest, {case}", here.status, there.status, same,
                       native_seconds=here.seconds, remote_seconds=there.seconds,
                       detail="\n".join(diff) + "\n" + there.error_text)
    return result.finish()


def transcript(outcome, home):
    """darktable's output and the binaries it kept, without times, places and free memory."""
    lines = []
    for line in outcome.text.splitlines():
        if not PASSING_LINES.search(line):
            lines.append(STAMP.sub("", line).replace(str(home), "HOME"))
    kept = sorted(path.name for path in home.glob("cache/darktable/*/*.bin"))
    return lines + [f"kept {name}" for name in kept]


def _canonical_name(native, program, home, limit):
    """darktable's own name for the device, which is how its settings are found."""
    home.mkdir()
    match = NAME.search(_cltest(native, program, home, limit).text)
    if not match:
        raise sides.Skip("darktable-cltest finds no OpenCL device natively")
    return match.group(1)


def _home(home, name):
    settings = home / "config" / "darktable"
    settings.mkdir(parents=True)
    # darktable quotes its own -I; PoCL 3.1 takes the quotes for a part of the path.
    (settings / "darktablerc").write_text(
        f"cldevice_v4_{name}={DEVICE_SETTINGS}\n"
        f"cldevice_v4_{name}_building=-I{KERNELS}\n")
    return home


def _cltest(side, program, home, limit):
    env = {"XDG_CACHE_HOME": str(home / "cache")}
    # darktable-cltest takes no arguments, so its places move by environment; this also moves what
    # `longwire run` keeps below XDG_CONFIG_HOME, which a private node must not depend on.
    env["XDG_CONFIG_HOME"] = str(home / "config")
    return side.run([program], time_limit_s=limit, env=env)
