"""The results as a picture: how near each figure comes to its limit, a dot per link. Plain SVG."""
import math
from xml.sax.saxutils import escape

from . import limits, table

WIDTH, LEFT, RIGHT, TOP, LINE = 960, 340, 30, 64, 19
LEAST, MOST = 0.01, 2.0  # of the limit; what lies beyond is drawn at the edge
COLOURS = {"unix": "#0072b2", "tcp": "#009e73", "tls": "#d55e00", "proxy": "#999999",
           "0.2 ms": "#a6cee3", "1 ms": "#56b4e9", "5 ms": "#3182bd", "20 ms": "#08519c",
           "70 ms": "#08306b", "1 Gb/s": "#e69f00", "100 Mb/s": "#b15928", "tls, 20 ms": "#d55e00",
           "soft interp": "#cc79a7", "soft llvm": "#7b3294"}
PEER = "PoCL remote"
STYLE = ("text{font:12px sans-serif;fill:#222}.t{font-size:15px;font-weight:bold}"
         ".s{font-weight:bold}.e{text-anchor:end}.m{text-anchor:middle}"
         "line{stroke:#ddd}line.l{stroke:#222;stroke-width:1.5}")


def x_of(share):
    """Where a share of the limit lies on the logarithmic axis."""
    share = min(max(share, LEAST), MOST)
    place = math.log(share / LEAST) / math.log(MOST / LEAST)
    return LEFT + place * (WIDTH - LEFT - RIGHT)


def text(x, y, what, kind=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}">{escape(what)}</text>'


def dot(x, y, colour, hint):
    return (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="{colour}" fill-opacity="0.85">'
            f'<title>{escape(hint)}</title></circle>')


def cross(x, y, hint):
    return (f'<path d="M{x - 4:.1f} {y - 4:.1f}l8 8m0 -8l-8 8" stroke="#cc0000" stroke-width="1.8">'
            f'<title>{escape(hint)}</title></path>')


def grid(bottom):
    for share in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2):
        x = x_of(share)
        kind = ' class="l"' if share == 1 else ""
        yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 6}" y2="{bottom}"{kind}/>'
        yield text(x, TOP - 12, f"{share:.0%}", "m")


def legend(links, y):
    x = LEFT
    for name in [*links, PEER]:
        mark = cross(x, y - 4, name) if name == PEER else dot(x, y - 4, COLOURS.get(name, "#000"),
                                                              name)
        yield mark + text(x + 9, y, name)
        x += 26 + 7 * len(name)
        if x > WIDTH - 100:
            x, y = LEFT, y + LINE


def figure_line(results, name, rows, y):
    yield text(LEFT - 12, y + 4, name.strip(), "e")
    for row in rows:
        share = limits.of_limit(results, row)
        hint = f"{row.link}: {table.amount(row.median, row.unit)}, {table.percent(share)} of limit"
        yield dot(x_of(share), y, COLOURS.get(row.link, "#000"), hint)
        if limits.peer(row) is not None:
            yield cross(x_of(limits.peer(row)), y, f"{PEER}: {table.percent(limits.peer(row))}")


def drawable(results):
    """(section, [(figure, its rows)]) of what has a limit."""
    for section, rows in table.in_order(results):
        figures = {}
        for row in rows:
            if limits.of_limit(results, row) is not None:
                figures.setdefault(row.name, []).append(row)
        if figures:
            yield section, list(figures.items())


def svg(results):
    body, y, links = [], TOP + 8, []
    for section, figures in drawable(results):
        body.append(text(12, y + 4, section, "s"))
        y += LINE
        for name, rows in figures:
            body.extend(figure_line(results, name, rows, y))
            links.extend(row.link for row in rows if row.link not in links)
            y += LINE
        y += 6
    head = [text(12, 24, "Longwire: how near to the limit of wire and device", "t"),
            text(12, TOP - 12, "share of the limit, logarithmic; more is better")]
    height = y + 2 * LINE + 12
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}">', f"<style>{STYLE}</style>",
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>', *head, *grid(y - 6), *body,
        *legend(links, y + 14), "</svg>", ""])
