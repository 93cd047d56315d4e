#!/usr/bin/python3
"""Runs the fuzz targets of build/fuzz, after their canaries; `./dev fuzz` builds both.

60 seconds each, or so long that all of them take N hours together. Prints executions, coverage and
crashes; a crash, or a canary that lives, is exit status 1. New inputs stay in build/fuzz/corpus, those
that crash in build/fuzz/artifacts. --coverage fuzzes nothing: it says how much of the decoders (see
DECODES in cmake/Longwire.cmake) seeds, regressions and corpus reach.
"""
import argparse
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "fuzz"
COVERAGE = ROOT / "build" / "coverage"
CORPUS = BUILD / "corpus"
SEEDS = BUILD / "seeds"
ARTIFACTS = BUILD / "artifacts"
REGRESSIONS = ROOT / "tests" / "fuzz" / "regressions"
SECONDS = 60
# Huge and slow are failures: no decoder needs more for an input of at most a few 100 KiB.
SLOW_SECONDS = 10
LIMITS = ["-rss_limit_mb=2048", "-malloc_limit_mb=512", f"-timeout={SLOW_SECONDS}"]
QUIET = ["-close_fd_mask=3", "-print_final_stats=1"]
# A canary's bug is found within this, or the fuzzer fuzzes nothing.
CANARY_RUNS = 2_000_000
CANARY_CPU_SECONDS = 300  # of a processor, so that a busy machine lets none live


@dataclasses.dataclass
class Result:
    name: str
    executions: int = 0
    edges: int = 0
    inputs: int = 0
    peak_mb: int = 0
    cpu_s: int = 0
    failed: bool = False
    artifacts: list = dataclasses.field(default_factory=list)


def targets(kind, names=()):
    found = sorted(p for p in (BUILD / "fuzz").glob(f"{kind}_*")
                   if p.is_file() and not p.suffix and os.access(p, os.X_OK))
    chosen = [p for p in found if not names or p.name.split("_", 1)[1] in names or p.name in names]
    if names and not chosen and kind == "fuzz":
        sys.exit(f"fuzz: no such target; there are {', '.join(p.name for p in found)}")
    return chosen


def write_seeds(binary):
    folder = SEEDS / binary.name.replace("canary_", "fuzz_")
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([binary], env={**os.environ, "LONGWIRE_FUZZ_SEEDS": str(folder)}, check=True,
                   stdout=subprocess.DEVNULL)
    return folder


def libfuzzer(binary, arguments, log, cpu_limit_s=resource.RLIM_INFINITY):
    """Exit status, what it said (also in the file `log`), and seconds of a processor."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "wb") as out, \
            subprocess.Popen([binary, *LIMITS, *QUIET, *map(str, arguments)], stdout=out,
                             stderr=subprocess.STDOUT) as process:
        # Its soft limit ends it in order, by SIGXCPU.
        resource.prlimit(process.pid, resource.RLIMIT_CPU, (cpu_limit_s, resource.RLIM_INFINITY))
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    said = log.read_text(errors="replace")
    return process.returncode, said, int(usage.ru_utime + usage.ru_stime)


def last_number(pattern, text):
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0


def is_slow(binary, artifact):
    """libFuzzer goes by the clock: on a busy machine it also calls slow what only had to wait."""
    if f"{binary.name}-timeout-" not in artifact.name:
        return True
    code, _, _ = libfuzzer(binary, ["-timeout=0", artifact], BUILD / "logs" / f"{binary.name}.slow",
                           SLOW_SECONDS)
    return code != 0


def fuzz(binary, seconds):
    name = binary.name
    corpus = CORPUS / name
    corpus.mkdir(parents=True, exist_ok=True)
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    before = set(ARTIFACTS.glob(f"{name}-*"))
    folders = [corpus, write_seeds(binary)]
    if (REGRESSIONS / name).is_dir():
        folders.append(REGRESSIONS / name)
    result = Result(name)
    end = time.monotonic() + seconds
    while True:
        left = max(1, round(end - time.monotonic()))
        code, said, cpu_s = libfuzzer(binary, [f"-max_total_time={left}",
                                               f"-artifact_prefix={ARTIFACTS / name}-", *folders],
                                      BUILD / "logs" / f"{name}.log")
        result.executions += last_number(r"stat::number_of_executed_units: *(\d+)", said)
        result.edges = max(result.edges, last_number(r"\bcov: (\d+)", said))
        result.peak_mb = max(result.peak_mb, last_number(r"stat::peak_rss_mb: *(\d+)", said))
        result.cpu_s += cpu_s
        new = sorted(set(ARTIFACTS.glob(f"{name}-*")) - before)
        result.artifacts = [one for one in new if is_slow(binary, one)]
        result.failed = code != 0 and (not new or bool(result.artifacts))
        if code == 0 or result.failed or time.monotonic() >= end:
            break
        for one in new:
            one.unlink()
    result.inputs = len(list(corpus.iterdir()))
    return result


def canary(binary):
    """Whether the planted bug was found, as a crash that an input shows again."""
    found = BUILD / "canaries" / binary.name
    found.unlink(missing_ok=True)
    found.parent.mkdir(parents=True, exist_ok=True)
    code, said, _ = libfuzzer(binary, [f"-runs={CANARY_RUNS}", "-seed=1",
                                       f"-exact_artifact_path={found}", write_seeds(binary)],
                              BUILD / "logs" / f"{binary.name}.log", CANARY_CPU_SECONDS)
    return Result(binary.name, last_number(r"stat::number_of_executed_units: *(\d+)", said),
                  last_number(r"\bcov: (\d+)", said), failed=code == 0 or not found.is_file() or
                  not re.search("SUMMARY: (Address|UndefinedBehavior)Sanitizer", said))


def in_parallel(jobs, work, items):
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(work, items))


def table(rows):
    widths = [max(len(str(row[i])) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(str(cell).ljust(w) if i == 0 or isinstance(cell, str) and "/" in cell else str(cell).rjust(w)
                        for i, (cell, w) in enumerate(zip(row, widths))))


def run_canaries(names, jobs):
    results = in_parallel(jobs, canary, targets("canary", names))
    for one in results:
        print(f"{one.name}: " + ("its planted bug was NOT FOUND" if one.failed else
                                 f"found after {one.executions} executions"), flush=True)
    return any(one.failed for one in results)


def run_fuzzers(names, seconds, jobs):
    chosen = targets("fuzz", names)
    if seconds is None:
        seconds = SECONDS
    else:
        seconds = max(1, int(seconds * jobs / len(chosen)))
    print(f"{len(chosen)} targets, {seconds} s each, {jobs} at once", flush=True)
    results = in_parallel(jobs, lambda binary: fuzz(binary, seconds), chosen)
    table([("target", "executions", "edges", "corpus", "peak MiB", "CPU s", "crashes")] +
          [(r.name, r.executions, r.edges, r.inputs, r.peak_mb, r.cpu_s, len(r.artifacts))
           for r in results] +
          [("all", sum(r.executions for r in results), "", "", "",
            sum(r.cpu_s for r in results), sum(len(r.artifacts) for r in results))])
    for one in results:
        for artifact in one.artifacts:
            print(f"{one.name} FAILED; again: build/fuzz/fuzz/{one.name} "
                  f"{artifact.relative_to(ROOT)}")
        if one.failed and not one.artifacts:
            print(f"{one.name} FAILED; see build/fuzz/logs/{one.name}.log")
    return any(one.failed for one in results)


def decoders_of(name):
    lines = (COVERAGE / "fuzz" / f"{name}.decodes").read_text().split()
    return {(ROOT / line).resolve() for line in lines}


def measure(binary):
    """(file, regions seen, regions, lines seen, lines) of what the target decodes."""
    name = binary.name
    raw = COVERAGE / f"{name}.profraw"
    profile = COVERAGE / f"{name}.profdata"
    inputs = [str(f) for f in (CORPUS / name, REGRESSIONS / name) if f.is_dir()]
    subprocess.run([binary, *inputs], check=True, env={**os.environ, "LLVM_PROFILE_FILE": str(raw)},
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    subprocess.run(["llvm-profdata-14", "merge", "-sparse", raw, "-o", profile], check=True)
    said = subprocess.run(["llvm-cov-14", "export", "-summary-only", binary,
                           f"-instr-profile={profile}"],
                          check=True, capture_output=True, text=True).stdout
    decoders = decoders_of(name)
    for one in json.loads(said)["data"][0]["files"]:
        # Named as the compiler was told: relative to the build folder.
        where = (COVERAGE / one["filename"]).resolve()
        if where not in decoders:
            continue
        decoders.remove(where)
        regions, lines = one["summary"]["regions"], one["summary"]["lines"]
        where = where.relative_to(COVERAGE if where.is_relative_to(COVERAGE) else ROOT)
        yield str(where), regions["covered"], regions["count"], lines["covered"], lines["count"]
    if decoders:
        sys.exit(f"fuzz: {name} does not contain {', '.join(map(str, decoders))}")


def percent(seen, all_of_it):
    return f"{100 * seen / all_of_it:.1f}%" if all_of_it else "-"


def show_coverage(names):
    rows = [("target", "decoder", "regions", "lines")]
    for binary in targets("fuzz", names):
        found = list(measure(COVERAGE / "fuzz" / binary.name))
        sums = [sum(column) for column in list(zip(*found))[1:]]
        rows.append((binary.name, "", percent(*sums[:2]), percent(*sums[2:])))
        rows += [("", where, percent(*counts[:2]), percent(*counts[2:]))
                 for where, *counts in found]
    table(rows)
    return False


def main():
    parser = argparse.ArgumentParser(prog="./dev fuzz", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--hours", type=float, help="of all targets together")
    parser.add_argument("--jobs", type=int, default=2, help="at once (2)")
    parser.add_argument("--canaries", action="store_true", help="only those")
    parser.add_argument("--coverage", action="store_true", help="only tell what is reached")
    options = parser.parse_args()
    if options.coverage:
        return show_coverage(options.names)
    failed = run_canaries(options.names, options.jobs)
    if options.canaries:
        return failed
    seconds = None if options.hours is None else options.hours * 3600
    return run_fuzzers(options.names, seconds, options.jobs) or failed


if __name__ == "__main__":
    sys.exit(main())
