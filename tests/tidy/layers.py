#!/usr/bin/python3
"""The include-layer check: who may include whom, as docs/ARCHITECTURE.md draws it.

    base <- wire <- link <- session <- {client, worker} <- {driver, node, app}

A unit is a folder: src/base, src/link, src/link/tcp, src/client/opencl, ... ALLOWED says for each
pattern of units which other units its production code may include. Tests and fuzzers (*_test.cc,
*_test.h, fuzz_*) and everything under tests/ and bench/ may include anything, as they choose links
and backends.

    layers.py [ROOT]     prints "file:line: what is wrong"; exits 1 when anything is
"""
import fnmatch
import pathlib
import re
import sys

STACK = ["base", "wire", "link", "session"]
KEYED = STACK + ["session/auth"]

# First match counts. "X/*" is any sub-folder of X, "=" the unit itself, which is always allowed.
ALLOWED = [
    ("base", []),
    ("wire", ["base"]),
    ("link", ["base", "wire"]),
    ("link/fd", ["base", "wire", "link"]),  # what links over a file descriptor have in common
    ("link/*", ["base", "wire", "link", "link/fd"]),
    ("session", ["base", "wire", "link"]),
    # Keys and pairing are bound to TLS; what has no keys (client, worker, node) does without them.
    ("session/auth", ["base", "wire", "link", "link/tls", "session"]),
    ("client", STACK),
    ("client/core", STACK + ["client"]),
    ("client/*", STACK + ["client", "client/core", "gen/wire", "gen/client", "cudaapi"]),
    ("worker", STACK),
    ("worker/core", STACK + ["worker"]),
    ("worker/*", STACK + ["worker", "worker/core", "gen/wire", "gen/worker", "cudaapi"]),
    ("driver", KEYED + ["link/*", "client", "client/*"]),
    ("driver/*", KEYED + ["link/*", "client", "client/*", "driver", "gen/wire", "gen/client",
                          "cudaapi"]),
    # The node spawns workers as processes: it knows neither their code nor the client's.
    ("node", STACK),
    ("node/*", STACK + ["node"]),
    ("app", KEYED + ["link/*", "driver", "client", "client/*", "worker", "worker/*", "node",
                     "node/*", "gen/*", "pool", "pool/*", "softcuda/fatbin"]),
    ("app/*", KEYED + ["link/*", "driver", "client", "client/*", "worker", "worker/*", "node",
                       "node/*", "gen/*", "pool", "pool/*", "app", "softcuda/fatbin",
                       "softcuda/ptx"]),
    ("cudaapi", []),
    ("cudaapi/*", ["cudaapi"]),
    ("pool", ["base"]),
    ("pool/*", ["base", "pool"]),
    # PTX text becomes the program form (ir), a machine runs it with a back end; the driver is above.
    ("softcuda/ptx", ["base"]),
    ("softcuda/fatbin", ["base"]),
    ("softcuda/ir", ["base", "softcuda/ptx"]),
    ("softcuda/machine", ["base", "softcuda/ir"]),
    ("softcuda/interp", ["base", "softcuda/ir", "softcuda/machine"]),
    ("softcuda/jit", ["base", "softcuda/ir", "softcuda/machine", "softcuda/interp"]),
    ("softcuda/driver", ["base", "cudaapi", "softcuda/ptx", "softcuda/fatbin", "softcuda/ir",
                         "softcuda/machine", "softcuda/interp", "softcuda/jit"]),
    ("cudart", ["base", "cudaapi"]),
    ("cudart/*", ["base", "cudaapi", "cudart"]),
]

# Folders that drag everything in, whatever is put there first.
FORBIDDEN_NAMES = {"utils", "util", "common", "misc", "helpers", "helper"}

# Only what executes or stands for an API sees the vendor's headers.
VENDOR_HEADER = re.compile(r"^(CL/|cuda|nvml)")
VENDOR_FREE = ["base", "wire", "link", "link/*", "session", "node", "node/*", "pool", "pool/*"]

# Generated code, by the path under <build>/gen/<api>/: client and worker leaves, the rest is wire.
GENERATED_APIS = {"opencl", "cuda", "nvml"}
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')
SOURCE_SUFFIXES = {".h", ".cc", ".c", ".inc"}


def generated_unit(path):
    parts = re.split(r"[/_.]", path)
    for leaf in ("client", "worker"):
        if leaf in parts:
            return f"gen/{leaf}"
    return "gen/wire"


def unit_of(path, root):
    """The unit of an include path, or None for what is not ours. Folders nest two levels deep."""
    parts = path.split("/")
    if parts[0] in GENERATED_APIS:
        return generated_unit(path)
    if len(parts) < 2 or not (root / "src" / parts[0]).is_dir():
        return None
    return "/".join(parts[:2]) if len(parts) > 2 else parts[0]


def matches(unit, patterns):
    return any(unit == p or (p.endswith("/*") and fnmatch.fnmatchcase(unit, p)) for p in patterns)


def allowed_of(unit):
    return next((allowed for pattern, allowed in ALLOWED if matches(unit, [pattern])), None)


def is_test(name):
    return name.endswith(("_test.cc", "_test.h")) or name.startswith("fuzz_")


def complaint(unit, bracket, included, root):
    """What is wrong with `#include <included>` in a file of `unit`, or None."""
    if included.startswith(("./", "../")) or "/../" in included:
        return f'include "{included}" from the root src/, not by a relative path'
    if bracket == "<":
        if VENDOR_HEADER.match(included) and matches(unit, VENDOR_FREE):
            return f"{unit} includes the vendor header <{included}>"
        return None
    target = unit_of(included, root)
    if target is None:
        if "/" in included and VENDOR_HEADER.match(included) and matches(unit, VENDOR_FREE):
            return f'{unit} includes the vendor header "{included}"'
        return None
    if target == unit or matches(target, allowed_of(unit)):
        return None
    return f"{unit} may not include {target} ({included})"


def check_file(path, unit, root):
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
        include = INCLUDE.match(line)
        if include:
            what = complaint(unit, include[1], include[2], root)
            if what:
                yield f"{path.relative_to(root)}:{number}: {what}"


def check_names(root):
    for path in sorted((root / "src").rglob("*")):
        if path.is_dir() and path.name in FORBIDDEN_NAMES:
            yield f"{path.relative_to(root)}:1: no folder is called {path.name}"


def check(root):
    """Every violation under root/src, as "file:line: text"."""
    yield from check_names(root)
    for path in sorted((root / "src").rglob("*")):
        if path.suffix not in SOURCE_SUFFIXES or is_test(path.name):
            continue
        unit = unit_of(str(path.relative_to(root / "src")), root)
        if unit is None or allowed_of(unit) is None:
            yield f"{path.relative_to(root)}:1: folder {unit} is in no layer (tests/tidy/layers.py)"
        else:
            yield from check_file(path, unit, root)


def main(argv):
    root = pathlib.Path(argv[1] if len(argv) > 1 else __file__).resolve()
    if len(argv) < 2:
        root = root.parents[2]
    violations = list(check(root))
    print("\n".join(violations) or "include layers: in order")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
