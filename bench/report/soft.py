"""The soft CUDA device beside PoCL: the same kernels on both (bench/soft), in turns."""
import json
import math
import os
import statistics
import subprocess
import tempfile

from . import programs, ptx
from .rows import Row

GROUP = "soft"
INTERPRETER, LLVM, POCL = "soft interp", "soft llvm", "PoCL"
LINKS = (INTERPRETER, LLVM, POCL)
ROUNDS, MOST_ROUNDS, ENOUGH_S = 5, 25, 0.5  # of a kernel on each side; short ones have more
SLOW_US = 500_000  # what takes the interpreter longer is not run on it again
EMPTY = "empty"
ALONE = "launch of an empty kernel, waited for"
IN_A_ROW = "  each of 1,000 in a row"
FIRST = "first launch of 200 instructions"
FIRST_CACHED = "  once more, in a new process"
PARSE = "parsing PTX, 16 MB of kernels"
MEAN, LEAST = "geometric mean of PoCL's time / ours", "  the least of them"
INSTRUCTIONS, TEXT_BYTES, FIRST_RUNS = 200, 16_000_000, 5
# What of PoCL's speed is asked: of all together, and of each.
WANTED_MEAN, WANTED_EACH = 0.8, 0.4
BOUNDS_US = {ALONE: 5, IN_A_ROW: 5, FIRST: 60_000, FIRST_CACHED: 5_000}
PARSE_MB_S = 20


class Side:
    """One of the programs that serve the kernels (bench/soft/cases.h)."""

    def __init__(self, name, command, environment):
        self.name = name
        self.process = subprocess.Popen([str(part) for part in command], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True,
                                        env=dict(os.environ, **environment))

    def ask(self, what):
        self.process.stdin.write(what + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise ValueError(f"{self.name} ended at {what}")
        return answer.strip()

    def expect_ok(self, what):
        answer = self.ask(what)
        if answer != "ok":
            raise ValueError(f"{self.name}, {what}: {answer}")

    def run_us(self):
        return float(self.ask("run"))

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def environment(bench, backend):
    return {"LD_LIBRARY_PATH": str(bench.binaries.parent / "lib/softcuda"),
            "LONGWIRE_SOFT_BACKEND": backend, "LONGWIRE_SOFT_CACHE": "0"}


def measure(bench, results):
    cuda = bench.binaries / "longwire_bench_soft_cuda"
    if not cuda.exists():
        results.skipped.append("soft: built without clang 19")
        return
    for what in (kernels, launches, first_launches, parsing):
        try:
            what(bench, cuda, results)
        except (subprocess.SubprocessError, OSError, ValueError) as problem:
            results.failed.append(f"soft: {programs.describe(problem)}")
    summarize(results)


def kernels(bench, cuda, results):
    sides = [Side(INTERPRETER, [cuda], environment(bench, "interp")),
             Side(LLVM, [cuda], environment(bench, "llvm")),
             Side(POCL, [bench.binaries / "longwire_bench_soft_opencl"],
                  {"LONGWIRE_DISABLE": "1"})]
    try:
        for name in sides[-1].ask("list").split("|"):
            if name == EMPTY:
                continue
            bench.note(f"soft: {name}")
            for side, times in in_turns(sides, name, bench.repeats(MOST_ROUNDS)).items():
                results.add(Row(GROUP, name, side.name, "us", statistics.median(times), max(times),
                                len(times)))
    finally:
        for side in sides:
            side.close()


def in_turns(sides, name, most_rounds):
    """Times of a kernel on each side, which takes its turn after the other has had one. Results are
    checked after the warm-up, and at the end again."""
    for side in sides:
        side.expect_ok(f"prepare {name}")
    times = {side: [] for side in sides}
    spent_us, rounds = 0, 0
    while rounds < min(ROUNDS, most_rounds) or \
            (rounds < most_rounds and spent_us < ENOUGH_S * 1e6):
        for side in sides if rounds % 2 else reversed(sides):
            if times[side] and side.name == INTERPRETER and max(times[side]) > SLOW_US:
                continue
            times[side].append(side.run_us())
            spent_us += times[side][-1]
        rounds += 1
    for side in sides:
        side.expect_ok("check")
    return times


def figures_of(command, variables):
    done = subprocess.run([str(part) for part in command], env=dict(os.environ, **variables),
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          check=True, timeout=programs.TIME_LIMIT_S)
    return done.stdout.decode()


def add(results, name, link, unit, values):
    results.add(Row(GROUP, name, link, unit, statistics.median(values), max(values), len(values)))


def launches(bench, cuda, results):
    bench.note("soft: launches")
    for link, backend in ((INTERPRETER, "interp"), (LLVM, "llvm")):
        runs = [json.loads(figures_of([cuda, "launches"], environment(bench, backend)))
                for _ in range(bench.repeats(ROUNDS))]
        add(results, ALONE, link, "us", [run["alone"] for run in runs])
        add(results, IN_A_ROW, link, "us", [run["in_a_row"] for run in runs])


def first_launches(bench, cuda, results):
    """Each in a process of its own, and once more with what that left on disk."""
    bench.note("soft: first launches")
    times = {FIRST: [], FIRST_CACHED: []}
    with tempfile.TemporaryDirectory(prefix="longwire-bench-") as folder:
        text = os.path.join(folder, "first.ptx")
        with open(text, "w", encoding="ascii") as file:
            file.write(ptx.HEADER + ptx.kernel("first", INSTRUCTIONS))
        for run in range(bench.repeats(FIRST_RUNS)):
            variables = dict(environment(bench, "llvm"), LONGWIRE_SOFT_CACHE=f"{folder}/cache{run}")
            for name in times:
                out = figures_of([cuda, "first", text, "first"], variables)
                times[name].append(json.loads(out)["first"])
    for name, values in times.items():
        add(results, name, LLVM, "us", values)


def parsing(bench, _, results):
    bench.note("soft: parsing")
    with tempfile.NamedTemporaryFile("w", suffix=".ptx") as file:
        file.write(ptx.module(TEXT_BYTES, INSTRUCTIONS))
        file.flush()
        out = figures_of([bench.binaries / "longwire_bench_ptx", file.name], {})
    add(results, PARSE, LLVM, "MB/s", [float(line.split()[1]) for line in out.splitlines()])


def ratios(results):
    """name -> PoCL's time divided by that of compiled code, of every kernel that ran on both."""
    found = {}
    for row in results.rows:
        if row.group == GROUP and row.link == LLVM:
            theirs = results.median(row.name, POCL)
            if theirs is not None:
                found[row.name] = theirs / row.median
    return found


def summarize(results):
    values = list(ratios(results).values())
    if values:
        mean = math.exp(statistics.fmean(math.log(value) for value in values))
        results.add(Row(GROUP, MEAN, LLVM, "x", mean, None, len(values)))
        results.add(Row(GROUP, LEAST, LLVM, "x", min(values), None, len(values)))
