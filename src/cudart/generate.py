#!/usr/bin/python3
"""Makes C and C++ of functions.def.

    generate.py header OUT                           prototypes and names (cudart_functions.h)
    generate.py library MAJOR SUPPORTED OUT.cc OUT.map  what libcudart.so.MAJOR exports: forms for
                                                     the calling thread's default stream, and the
                                                     functions that are not supported
    generate.py coverage SUPPORTED OUT.md [--check]

SUPPORTED lists the symbols that the libraries define themselves, one a line; # begins a comment.
"""
import pathlib
import re
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "cudaapi"))
import function_list  # noqa: E402
from function_list import read_supported, write  # noqa: E402

LINE = re.compile(r"^(\w+) (both|12|13) (-|ptds|ptsz) \((.*)\)(?: -> (.+))?$")
# Where a program for 12 says the plain name, it means this one.
RENAMED_IN_12 = ["cudaGetDeviceProperties_v2", "cudaStreamGetCaptureInfo_v2",
                 "cudaSignalExternalSemaphoresAsync_v2", "cudaWaitExternalSemaphoresAsync_v2"]
NOTE = "Made by src/cudart/generate.py of functions.def; do not edit."
MAJORS = ("12", "13")


class Function:
    def __init__(self, symbol, library, thread, parameters, result, section):
        self.symbol, self.library, self.thread, self.section = symbol, library, thread, section
        self.result = result or "cudaError_t"
        listed = [] if parameters == "void" else parameters.split(", ")
        self.plain = [re.sub(r" = .*", "", each) for each in listed]
        self.defaults = [re.sub(r" = (.*)", r" LW_DEFAULT(\1)", each) for each in listed]
        self.arguments = ", ".join(re.search(r"(\w+)$", each).group(1) for each in self.plain)

    def per_thread(self):
        return f"{self.symbol}_{self.thread}"

    def parameters(self):
        return ", ".join(self.plain) or "void"

    def types(self):
        return ", ".join(re.sub(r"\w+$", "", each).strip() for each in self.plain) or "void"

    def is_in(self, major):
        return self.library in ("both", major)


def read_functions(path):
    return function_list.read_functions(path, LINE,
                                        "symbol library thread (parameters) [-> type]", Function)


def prototypes(functions):
    out = []
    for f in functions:
        listed = ", ".join(f.defaults) or "void"
        out.append(f"{f.result} {f.symbol}({listed});")
        if f.thread != "-":
            out.append(f"{f.result} {f.per_thread()}({listed});")
    return out


def header(functions):
    out = [f"/* {NOTE} */", "#ifndef LONGWIRE_CUDART_FUNCTIONS_H",
           "#define LONGWIRE_CUDART_FUNCTIONS_H", "#ifdef __cplusplus", 'extern "C" {',
           "#define LW_DEFAULT(value) = value", "#else", "#define LW_DEFAULT(value)", "#endif"]
    out += prototypes(f for f in functions if f.library == "both")
    out.append("#if CUDART_VERSION >= 13000")
    out += prototypes(f for f in functions if f.library == "13")
    out.append("#else")
    out += prototypes(f for f in functions if f.library == "12")
    out += ["#endif", "#undef LW_DEFAULT", "#ifdef __cplusplus", "}", "#endif", "",
            "#ifndef LONGWIRE_CUDART_EXACT_NAMES  /* what defines the functions wants no macros */",
            "#ifdef CUDA_API_PER_THREAD_DEFAULT_STREAM"]
    threads = [f for f in functions if f.thread != "-" and not f.symbol.startswith("__")]
    out += [f"#define {f.symbol} {f.per_thread()}"
            for f in {f.symbol: f for f in threads}.values()]
    out += ["#endif", "#if CUDART_VERSION < 13000"]
    for symbol in RENAMED_IN_12:
        name = symbol.removesuffix("_v2")
        out += [f"#undef {name}", f"#define {name} {symbol}"]
    return "\n".join(out + ["#endif", "#endif", "#endif", ""])


def library_source(functions, supported):
    out = [f"// {NOTE}", '#include "cudart/api.h"', "",
           "using longwire::cudaapi::PerThreadStream;", "", 'extern "C" {']
    for f in functions:
        if f.symbol not in supported:
            answer = "longwire::cudart::not_supported()" if f.result == "cudaError_t" else ""
            out.append(f"{f.result} {f.symbol}({f.types()}) {{ return {answer}; }}")
        if f.thread != "-":
            out += [f"{f.result} {f.per_thread()}({f.parameters()}) {{", "  PerThreadStream scope;",
                    f"  return {f.symbol}({f.arguments});", "}"]
    return "\n".join(out + ["}", ""])


def export_map(functions, major):
    names = function_list.export_names(functions)
    return (f"libcudart.so.{major} {{\n  global:\n" + "".join(f"    {n};\n" for n in names) +
            "  local: *;\n};\n")


def coverage(functions, supported):
    forms = {}
    for f in functions:
        forms.setdefault(f.symbol, []).append(f)
    rows = {symbol: (all_[0], ", ".join(m for m in MAJORS if any(f.is_in(m) for f in all_)))
            for symbol, all_ in forms.items()}
    introduction = (
        f"{NOTE} `ctest -R cudart_coverage` checks that it is up to date.\n\n"
        "{done} of {all} functions. The others answer `cudaErrorNotSupported`. What is here still "
        "asks the driver: where that lacks something ([coverage-cuda.md](coverage-cuda.md)), its "
        "answer is returned. A function with `_ptds` or `_ptsz` has that form as well.")
    return function_list.coverage("What of the CUDA runtime API our libcudart has", introduction,
                                  "libcudart.so", rows, supported)


def main(arguments):
    functions = read_functions(pathlib.Path(__file__).with_name("functions.def"))
    what = arguments[0]
    if what == "header":
        write(arguments[1], header(functions))
    elif what == "library":
        major, listed, source, exports = arguments[1:]
        supported = read_supported(pathlib.Path(listed), functions)
        mine = [f for f in functions if f.is_in(major)]
        write(source, library_source(mine, supported))
        write(exports, export_map(mine, major))
    else:
        supported = read_supported(pathlib.Path(arguments[1]), functions)
        return function_list.write_or_check("src/cudart/generate.py", arguments,
                                            coverage(functions, supported))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
