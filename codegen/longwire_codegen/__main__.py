"""Command line. Run by cmake/Codegen.cmake: python3 -m longwire_codegen --api DIR --out DIR …"""

import argparse
import sys
from pathlib import Path

from .emit.messages import emit_messages
from .emit.render import BANNER, write_if_changed
from .errors import SpecError
from .layout_lock import LayoutLock
from .messages import parse_messages
from .toml_source import TomlSource


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="longwire_codegen", description=__doc__)
    parser.add_argument("--api", type=Path, required=True, help="folder with messages.toml, …")
    parser.add_argument("--out", type=Path, help="where the C++ goes")
    parser.add_argument("--update-lock", action="store_true", help="append what is new to the lock")
    return parser.parse_args()


def _run(arguments: argparse.Namespace) -> None:
    api = TomlSource(arguments.api / "functions.toml").data["api"]
    messages = parse_messages(arguments.api / "messages.toml")
    lock = LayoutLock(arguments.api / f"{api['name']}.lock", api["first_opcode"])
    lock.apply(messages, arguments.update_lock)
    if arguments.update_lock:
        lock.write()
    if not arguments.out:
        return
    banner = BANNER.format(sources=f"api/{api['name']}")
    for name, text in emit_messages(messages, api["name"], banner).items():
        write_if_changed(arguments.out / name, text)


def main() -> int:
    try:
        _run(_arguments())
    except SpecError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
