#!/usr/bin/python3
"""Compares our declarations of the CUDA runtime API with a toolkit's, where one of the same major
version is installed: every enumerator's value, every type's layout, every function's type. Skipped
(77) elsewhere.

    compare_runtime.py TOOLKIT_INCLUDE OUR_INCLUDE...
"""
import pathlib
import re
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "cudaapi"))
import compare_toolkit  # noqa: E402

MAJOR = 13
# There only for the macros that show old versions too, or limits of the lists themselves.
NOT_API = {"cudaDevAttrMax", "cudaFuncAttributeMax"}
# Of texture and surface references, which ended with CUDA 12; and types of C++ only.
NOT_TYPES = {"cudaRoundMode"}


def names_of(preprocessed):
    """Enumerators, types and functions that a header declares."""
    text = re.sub(r"^#.*$", "", preprocessed, flags=re.M)
    enumerators = set()
    for body in re.findall(r"\benum\b[^{;()]*\{([^}]*)\}", text):
        enumerators |= {name for name in re.findall(r"(\w+)\s*(?:=[^,]*)?(?:,|$)", body.strip())
                        if name.startswith("cuda")}
    types = set(re.findall(r"\b(?:struct|enum|union)\b[^{;()=]*?\b(cuda\w+)\s*\{", text))
    types |= set(re.findall(r"\}\s*(cuda\w+)\s*;", text))
    types |= set(re.findall(r"typedef[^;{}()]*?\b(cuda\w+)\s*;", text))
    types |= set(re.findall(r"typedef[^;{}]*?\(\*(cuda\w+)\)", text))
    functions = set(re.findall(r"cudaError_t\s+(cuda\w+)\s*\(", text))
    return enumerators - NOT_API, types - NOT_TYPES, functions


def main(toolkit, *ours):
    header = pathlib.Path(toolkit, "cuda_runtime_api.h")
    if not header.exists() or f"CUDART_VERSION  {MAJOR}" not in header.read_text():
        print(f"no CUDA toolkit of version {MAJOR} in {toolkit}: nothing to compare with")
        return compare_toolkit.SKIP
    include = "#include <cuda_runtime_api.h>\n#include <cuda_profiler_api.h>"
    theirs_flags, ours_flags = [f"-I{toolkit}"], [f"-I{folder}" for folder in ours]
    with tempfile.TemporaryDirectory() as folder:
        names = names_of(compare_toolkit.run(
            [compare_toolkit.COMPILER, "-E", "-P", "-xc++", "-w", *theirs_flags, "-"],
            input=include))
        problems = compare_toolkit.different(
            compare_toolkit.build(folder, "ours", compare_toolkit.probe(
                "#include <cuda_runtime_api.h>", names), ours_flags),
            compare_toolkit.build(folder, "theirs", compare_toolkit.probe(include, names),
                                  theirs_flags))
        theirs = compare_toolkit.layouts(folder, "theirs", include, sorted(names[1]), theirs_flags)
        mine = compare_toolkit.layouts(folder, "ours", "#include <cuda_runtime_api.h>",
                                       sorted(names[1]), ours_flags)
        problems += [f"layout of {name}: toolkit {text}\n  ours {mine.get(name)}"
                     for name, text in theirs.items()
                     if "cuda" in name and mine.get(name) != text]
    print("\n".join(problems))
    print(f"{len(names[0])} enumerators, {len(names[1])} types, {len(names[2])} functions, "
          f"{len(theirs)} layouts compared; {len(problems)} differ")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
