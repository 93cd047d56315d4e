"""Whole programs that know nothing of Longwire, natively and over the wire."""
import json
import os
import re
import shutil
import statistics
import subprocess
import tempfile
import time

from . import limits
from .rows import Row

TIME_LIMIT_S = 300
FFMPEG_FRAMES = 24  # two seconds of work
FFMPEG_GRAPH = ("[0]format=yuv420p,hwupload,avgblur_opencl=3,unsharp_opencl,hwdownload,"
                "format=yuv420p[out]")
CLPEAK_FLOAT = re.compile(r"^\s+float16\s*: ([0-9.]+)", re.MULTILINE)


class Missing(Exception):
    """A program is not on this machine; the text says which."""


def find(name, variable=None):
    path = os.environ.get(variable, "") if variable else ""
    found = path or shutil.which(name)
    if not found:
        raise Missing(f"{name} is not installed" + (f" ({variable})" if variable else ""))
    return found


def run(link, command, **more):
    """(standard output, seconds) of one run."""
    environment = dict(link.run_environment(), **more)
    start = time.monotonic()
    done = subprocess.run([str(part) for part in command], env=environment, check=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=TIME_LIMIT_S)
    return done.stdout.decode(errors="replace"), time.monotonic() - start


def clinfo(bench, link):
    program = find("clinfo")
    return limits.CLINFO, "us", [run(link, [program])[1] * 1e6 for _ in range(bench.repeats(5))]


def hashcat(bench, link):
    # Compiled kernels are kept for all links: this is about their speed, not about building.
    home = bench.cache / "hashcat"
    home.mkdir(parents=True, exist_ok=True)
    command = [find("hashcat", "LONGWIRE_HASHCAT"), "-D", "1", "--force", "-b", "-m", 0,
               "--machine-readable", "--quiet"]
    places = {"XDG_CACHE_HOME": str(home), "XDG_DATA_HOME": str(home)}
    speeds = [hashcat_speed(run(link, command, **places)[0]) for _ in range(bench.repeats(3))]
    return "hashcat -b, MD5", "MH/s", [speed / 1e6 for speed in speeds]


def hashcat_speed(out):
    """Hashes per second of device:mode:...:speed."""
    for line in out.splitlines():
        fields = line.split(":")
        if len(fields) >= 6 and fields[1] == "0":
            return float(fields[-1])
    raise ValueError("hashcat told no speed")


def clpeak(bench, link):
    program = find("clpeak", "LONGWIRE_CLPEAK")
    values = []
    for _ in range(bench.repeats(3)):
        out, _ = run(link, [program, "--compute-sp"])
        values.append(float(CLPEAK_FLOAT.search(out)[1]))
    return "clpeak, single precision", "GFLOP/s", values


def microscopy(bench, link):
    values = []
    for _ in range(bench.repeats(3)):
        with tempfile.TemporaryDirectory(prefix="longwire-bench-") as folder:
            out, _ = run(link, [bench.binaries / "microscopy", "--json", "--out", folder])
        values.append(json.loads(out)["seconds"]["restore"] * 1e6)
    return "microscopy, restoring", "us", values


def ffmpeg(bench, link):
    program = find("ffmpeg", "LONGWIRE_FFMPEG")
    command = [program, "-hide_banner", "-nostdin", "-v", "error", "-init_hw_device",
               "opencl=ocl:0.0", "-filter_hw_device", "ocl", "-f", "lavfi", "-i",
               "testsrc2=size=1280x720:rate=25", "-filter_complex", FFMPEG_GRAPH, "-map", "[out]",
               "-frames:v", FFMPEG_FRAMES, "-f", "null", "-"]
    return (f"ffmpeg, blur and sharpen {FFMPEG_FRAMES} frames", "us",
            [run(link, command)[1] * 1e6 for _ in range(bench.repeats(3))])


ALL = (clinfo, microscopy, hashcat, clpeak, ffmpeg)
QUICK = (clinfo, microscopy)


def measure(bench, links, results):
    for program in QUICK if bench.quick else ALL:
        measure_one(bench, program, links, results)


def measure_one(bench, program, links, results):
    for link in links:
        try:
            name, unit, values = program(bench, link)
        except Missing as missing:
            results.skipped.append(f"{program.__name__}: {missing}")
            return
        except (subprocess.SubprocessError, OSError, ValueError, TypeError) as problem:
            results.failed.append(f"{program.__name__} over {link.name}: {describe(problem)}")
            continue
        results.add(Row("programs", name, link.name, unit, statistics.median(values),
                        max(values), len(values)))


def describe(problem):
    tail = (getattr(problem, "stderr", None) or b"").decode(errors="replace").strip()[-300:]
    return f"{problem} {tail}".strip()


def clinfo_round_trips(results, near, far, rtt_ms):
    """How many round trips clinfo takes: what a known delay adds to it."""
    before, after = results.median(limits.CLINFO, near), results.median(limits.CLINFO, far)
    if before is not None and after is not None:
        trips = (after - before) / (rtt_ms * 1e3)
        results.add(Row("programs", limits.CLINFO_TRIPS, far, "count", trips))
