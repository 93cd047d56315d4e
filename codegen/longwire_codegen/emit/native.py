"""The vendor driver's functions as a table, and a gmock of it."""

from ..model import Api, ApiFunction
from .render import render


def signature(function: ApiFunction) -> str:
    return ", ".join(p.declaration for p in function.params) or "void"


def is_required(function: ApiFunction) -> bool:
    return not function.is_optional_native and function.disposition != "unsupported"


def mock_argument(declaration_type: str) -> str:
    # Commas inside a callback's type would split the macro's argument: parenthesised.
    return f"({declaration_type})" if "," in declaration_type else declaration_type


def emit_native(api: Api, banner: str) -> dict[str, str]:
    values = dict(banner=banner, api=api.name, functions=api.functions, signature=signature,
                  is_required=is_required, mock_argument=mock_argument)
    return {name: render(f"{name}.j2", **values)
            for name in ("native_api.h", "native_api.cc", "mock_native.h")}
