"""docs/coverage-<api>.md: every function, and what becomes of it."""

from collections import Counter

from ..model import Api, ApiFunction
from .render import render

_MEANING = {
    "auto": "generated on both sides",
    "client_custom": "by hand on the client, generated on the worker",
    "worker_custom": "generated on the client, by hand on the worker",
    "both_custom": "by hand on both sides",
    "client_local": "by hand on the client; nothing crosses the wire",
    "alias": "another name of a function",
    "unsupported": "fails with the API's own error",
}


def _trips(api: Api, function: ApiFunction) -> str:
    if function.trips:
        return function.trips
    if function.alias_of:
        return _trips(api, api.function(function.alias_of))
    # The first message is the call's own; a reply to ReleaseObject or an upload is not waited for.
    for name in function.messages[:1]:
        if api.messages.message(name).reply:
            return "1 when blocking, else 0" if function.name.startswith("clEnqueue") else "1"
    return "0"


def _notes(function: ApiFunction) -> str:
    parts = []
    if function.alias_of:
        parts.append(f"is `{function.alias_of}`")
    if function.disposition == "unsupported" and function.error:
        parts.append(f"`{function.error}`")
    if function.notes:
        parts.append(function.notes)
    return "; ".join(parts)


def _since(function: ApiFunction) -> str:
    if function.extension:
        return function.extension
    return f"until {function.version}" if function.deprecated else function.version


def emit_coverage(api: Api) -> str:
    rows = [
        (f.name, _since(f), f.disposition, ", ".join(f.messages), _trips(api, f), _notes(f))
        for f in api.functions
    ]
    counts = Counter(f.disposition for f in api.functions)
    return render("coverage.md.j2", api=api, rows=rows, counts=counts, meaning=_MEANING)
