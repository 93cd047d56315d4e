#!/usr/bin/python3
"""A driver lives in other people's processes: it may need libc and nothing else, and it exports
only the symbols of the API that it stands for."""
import re
import subprocess
import sys

ALLOWED_NEEDED = {"libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}
ALLOWED_EXPORT = re.compile(r"^(cl|cu|__cuda|nvml|libcudart|LONGWIRE_)[A-Za-z0-9_.]*$")


def problems(needed, exported):
    """What is wrong with a library that needs and exports these names."""
    found = [f"needs {name}" for name in needed if name not in ALLOWED_NEEDED]
    found += [f"exports {name}" for name in exported if not ALLOWED_EXPORT.match(name)]
    if not exported:
        found.append("exports nothing")
    return found


def inspect(path):
    dynamic = subprocess.run(["readelf", "-dW", path], check=True, capture_output=True, text=True)
    needed = re.findall(r"\(NEEDED\).*\[(.+)\]", dynamic.stdout)
    symbols = subprocess.run(["nm", "-D", "--defined-only", path], check=True, capture_output=True,
                             text=True)
    exported = [line.split()[-1].split("@")[0] for line in symbols.stdout.splitlines()]
    return problems(needed, exported)


def main(paths):
    failed = False
    for path in paths:
        for problem in inspect(path):
            print(f"{path}: {problem}")
            failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
