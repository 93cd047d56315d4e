#!/usr/bin/python3
"""Compares our declarations of the CUDA driver API with a toolkit's cuda.h, where one is installed:
every enumerator's value, every type's layout and every function's type. Skipped (77) elsewhere.

    compare_toolkit.py SRC GEN [TOOLKIT_INCLUDE]
"""
import pathlib
import re
import subprocess
import sys
import tempfile

SKIP = 77
CLANG, COMPILER = "clang", "g++"
# Only there for the macro that shows the old versions too.
NOT_API = {"CU_DEV_RESOURCE_TYPE_MAX", "CU_LAUNCH_ATTRIBUTE_MAX"}


def run(command, **keywords):
    done = subprocess.run(command, capture_output=True, text=True, **keywords)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}:\n{done.stderr[:4000]}")
    return done.stdout


def names_of(preprocessed):
    """Enumerators, types and functions that a header declares."""
    text = re.sub(r"^#.*$", "", preprocessed, flags=re.M)
    enumerators = set()
    for body in re.findall(r"\benum\b[^{;]*\{([^}]*)\}", text):
        enumerators |= {name for name in re.findall(r"(\w+)\s*(?:=[^,]*)?(?:,|$)", body.strip())
                        if re.match(r"(CU|NVCL|CIG)", name)}
    types = set(re.findall(r"\}\s*(CU\w+)\s*;", text))
    types |= set(re.findall(r"typedef[^;{}]*?\b(CU\w+)\s*;", text))
    functions = set(re.findall(r"CUresult\s+(cu\w+)\s*\(", text))
    return enumerators - NOT_API, types, functions


def probe(include, names):
    enumerators, types, functions = names
    lines = [include, "#include <cstdio>", "template <class T> const char* text() "
             "{ return __PRETTY_FUNCTION__; }", "int main() {"]
    lines += [f'  std::printf("value {n} %lld\\n", (long long){n});' for n in sorted(enumerators)]
    lines += [f'  std::printf("type {n} %zu %zu %s\\n", sizeof({n}), alignof({n}), text<{n}>());'
              for n in sorted(types)]
    lines += [f'  std::printf("function {n} %s\\n", text<decltype({n})>());'
              for n in sorted(functions)]
    return "\n".join(lines + ["}", ""])


def build(folder, name, source, flags):
    path = pathlib.Path(folder, f"{name}.cc")
    path.write_text(source)
    run([COMPILER, "-std=c++20", "-w", *flags, str(path), "-o", str(path.with_suffix(""))])
    return set(run([str(path.with_suffix(""))]).splitlines())


def layouts(folder, name, include, types, flags):
    """Each record's fields with their offsets, as clang lays them out."""
    path = pathlib.Path(folder, f"{name}_layout.cc")
    path.write_text(include + "\n" + "\n".join(f"using t_{t} = char[sizeof({t})];" for t in types))
    text = run([CLANG, "-std=c++20", "-w", "-fsyntax-only", "-Xclang", "-fdump-record-layouts",
                *flags, str(path)])
    records = {}
    for block in text.split("*** Dumping AST Record Layout")[1:]:
        block = re.sub(r"\((anonymous|unnamed)[^)]*\)", "(unnamed)", block)
        head = block.strip().splitlines()[0].split("|")[1].strip()
        if "(unnamed)" not in head:
            records[head] = re.sub(r"\s+", " ", block)
    return records


def different(ours, theirs):
    missing = sorted(theirs - ours)
    return [f"toolkit: {line}" for line in missing]


def main(source, generated, toolkit="/usr/local/cuda/include"):
    if not pathlib.Path(toolkit, "cuda.h").exists():
        print(f"no CUDA toolkit in {toolkit}: nothing to compare with")
        return SKIP
    theirs_include = "#define __CUDA_API_VERSION_INTERNAL\n#include <cuda.h>\n" \
                     "#include <cudaProfiler.h>"
    ours_include = '#define LONGWIRE_CUDA_EXACT_NAMES\n#include "cudaapi/cuda.h"'
    theirs_flags, ours_flags = [f"-I{toolkit}"], [f"-I{source}", f"-I{generated}"]
    with tempfile.TemporaryDirectory() as folder:
        names = names_of(run([COMPILER, "-E", "-P", "-xc++", "-w", *theirs_flags, "-"],
                             input=theirs_include))
        problems = different(
            build(folder, "ours", probe(ours_include, names), ours_flags),
            build(folder, "theirs", probe(theirs_include, names), theirs_flags))
        theirs = layouts(folder, "theirs", theirs_include, sorted(names[1]), theirs_flags)
        ours = layouts(folder, "ours", ours_include, sorted(names[1]), ours_flags)
        problems += [f"layout of {name}: toolkit {text}\n  ours {ours.get(name)}"
                     for name, text in theirs.items() if ours.get(name) != text
                     and "CU" in name and "anonymous" not in name]
    print("\n".join(problems))
    print(f"{len(names[0])} enumerators, {len(names[1])} types, {len(names[2])} functions, "
          f"{len(theirs)} layouts compared; {len(problems)} differ")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
