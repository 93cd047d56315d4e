"""Command line. Run by cmake/Codegen.cmake: python3 -m longwire_codegen --api DIR --out DIR …"""

import argparse
import sys
from pathlib import Path

from .emit.client import emit_client
from .emit.coverage import emit_coverage
from .emit.entry import emit_entry
from .emit.messages import emit_messages
from .emit.native import emit_native
from .emit.render import BANNER, write_if_changed
from .emit.seeds import emit_seeds
from .emit.worker import emit_worker
from .enum_parser import parse_enums
from .errors import SpecError
from .header_parser import parse_dispatch_table, parse_header
from .layout_lock import LayoutLock
from .messages import parse_messages
from .model import Api
from .overlay import apply_overlay
from .toml_source import TomlSource


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="longwire_codegen", description=__doc__)
    parser.add_argument("--api", type=Path, required=True, help="folder with messages.toml, …")
    parser.add_argument("--header", type=Path, action="append", default=[], help="C header of the API")
    parser.add_argument("--dispatch", type=Path, help="header with struct _cl_icd_dispatch")
    parser.add_argument("--out", type=Path, help="where the C++ goes")
    parser.add_argument("--update-lock", action="store_true", help="append what is new to the lock")
    parser.add_argument("--coverage", type=Path, help="where the coverage page goes")
    parser.add_argument("--check", action="store_true", help="compare the page instead of writing it")
    return parser.parse_args()


def read_api(folder: Path, headers: list[Path], dispatch: Path | None = None,
             update_lock: bool = False) -> Api:
    overlay = TomlSource(folder / "functions.toml")
    about = overlay.data["api"]
    messages = parse_messages(folder / "messages.toml")
    lock = LayoutLock(folder / f"{about['name']}.lock", about["first_opcode"])
    lock.apply(messages, update_lock)
    functions = {}
    for header in headers:
        for function in parse_header(header):
            functions.setdefault(function.name, function)
    api = apply_overlay(overlay, list(functions.values()), messages)
    api.enums = parse_enums(headers)
    if dispatch:
        api.dispatch_table = parse_dispatch_table(dispatch)
    if update_lock:
        lock.write()
    return api


def emit(api: Api) -> dict[str, str | bytes]:
    banner = BANNER.format(sources=f"api/{api.name}")
    seeds = emit_seeds(api.messages)
    return {
        **emit_messages(api.messages, api.name, banner),
        **emit_native(api, banner),
        **emit_worker(api, banner),
        **emit_client(api, banner),
        **emit_entry(api, banner),
        **seeds,
        "fuzz_seeds.txt": "".join(f"{name}\n" for name in seeds),
    }


def _run(arguments: argparse.Namespace) -> None:
    api = read_api(arguments.api, arguments.header, arguments.dispatch, arguments.update_lock)
    if arguments.out:
        for name, text in emit(api).items():
            write_if_changed(arguments.out / name, text)
    if arguments.coverage:
        _coverage(api, arguments.coverage, arguments.check)


def _coverage(api: Api, page: Path, check: bool) -> None:
    text = emit_coverage(api)
    if not check:
        write_if_changed(page, text)
    elif not page.exists() or page.read_text(encoding="utf-8") != text:
        raise SpecError(str(page), 1, f"is out of date: ./dev build -- {api.name}_coverage")


def main() -> int:
    try:
        _run(_arguments())
    except SpecError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
