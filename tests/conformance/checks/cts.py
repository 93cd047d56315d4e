"""Khronos OpenCL-CTS, case by case: what passes natively must pass through the wire.

LONGWIRE_CTS_DIR names the `test_conformance` folder of a finished CTS build.
"""

import json
import os
import pathlib
import re
import tempfile

from . import report, sides

# suite -> (program below LONGWIRE_CTS_DIR, argument lists to run each of its test names with).
SUITES = {
    "api": ("api/test_api", [[]]),
    "basic": ("basic/test_basic", [[]]),
    "buffers": ("buffers/test_buffers", [[]]),
    "events": ("events/test_events", [[]]),
    "compiler": ("compiler/test_compiler", [[]]),
    "images_info": ("images/clGetInfo/test_cl_get_info", [[], ["small_images"]]),
    "images_copy": ("images/clCopyImage/test_cl_copy_images", [[], ["small_images"]]),
    "images_fill": ("images/clFillImage/test_cl_fill_images",
                    [[], ["use_pitches"], ["small_images"]]),
    "images_read_write": ("images/clReadWriteImage/test_cl_read_write_images",
                          [[], ["use_pitches"], ["small_images"]]),
    "images_methods": ("images/kernel_image_methods/test_kernel_image_methods", [[]]),
    "images_samplerless": ("images/samplerlessReads/test_samplerless_reads", [[]]),
    # Every filter, access and kind of channel type once; the full product takes days on a CPU.
    "images_kernel": ("images/kernel_read_write/test_image_streams", [
        ["read", "CL_FILTER_NEAREST", "CL_RGBA", "CL_FLOAT"],
        ["read", "CL_FILTER_NEAREST", "CL_RGBA", "CL_SIGNED_INT32"],
        ["read", "CL_FILTER_NEAREST", "CL_RGBA", "CL_UNSIGNED_INT8"],
        ["read", "CL_FILTER_NEAREST", "CL_RGBA", "CL_UNORM_INT8", "small_images", "UNNORMALIZED"],
        ["read", "CL_FILTER_LINEAR", "CL_RGBA", "CL_UNORM_INT8"],
        ["write", "CL_RGBA", "CL_FLOAT"],
        ["write", "CL_RGBA", "CL_SIGNED_INT32"],
        ["write", "CL_RGBA", "CL_UNSIGNED_INT8", "small_images"],
        ["read", "CL_FILTER_NEAREST", "CL_RGBA", "CL_FLOAT", "CL_MEM_COPY_HOST_PTR"],
        ["read", "CL_FILTER_NEAREST", "CL_RGBA", "CL_FLOAT", "CL_MEM_ALLOC_HOST_PTR"],
        ["read", "CL_FILTER_NEAREST", "CL_RGBA", "CL_FLOAT", "NO_HOST_PTR", "use_pitches"],
    ]),
}
LIST_TIME_LIMIT_S = 60
# How much slower than natively a case may be before it counts as a hang.
REMOTE_TIME_FACTOR = 5
SHAPE = re.compile(r"^[123]D")
PASSING = ("pass", "skip")


def add_arguments(parser):
    parser.add_argument("--suite", action="append", choices=sorted(SUITES),
                        help="only this suite (may be repeated)")
    parser.add_argument("--case", default="", help="only cases that match this regular expression")
    parser.add_argument("--baseline", metavar="DIR",
                        default=os.environ.get("LONGWIRE_CTS_BASELINE"),
                        help="keep native results here and reuse them ($LONGWIRE_CTS_BASELINE)")
    parser.add_argument("--native-only", action="store_true",
                        help="only record the native results in --baseline")
    parser.add_argument("--all-cases", action="store_true",
                        help="also run what natively fails or finds no end")


def run(options):
    folder = os.environ.get("LONGWIRE_CTS_DIR")
    if not folder or not pathlib.Path(folder).is_dir():
        raise sides.Skip("LONGWIRE_CTS_DIR does not name a built OpenCL-CTS "
                         "(docs/CONFORMANCE.md says how to build one)")
    mode = "native" if options.native_only else options.mode
    native, remote = sides.sides(mode)
    result = report.Report("cts", mode, options.out)
    for suite in options.suite or SUITES:
        program, variants = SUITES[suite]
        path = pathlib.Path(folder) / program
        if not path.exists():
            print(f"skipped   {suite}: {path} was not built")
            continue
        baseline = Baseline(options.baseline, suite)
        for arguments, name in _cases(path, variants, options.case):
            case = " ".join([suite, *arguments, name])
            before = baseline.get(arguments, name)
            if before is None:
                before = run_case(native, path, arguments, name, options.time_limit)
                baseline.put(arguments, name, before)
            if options.native_only:
                print(f"{before['status']:<14} {before['seconds']:7.1f}s {case}", flush=True)
                continue
            if before["status"] not in PASSING and not options.all_cases:
                print(f"left out  {case}: natively {before['status']}", flush=True)
                continue
            limit = max(options.time_limit, before["seconds"] * REMOTE_TIME_FACTOR)
            after = run_case(remote, path, arguments, name, limit)
            same = after["status"] == before["status"] or before["status"] not in PASSING
            result.add(case, before["status"], after["status"], same,
                       native_seconds=before["seconds"], remote_seconds=after["seconds"],
                       detail=remote.spell([path, *arguments, name]) + "\n" + after["tail"])
    return report.EXIT_SAME if options.native_only else result.finish()


def _cases(path, variants, pattern):
    names = list_names(path)
    for number, arguments in enumerate(variants):
        for name in names:
            # Names that are no shape of image test an extension, and mean the same in all variants.
            if number > 0 and not SHAPE.match(name):
                continue
            if re.search(pattern, " ".join([*arguments, name])):
                yield arguments, name


def list_names(path):
    """The test names that a CTS program prints at the end of its help."""
    text = sides.Side("native").run([path, "-h"], time_limit_s=LIST_TIME_LIMIT_S).text
    _, found, after = text.partition("Test names:\n")
    if not found:
        raise sides.Skip(f"{path} -h does not list its tests")
    return re.findall(r"^\t(\S+)$", after, re.MULTILINE)


def run_case(side, path, arguments, name, time_limit_s):
    """Runs one test name; the status is pass, fail, skip, timeout or signal:NAME."""
    with tempfile.TemporaryDirectory(prefix="longwire-cts-") as scratch:
        results = pathlib.Path(scratch) / "results.json"
        outcome = side.run([path, *arguments, name], time_limit_s=time_limit_s, cwd=path.parent,
                           env={"CL_CONFORMANCE_RESULTS_FILENAME": str(results)})
        status = outcome.status
        if status == "ok" or status.startswith("exit:"):
            status = _status_from_json(results, name) or ("pass" if status == "ok" else "fail")
    tail = (outcome.text + outcome.error_text).splitlines()[-25:]
    return {"status": status, "seconds": round(outcome.seconds, 2), "tail": "\n".join(tail)}


def _status_from_json(path, name):
    try:
        return json.loads(path.read_text())["results"].get(name)
    except (OSError, ValueError, KeyError):
        return None


class Baseline:
    """Native results of one suite, in a text file: status, seconds, arguments and name."""

    def __init__(self, folder, suite):
        self.path = pathlib.Path(folder) / f"{suite}.txt" if folder else None
        self.known = {}
        if self.path and self.path.exists():
            for line in self.path.read_text().splitlines():
                status, seconds, case = line.split(None, 2)
                self.known[case] = {"status": status, "seconds": float(seconds), "tail": ""}

    def get(self, arguments, name):
        return self.known.get(" ".join([*arguments, name]))

    def put(self, arguments, name, result):
        case = " ".join([*arguments, name])
        self.known[case] = result
        if not self.path:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a") as file:
            file.write(f"{result['status']:<14} {result['seconds']:8.2f} {case}\n")
        if result["status"] not in PASSING:
            logs = self.path.with_suffix(".logs")
            logs.mkdir(exist_ok=True)
            (logs / (re.sub(r"\W+", "_", case) + ".txt")).write_text(result["tail"])
