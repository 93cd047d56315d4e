#!/usr/bin/env python3
"""Which system calls do workers make inside their cage?

    tools/trace_worker.py [--build DIR] [--against LIST] PROGRAM [ARGUMENT...]

Runs PROGRAM on a private node (longwire run --local=unix) under strace, and prints every system
call that a worker, and what it started, made once the cage was shut, with how often, and how often
the cage refused it. With --against it names those that are not in LIST (tests/node/syscalls.txt).
So the allow-list of src/app/worker_main/syscalls.h is found, and looked after: docs/SECURITY.md.
"""
import argparse
import collections
import pathlib
import re
import subprocess
import sys
import tempfile

CALL = re.compile(r"^(\w+)\(")
BORN = re.compile(r"^(?:clone|clone3|fork|vfork)\(.*\) = (\d+)")
RESUMED = re.compile(r"^<\.\.\. (?:clone|clone3|fork|vfork) resumed>.*\) = (\d+)")
REFUSED = re.compile(r"= -1 (EPERM|ENOSYS) ")


def shut(line):
    """The line with which a cage is complete: its last filter is in force."""
    return line.startswith("seccomp(SECCOMP_SET_MODE_FILTER") and line.rstrip().endswith("= 0")


def calls_of(lines, caged):
    """What one thread did inside: [(call, refused)], and the threads and processes it started."""
    made, born, last = [], [], max((i for i, line in enumerate(lines) if shut(line)), default=None)
    if last is None and not caged:
        return made, born
    for line in lines if caged else lines[last + 1:]:
        child = BORN.match(line) or RESUMED.match(line)
        if child:
            born.append(child[1])
        call = CALL.match(line)
        if call:
            made.append((call[1], bool(REFUSED.search(line))))
    return made, born


def inside(folder):
    """Counts of (calls, refusals) by name, of every thread behind a cage."""
    traces = {p.suffix[1:]: p.read_text(errors="replace").splitlines()
              for p in folder.glob("trace.*")}
    counts, refused = collections.Counter(), collections.Counter()
    waiting = [(thread, False) for thread, lines in traces.items() if any(map(shut, lines))]
    seen = set()
    while waiting:
        thread, caged = waiting.pop()
        if thread in seen:
            continue
        seen.add(thread)
        made, born = calls_of(traces.get(thread, []), caged)
        counts.update(call for call, _ in made)
        refused.update(call for call, no in made if no)
        waiting += [(child, True) for child in born]
    return counts, refused


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    parser.add_argument("--against", type=pathlib.Path)
    parser.add_argument("program", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lw-trace-") as folder:
        subprocess.run(["strace", "-f", "-ff", "-qq", "-o", f"{folder}/trace",
                        str(options.build / "bin/longwire"), "run", "--local=unix", "--",
                        *options.program], stdout=subprocess.DEVNULL, check=False)
        counts, refused = inside(pathlib.Path(folder))
    for call, count in counts.most_common():
        print(f"{call:24}{count:8}{refused[call]:8}" if refused[call] else f"{call:24}{count:8}")
    if not counts:
        sys.exit("no worker was seen behind its cage")
    if options.against:
        known = {"clone3", "chmod"}  # refused, and can do without: libc takes clone, ld goes on
        for line in options.against.read_text().splitlines():
            allowed = re.match(r"(?:allowed where )?(\w+)(?::.*)?$", line)
            known.update(allowed.groups() if allowed else ())
        unknown = sorted(set(counts) - known)
        sys.exit(f"not in {options.against}: {', '.join(unknown)}" if unknown else 0)


if __name__ == "__main__":
    main()
