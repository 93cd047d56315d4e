#!/usr/bin/python3
"""Makes C and C++ of functions.def.

    generate.py header OUT                       prototypes and names (cuda_functions.h)
    generate.py driver SUPPORTED OUT.cc OUT.map  what a driver library exports: functions for the
                                                 calling thread's default stream, those that are
                                                 not supported, and the table of cuGetProcAddress
    generate.py coverage SUPPORTED OUT.md [--check]

SUPPORTED lists the symbols that the driver defines itself, one a line; # begins a comment.
"""
import pathlib
import re
import sys

import function_list
from function_list import read_supported, write

LINE = re.compile(r"^(cu\w+) (\d+) (-|ptds|ptsz) \((.*)\)$")
PER_THREAD_SINCE = 7000
# Their plain name stays with the first version, in programs.
KEEP_FIRST = {"cuCtxGetDevice", "cuCtxSynchronize", "cuStreamGetCtx"}
# A name of CUDA 12 and later for what has a symbol of its own.
RENAMED = {"cuGraphInstantiate": "cuGraphInstantiateWithFlags"}
NOTE = "Made by src/cudaapi/generate.py of functions.def; do not edit."


class Function:
    def __init__(self, symbol, version, thread, parameters, section):
        self.symbol, self.version, self.thread = symbol, int(version), thread
        self.name = re.sub(r"_v\d+$", "", symbol)
        self.parameters, self.section = parameters, section
        listed = [] if parameters == "void" else parameters.split(", ")
        self.arguments = ", ".join(re.search(r"(\w+)$", p).group(1) for p in listed)

    def per_thread(self):
        return f"{self.symbol}_{self.thread}"


def read_functions(path):
    return function_list.read_functions(path, LINE, "symbol version thread (parameters)", Function)


def newest(functions):
    found = {}
    for f in functions:
        if f.name not in found or (f.version > found[f.name].version and f.name not in KEEP_FIRST):
            found[f.name] = f
    by_symbol = {f.symbol: f for f in functions}
    found.update({name: by_symbol[symbol] for name, symbol in RENAMED.items()})
    return found


def header(functions):
    out = [f"/* {NOTE} */", "#ifndef LONGWIRE_CUDA_FUNCTIONS_H",
           "#define LONGWIRE_CUDA_FUNCTIONS_H", "#ifdef __cplusplus", 'extern "C" {', "#endif"]
    for f in functions:
        out.append(f"CUresult CUDAAPI {f.symbol}({f.parameters});")
        if f.thread != "-":
            out.append(f"CUresult CUDAAPI {f.per_thread()}({f.parameters});")
    out += ["#ifdef __cplusplus", "}", "#endif", "",
            "#ifndef LONGWIRE_CUDA_EXACT_NAMES  /* what defines the functions wants no macros */",
            "#if defined(CUDA_API_PER_THREAD_DEFAULT_STREAM) || "
            "defined(__CUDA_API_PER_THREAD_DEFAULT_STREAM)"]
    names = newest(functions)
    out += [f"#define {name} {f.per_thread()}" for name, f in names.items() if f.thread != "-"]
    out.append("#else")
    out += [f"#define {name} {f.symbol}" for name, f in names.items()
            if f.thread != "-" and f.symbol != name]
    out.append("#endif")
    out += [f"#define {name} {f.symbol}" for name, f in names.items()
            if f.thread == "-" and f.symbol != name]
    return "\n".join(out + ["#endif", "#endif", ""])


def driver_source(functions, supported):
    out = [f"// {NOTE}", '#include "cudaapi/entry_points.h"', "",
           "using longwire::cudaapi::EntryPoint;", "using longwire::cudaapi::PerThreadStream;", "",
           'extern "C" {']
    for f in functions:
        if f.symbol not in supported:
            unnamed = re.sub(r"(\w+)(, |$)", r"\2", f.parameters) if f.arguments else "void"
            out.append(f"CUDAAPI CUresult {f.symbol}({unnamed}) "
                       "{ return longwire::cudaapi::not_supported(); }")
        if f.thread != "-":
            out += [f"CUDAAPI CUresult {f.per_thread()}({f.parameters}) {{",
                    "  PerThreadStream scope;", f"  return {f.symbol}({f.arguments});", "}"]
    out += ["}", "", "namespace longwire::cudaapi {", "namespace {",
            "const EntryPoint kEntryPoints[] = {"]
    for f in sorted(functions, key=lambda f: (f.name, f.version)):
        thread = f"reinterpret_cast<void*>(&{f.per_thread()})" if f.thread != "-" else "nullptr"
        since = max(f.version, PER_THREAD_SINCE) if f.thread != "-" else 0
        out.append(f'    {{"{f.name}", {f.version}, reinterpret_cast<void*>(&{f.symbol}), {since}, '
                   f"{thread}}},")
    return "\n".join(out + ["};", "}  // namespace", "std::span<const EntryPoint> entry_points() "
                            "{ return kEntryPoints; }", "}  // namespace longwire::cudaapi", ""])


def export_map(functions):
    names = function_list.export_names(functions)
    return "{\n  global:\n" + "".join(f"    {n};\n" for n in names) + "  local: *;\n};\n"


def coverage(functions, supported):
    introduction = (
        f"{NOTE} `ctest -R cuda_coverage` checks that it is up to date.\n\n"
        "{done} of {all} functions. The others answer `CUDA_ERROR_NOT_SUPPORTED`. "
        "A function with `_ptds` or `_ptsz` has that form as well.")
    rows = {f.symbol: (f, f"{f.version // 1000}.{f.version % 1000 // 10}") for f in functions}
    return function_list.coverage("What of the CUDA driver API the soft device has", introduction,
                                  "since", rows, supported)


def main(arguments):
    functions = read_functions(pathlib.Path(__file__).with_name("functions.def"))
    what = arguments[0]
    if what == "header":
        write(arguments[1], header(functions))
        return 0
    supported = read_supported(pathlib.Path(arguments[1]), functions)
    if what == "driver":
        write(arguments[2], driver_source(functions, supported))
        write(arguments[3], export_map(functions))
        return 0
    return function_list.write_or_check("src/cudaapi/generate.py", arguments,
                                        coverage(functions, supported))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
