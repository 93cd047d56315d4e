"""The constants of cl.h, grouped by the comment above them (`/* cl_device_info */`), for traces."""

import re
from pathlib import Path

from .model import Enum

_GROUP = re.compile(r"^/\*\s*(.*?)\s*\*/\s*$")
_DEFINE = re.compile(r"^#define\s+(CL_\w+)\s+(\S.*?)\s*(?:/\*.*)?$")
_SHIFT = re.compile(r"^\(\s*1\s*<<\s*(\d+)\s*\)$")


def parse_enums(headers: list[Path]) -> dict[str, Enum]:
    """By type name; "error" holds every negative constant."""
    errors = Enum("error")
    enums: dict[str, Enum] = {"error": errors}
    for path in headers:
        text = path.read_text(encoding="utf-8", errors="replace")
        bitfields = set(re.findall(r"typedef\s+cl_bitfield\s+(\w+)\s*;", text))
        group: list[Enum] = []
        for line in text.splitlines():
            if comment := _GROUP.match(line):
                if "reserved" not in comment.group(1).lower():
                    group = _group(enums, comment.group(1), bitfields)
            elif define := _DEFINE.match(line):
                _add(define.group(1), define.group(2), group, errors)
    return {name: enum for name, enum in enums.items() if enum.names}


def _group(enums: dict[str, Enum], comment: str, bitfields: set[str]) -> list[Enum]:
    types = [w for w in re.findall(r"\w+", comment) if w.startswith("cl_")]
    if comment == "Error Codes":
        types = ["error"]
    return [enums.setdefault(t, Enum(t, is_bitfield=t in bitfields)) for t in types]


def _add(name: str, text: str, group: list[Enum], errors: Enum) -> None:
    value = _value(text)
    if value is None:
        return
    for enum in group if value >= 0 or errors in group else [errors]:
        enum.names.setdefault(value, name)


def _value(text: str) -> int | None:
    if shift := _SHIFT.match(text):
        return 1 << int(shift.group(1))
    try:
        return int(text.strip("()"), 0)
    except ValueError:
        return None
