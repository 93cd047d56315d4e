"""A Khronos-style C header -> Functions. Understands exactly what those headers contain:

    extern CL_API_ENTRY [PREFIX_DEPRECATED] <type> CL_API_CALL clName(<params>) [SUFFIX];

and nothing else; a declaration that it cannot read is an error, never skipped.
"""

import re
from pathlib import Path

from .errors import SpecError
from .model import Function, Param

_BEGIN = re.compile(r"^[ \t]*(extern)\s+CL_API_ENTRY\b", re.MULTILINE)
_HEAD = re.compile(
    r"extern\s+CL_API_ENTRY\s+(?:CL_\w+_DEPRECATED\s+)?(?P<returns>[\w\s*]+?)\s*CL_API_CALL\s+"
    r"(?P<name>cl\w+)\s*\("
)
_SUFFIX = re.compile(r"VERSION_(\d)_(\d)(_DEPRECATED)?")
_CALLBACK = re.compile(r"\(\s*(?:CL_CALLBACK\s*)?\*\s*(\w+)\s*\)\s*\(")
_PLAIN = re.compile(r"^(?P<type>.*?)(?P<name>\w+)\s*(?P<array>\[\s*\])?$", re.DOTALL)


def parse_header(path: Path) -> list[Function]:
    try:
        text = _blank_comments(path.read_text(encoding="utf-8", errors="replace"))
    except OSError as error:
        raise SpecError(str(path), 1, f"cannot be read: {error.strerror}") from error
    return [_function(str(path), text, match.start(1)) for match in _BEGIN.finditer(text)]


def parse_dispatch_table(path: Path) -> list[str]:
    """The members of cl_icd.h's struct, in order."""
    text = _blank_comments(path.read_text(encoding="utf-8", errors="replace"))
    body = re.search(r"struct _cl_icd_dispatch \{(.*?)\n\}", text, re.DOTALL)
    if not body:
        raise SpecError(str(path), 1, "no struct _cl_icd_dispatch")
    code = re.sub(r"^\s*#.*$", "", body.group(1), flags=re.MULTILINE)
    members = [re.findall(r"\w+", one)[-1] for one in code.split(";") if one.strip()]
    return list(dict.fromkeys(members))


def _blank_comments(text: str) -> str:
    """Comments become blanks, so that positions keep their line."""
    def blank(match: re.Match) -> str:
        return re.sub(r"[^\n]", " ", match.group(0))
    return re.sub(r"/\*.*?\*/|//[^\n]*", blank, text, flags=re.DOTALL)


def _tidy(text: str) -> str:
    """`const char *   name` -> `const char* name`"""
    return re.sub(r"\s*(\*+)\s*(?=\w)", r"\1 ", re.sub(r"\s+\*", "*", " ".join(text.split())))


def _function(path: str, text: str, start: int) -> Function:
    line = text.count("\n", 0, start) + 1
    head = _HEAD.match(text, start)
    if not head:
        raise SpecError(path, line, "cannot read this declaration")
    close = _closing(text, head.end() - 1, path, line)
    end = text.find(";", close)
    suffix = _SUFFIX.search(text[close:end])
    return Function(
        name=head.group("name"),
        returns=_tidy(head.group("returns")),
        params=_params(path, text, head.end(), close),
        path=path,
        line=line,
        version=f"{suffix.group(1)}.{suffix.group(2)}" if suffix else "",
        deprecated=bool(suffix and suffix.group(3)),
    )


def _closing(text: str, open_at: int, path: str, line: int) -> int:
    depth = 0
    for at in range(open_at, len(text)):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if depth == 0:
            return at
    raise SpecError(path, line, "unbalanced parentheses")


def _params(path: str, text: str, start: int, end: int) -> list[Param]:
    pieces, depth, begin = [], 0, start
    for at in range(start, end):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if text[at] == "," and depth == 0:
            pieces.append((begin, text[begin:at]))
            begin = at + 1
    pieces.append((begin, text[begin:end]))
    params = []
    for offset, piece in pieces:
        at = offset + len(piece) - len(piece.lstrip())
        declaration = _tidy(piece)
        if declaration not in ("", "void"):
            params.append(_param(path, text.count("\n", 0, at) + 1, declaration))
    return params


def _param(path: str, line: int, declaration: str) -> Param:
    if callback := _CALLBACK.search(declaration):
        name = callback.group(1)
        kind = declaration[: callback.start(1)] + declaration[callback.end(1):]
        return Param(name, declaration, kind, line, is_callback=True)
    plain = _PLAIN.match(declaration)
    if not plain or not plain.group("type").strip():
        raise SpecError(path, line, f"cannot read parameter '{declaration}'")
    array = "[]" if plain.group("array") else ""
    return Param(plain.group("name"), declaration, plain.group("type").strip() + array, line)
