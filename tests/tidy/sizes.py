#!/usr/bin/python3
"""The size ratchet: functions aim for 40 lines, files for 600.

Lines of a function are those of its body that hold code: blank lines and comments are free, so are
tests. What was over the limit when it came in stands in ratchet.txt with its size, and may only
shrink. Brace matching is all the parsing there is; it needs no compiler and takes a second.

    sizes.py [ROOT]      prints what is over its limit; exits 1 when anything is
    sizes.py --update    lowers the entries of ratchet.txt to today's sizes, drops what is in order
    sizes.py --accept    also raises and adds entries: a decision, to be explained in the commit
"""
import ast
import pathlib
import re
import sys

FUNCTION_LIMIT = 40
FILE_LIMIT = 600
FOLDERS = ["src", "codegen", "examples", "bench", "tests", "tools"]
CPP = {".h", ".cc", ".c", ".cl"}
PYTHON = {".py"}
OTHER = {".sh", ".cmake"}
EXEMPT = re.compile(r"(^|/)(fixtures|golden|build|__pycache__)/|(_test\.cc|_test\.h|_test\.py)$|"
                    r"(^|/)test_[^/]*\.py$")

CONTAINER = re.compile(r"^\s*(?:\[\[.*?\]\]\s*)?(namespace|extern|class|struct|union|enum)\b")
NAME = re.compile(r"([~\w:]+|operator\s*\S+?)\s*\(")


def strip_cpp(text):
    """The text with comments, literals and preprocessor lines blanked, line numbers kept."""
    pattern = re.compile(
        r'//[^\n]*|/\*.*?\*/|R"(?P<d>[^(\s]*)\(.*?\)(?P=d)"|"(?:\\.|[^"\\\n])*"|'
        r"(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'|^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", re.S | re.M)
    return pattern.sub(lambda m: "\n" * m[0].count("\n"), text)


def outside_parentheses(head):
    """head without what stands in (), [] and <> of templates."""
    head = re.sub(r"template\s*<[^{;]*?>\s*(?=[\w\[:])", "", head)
    kept, depth = [], 0
    for char in head:
        if char in "([":
            depth += 1
        elif char in ")]":
            depth -= 1
        elif depth == 0:
            kept.append(char)
    return "".join(kept)


def opens_function(head):
    if "(" not in head or (CONTAINER.match(head) and ")" not in head):
        return False
    bare = re.sub(r"operator\s*[^\s\w]+|[=!<>]=", "", outside_parentheses(head))
    return "=" not in bare


def cpp_functions(text):
    """(name, lines of code in the body) of each function that is not inside another."""
    text = strip_cpp(text)
    head_start, depth, function = 0, 0, None  # function: (name, depth, offset of its brace)
    for match in re.finditer(r"[{};]", text):
        at, char = match.start(), match[0]
        if char == "{":
            if function is None and opens_function(text[head_start:at]):
                function = (function_name(text[head_start:at]), depth, at)
            depth += 1
        elif char == "}":
            depth -= 1
            if function is not None:
                if depth > function[1]:
                    continue
                if re.match(r"\s*[,{]", text[at + 1:]):  # a member initialiser: a_{1}, b_{2} {
                    function = None
                    continue
                yield function[0], lines_of_code(text[function[2] + 1:at])
                function = None
        if function is None and (char != "{" or not re.search(r"=\s*$", text[head_start:at])):
            head_start = at + 1


def function_name(head):
    names = NAME.findall(re.sub(r"\b(noexcept|requires|alignas|decltype|__attribute__)\s*\(", "",
                                head))
    return re.sub(r"\s+", "", names[0]) if names else "?"


def lines_of_code(body):
    return sum(1 for line in body.splitlines() if line.strip())


def python_functions(text):
    lines = text.splitlines()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            body = lines[node.body[0].lineno - 1:node.end_lineno]
            yield node.name, sum(1 for line in body if line.strip() and line.strip()[0] != "#")


def sizes_of(path):
    """{(what): (size, limit)} of the file and of its functions; equal names keep the largest."""
    text = path.read_text(errors="replace")
    functions = []
    if path.suffix in CPP:
        functions = cpp_functions(text)
    elif path.suffix in PYTHON:
        functions = python_functions(text)
    sizes = {"file": (len(text.splitlines()), FILE_LIMIT)}
    for name, lines in functions:
        sizes[name] = (max(lines, sizes.get(name, (0, 0))[0]), FUNCTION_LIMIT)
    return sizes


def oversized(root):
    """{(path, what): size} of everything over its limit."""
    found = {}
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            name = str(path.relative_to(root))
            if path.suffix not in CPP | PYTHON | OTHER or EXEMPT.search(name):
                continue
            lists = folder == "tests" and path.suffix in CPP  # test programs are lists of cases
            for what, (size, limit) in sizes_of(path).items():
                if size > limit and (what == "file" or not lists):
                    found[name, what] = size
    return found


def read_ratchet(path):
    entries = {}
    for line in path.read_text().splitlines() if path.exists() else []:
        if line.strip() and not line.startswith("#"):
            size, name, what = line.split(None, 2)
            entries[name, what.strip()] = int(size)
    return entries


def write_ratchet(path, entries):
    lines = ["# size path function (or `file`): what is over the limit of tests/tidy/sizes.py.",
             "# Entries may only shrink; `./dev check --update-ratchet` lowers them."]
    lines += [f"{size} {name} {what}" for (name, what), size in sorted(entries.items())]
    path.write_text("\n".join(lines) + "\n")


def report(found, ratchet):
    """Complaints, one line each; notes about entries that could shrink do not count."""
    for (name, what), size in sorted(found.items()):
        allowed = ratchet.get((name, what), FILE_LIMIT if what == "file" else FUNCTION_LIMIT)
        if size > allowed:
            yield f"{name}: {what} has {size} lines, the limit is {allowed}"


def update(found, ratchet, accept):
    if accept:
        return found
    return {key: min(size, found[key]) for key, size in ratchet.items() if key in found}


def main(argv):
    flags = [a for a in argv[1:] if a.startswith("--")]
    roots = [a for a in argv[1:] if not a.startswith("--")]
    root = pathlib.Path(roots[0]).resolve() if roots else pathlib.Path(__file__).resolve().parents[2]
    ratchet_path = root / "tests/tidy/ratchet.txt"
    found, ratchet = oversized(root), read_ratchet(ratchet_path)
    if flags:
        write_ratchet(ratchet_path, update(found, ratchet, "--accept" in flags))
        ratchet = read_ratchet(ratchet_path)
    complaints = list(report(found, ratchet))
    print("\n".join(complaints) or f"sizes: in order, {len(ratchet)} exceptions in the ratchet")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
