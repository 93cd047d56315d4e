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
    functions, section = [], ""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            match = LINE.match(line)
            if not match:
                sys.exit(f"{path}:{number}: not 'symbol library thread (parameters) [-> type]'")
            functions.append(Function(*match.groups(), section))
    return functions


def read_supported(path, functions):
    lines = (line.split("#")[0].split() for line in path.read_text().splitlines())
    supported = {name for line in lines for name in line}
    unknown = supported - {f.symbol for f in functions}
    if unknown:
        sys.exit(f"{path}: not in functions.def: {', '.join(sorted(unknown))}")
    return supported


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
    names = [f.symbol for f in functions] + [f.per_thread() for f in functions if f.thread != "-"]
    return (f"libcudart.so.{major} {{\n  global:\n" + "".join(f"    {n};\n" for n in names) +
            "  local: *;\n};\n")


def coverage(functions, supported):
    by_symbol = {}
    for f in functions:
        by_symbol.setdefault(f.symbol, []).append(f)
    done = sum(symbol in supported for symbol in by_symbol)
    out = ["# What of the CUDA runtime API our libcudart has", "",
           f"{NOTE} `ctest -R cudart_coverage` checks that it is up to date.", "",
           f"{done} of {len(by_symbol)} functions. The others answer `cudaErrorNotSupported`. What "
           "is here still asks the driver: where that lacks something "
           "([coverage-cuda.md](coverage-cuda.md)), its answer is returned. A function with "
           "`_ptds` or `_ptsz` has that form as well.", ""]
    for section in dict.fromkeys(f.section for f in functions):
        members = {s: all_ for s, all_ in by_symbol.items() if all_[0].section == section}
        here = sum(symbol in supported for symbol in members)
        out += [f"## {section} ({here} of {len(members)})", "", "| function | libcudart.so | |",
                "|---|---|---|"]
        for symbol, forms in members.items():
            form = f" (`_{forms[0].thread}`)" if forms[0].thread != "-" else ""
            versions = ", ".join(m for m in MAJORS if any(f.is_in(m) for f in forms))
            state = "yes" if symbol in supported else "not supported"
            out.append(f"| `{symbol}`{form} | {versions} | {state} |")
        out.append("")
    return "\n".join(out)


def write(path, text):
    path = pathlib.Path(path)
    if not path.exists() or path.read_text() != text:  # keeps the time of what has not changed
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


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
        text = coverage(functions, read_supported(pathlib.Path(arguments[1]), functions))
        if "--check" not in arguments:
            write(arguments[2], text)
        elif pathlib.Path(arguments[2]).read_text() != text:
            print(f"{arguments[2]} is out of date: src/cudart/generate.py coverage "
                  f"{arguments[1]} {arguments[2]}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
