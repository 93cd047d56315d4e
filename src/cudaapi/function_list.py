"""What the generators of the driver API and of the runtime API share: a list of functions under
headings (functions.def), which of them are there (supported.txt), and the page that says so."""
import pathlib
import sys


def read_functions(path, line, form, make):
    """`line` is the pattern of a function's line, `form` what it is to be like, for who got it
    wrong; make(*groups, section) makes a function."""
    functions, section = [], ""
    for number, text in enumerate(path.read_text().splitlines(), 1):
        if text.startswith("["):
            section = text.strip("[]")
        elif text and not text.startswith("#"):
            match = line.match(text)
            if not match:
                sys.exit(f"{path}:{number}: not '{form}'")
            functions.append(make(*match.groups(), section))
    return functions


def read_supported(path, functions):
    lines = (line.split("#")[0].split() for line in path.read_text().splitlines())
    supported = {name for line in lines for name in line}
    unknown = supported - {f.symbol for f in functions}
    if unknown:
        sys.exit(f"{path}: not in functions.def: {', '.join(sorted(unknown))}")
    return supported


def export_names(functions):
    """With the forms for the calling thread's default stream."""
    return [f.symbol for f in functions] + [f.per_thread() for f in functions if f.thread != "-"]


def coverage(title, introduction, column, rows, supported):
    """`rows`: symbol to a function and what stands in `column`. In the introduction, {done} and
    {all} are numbers."""
    done = sum(symbol in supported for symbol in rows)
    out = [f"# {title}", "", introduction.format(done=done, all=len(rows)), ""]
    for section in dict.fromkeys(f.section for f, _ in rows.values()):
        members = {s: row for s, row in rows.items() if row[0].section == section}
        here = sum(symbol in supported for symbol in members)
        out += [f"## {section} ({here} of {len(members)})", "", f"| function | {column} | |",
                "|---|---|---|"]
        for symbol, (function, cell) in members.items():
            form = f" (`_{function.thread}`)" if function.thread != "-" else ""
            state = "yes" if symbol in supported else "not supported"
            out.append(f"| `{symbol}`{form} | {cell} | {state} |")
        out.append("")
    return "\n".join(out)


def write(path, text):
    path = pathlib.Path(path)
    if not path.exists() or path.read_text() != text:  # keeps the time of what has not changed
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def write_or_check(generator, arguments, text):
    """`arguments`: coverage SUPPORTED OUT.md [--check]; the exit status."""
    if "--check" not in arguments:
        write(arguments[2], text)
    elif pathlib.Path(arguments[2]).read_text() != text:
        print(f"{arguments[2]} is out of date: {generator} coverage {arguments[1]} {arguments[2]}")
        return 1
    return 0
