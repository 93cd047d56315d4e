"""The results as text."""
from . import limits, soft
from .rows import size_bytes

UNITS = {"us": ((1e6, "s"), (1e3, "ms"), (0, "us"))}
HEADER = (f"{'':44} {'link':<10} {'figure':>11} {'p99':>9} {'native':>11} {'of limit':>9} "
          f"{'peer':>6}  target")

SOFT_HEADER = (f"{'--- soft CUDA device ' + 23 * '-':44} {'soft interp':>11} {'soft llvm':>11} "
               f"{'PoCL':>11} {'of PoCL':>9}  target")


def number(value):
    """Four significant digits, with thousands where there are many."""
    if abs(value) >= 10_000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def amount(value, unit):
    """A value with the unit that a person would choose."""
    if value is None:
        return ""
    for least, name in UNITS.get(unit, ()):
        if abs(value) >= least:
            return f"{number(value / (least or 1))} {name}"
    short = {"commands/s": "/s", "count": ""}.get(unit, f" {unit}")
    return number(value) + short


def percent(share):
    if share is None:
        return ""
    return f"{share:.0%}" if share >= 0.01 else f"{share:.1%}"


def line(results, row):
    cells = (f"{row.name:44} {row.link:<10} {amount(row.median, row.unit):>11} "
             f"{amount(row.p99, row.unit) if not row.is_rate else '':>9} "
             f"{amount(results.median(row.name, 'native'), row.unit):>11} "
             f"{percent(limits.of_limit(results, row)):>9} {percent(limits.peer(row)):>6}")
    found = limits.target(results, row)
    verdict = f"  {'yes' if found[1] else 'NO ':3} {found[0]}" if found else ""
    return (cells + verdict).rstrip()


def raw_lines(results):
    for link, raw in results.raw.items():
        yield f"raw socket, {link}: ping-pong {amount(raw['ping_pong']['median'], 'us')}"
        for kind in ("write", "read", "write, pipelined", "read, pipelined"):
            sizes = [f"{size} {number(results.raw_rate(f'{kind}, {size}', link))}"
                     for size in sorted(raw.get(kind, {}), key=size_bytes)]
            if sizes:
                yield f"  {kind}, MB/s: " + ", ".join(sizes)


def in_order(results):
    """Rows by section and figure; within a figure by link, as they were measured."""
    direct = ("native", *limits.DIRECT, limits.PEER_LINK, *soft.LINKS)
    sections = {}
    for row in results.rows:
        far = row.link not in direct
        section = f"over distance: {row.group}" if far else row.group
        sections.setdefault((far, section), {}).setdefault(row.name, []).append(row)
    for (_, section), figures in sorted(sections.items(), key=lambda item: item[0][0]):
        yield section, [row for group in figures.values() for row in group]


def soft_lines(results):
    """A kernel on a line: interpreted, compiled, on PoCL, and what part of PoCL's speed we have."""
    rows = [row for row in results.rows if row.group == soft.GROUP and row.link == soft.LLVM]
    if not rows:
        return
    yield SOFT_HEADER
    for row in rows:
        cells = [amount(results.median(row.name, link), row.unit)
                 for link in soft.LINKS]
        share = percent(limits.of_limit(results, row))
        found = limits.target(results, row)
        verdict = f"  {'yes' if found[1] else 'NO ':3} {found[0]}" if found else ""
        yield f"{row.name:44} {cells[0]:>11} {cells[1]:>11} {cells[2]:>11} {share:>9}{verdict}"


def lines(results):
    sections = [found for found in in_order(results) if found[0] != soft.GROUP]
    if sections:
        yield HEADER
    for section, section_rows in sections:
        yield f"--- {section} " + "-" * (len(HEADER) - len(section) + 5)
        for row in section_rows:
            if row.link != "native":
                yield line(results, row)
    yield from soft_lines(results)
    yield ""
    yield from raw_lines(results)
    for what in results.skipped:
        yield f"skipped: {what}"
    for what in results.failed:
        yield f"FAILED: {what}"
    yield summary(results)


def summary(results):
    verdicts = [limits.target(results, row) for row in results.rows]
    verdicts = [verdict[1] for verdict in verdicts if verdict]
    return f"{sum(verdicts)} of {len(verdicts)} targets reached"
