"""The lock file: which opcode a message has and which layout was ever released. Append-only.

    0x1000 EnqueueX queue:handle,event:handle|added_later:u64 -> data:bytes
    record info param:u32,value:bytes
    push EventsDone events:list<event_done>
    0x1001 retired OldName

`|` begins the fields of a later release: a decoder takes them as absent where a message ends before
them. A message without fields has `-`.
"""

from dataclasses import dataclass, field
from pathlib import Path

from .errors import SpecError
from .model import Field, Message, Messages, Struct

_HEADER = """\
# Opcodes and layouts of the messages in messages.toml. Append-only: reviewed, never edited by hand.
# Checked at every build; `./dev build -- opencl_update_lock` appends. Format: codegen/longwire_codegen/layout_lock.py
"""


@dataclass
class _Entry:
    line: int
    opcode: int | None  # None: a record or push
    key: str  # "record info", "push EventsDone" or "message EnqueueX"
    fields: list[list[str]] = field(default_factory=list)  # generations of "name:type"
    reply: list[list[str]] | None = None
    retired: bool = False


class LayoutLock:
    def __init__(self, path: Path, first_opcode: int):
        self.path = path
        self.first_opcode = first_opcode
        self.entries: list[_Entry] = []
        if path.exists():
            for number, line in enumerate(path.read_text().splitlines(), start=1):
                if line.strip() and not line.startswith("#"):
                    try:
                        self._read(number, line.split())
                    except (IndexError, ValueError) as error:
                        raise self._error(number, "cannot read this line") from error

    # Checks `messages` against the lock, then sets opcodes and optional fields. With `update`,
    # what is new is appended instead of refused.
    def apply(self, messages: Messages, update: bool) -> None:
        self._check_nothing_lost(messages)
        for kind, structs in (("record", messages.records), ("push", messages.pushes),
                              ("message", messages.messages)):
            for struct in structs:
                self._apply_one(messages, f"{kind} {struct.name}", struct, update)

    def write(self) -> None:
        self.path.write_text(_HEADER + "".join(_format(e) + "\n" for e in self.entries))

    def _how_to_append(self) -> str:
        return f"append it with ./dev build -- {self.path.stem}_update_lock"

    def _error(self, line: int, message: str) -> SpecError:
        return SpecError(str(self.path), line, message)

    def _read(self, number: int, words: list[str]) -> None:
        entry = _Entry(number, None, "")
        if words[0] in ("record", "push"):
            entry.key = f"{words[0]} {words[1]}"
        else:
            entry.opcode = int(words[0], 16)
            entry.retired = words[1] == "retired"
            entry.key = f"message {words[2] if entry.retired else words[1]}"
        if not entry.retired:
            entry.fields = _parse_fields(words[2])
            if len(words) == 5 and words[3] == "->":
                entry.reply = _parse_fields(words[4])
        self._check_unique(entry)
        self.entries.append(entry)

    def _check_unique(self, entry: _Entry) -> None:
        for other in self.entries:
            if entry.opcode is not None and other.opcode == entry.opcode:
                raise self._error(
                    entry.line, f"opcode {entry.opcode:#06x} is used again (line {other.line})"
                )
            if other.key == entry.key:
                raise self._error(entry.line, f"{entry.key} is locked twice (line {other.line})")

    def _check_nothing_lost(self, messages: Messages) -> None:
        present = {f"record {r.name}" for r in messages.records}
        present |= {f"push {p.name}" for p in messages.pushes}
        present |= {f"message {m.name}" for m in messages.messages}
        for entry in self.entries:
            if not entry.retired and entry.key not in present:
                raise self._error(entry.line, f"locked {entry.key} is missing from {messages.path}")
            if entry.retired and entry.key in present:
                raise self._error(entry.line, f"{entry.key} is retired; choose another name")

    def _apply_one(self, messages: Messages, key: str, struct: Struct, update: bool) -> None:
        entry = next((e for e in self.entries if e.key == key), None)
        if entry is None:
            if not update:
                raise SpecError(messages.path, struct.line,
                                f"{key} is not in {self.path.name} yet: {self._how_to_append()}")
            entry = self._append(key)
        self._merge(messages, key, entry.fields, struct.fields, update)
        if isinstance(struct, Message):
            struct.opcode = entry.opcode or 0
            self._apply_reply(messages, key, entry, struct, update)

    def _append(self, key: str) -> _Entry:
        opcode = None
        if key.startswith("message "):
            used = [e.opcode for e in self.entries if e.opcode is not None]
            opcode = max(used, default=self.first_opcode - 1) + 1
        entry = _Entry(0, opcode, key)
        self.entries.append(entry)
        return entry

    def _apply_reply(self, messages, key: str, entry: _Entry, message: Message, update: bool) -> None:
        if entry.reply is not None and message.reply is None:
            raise SpecError(messages.path, message.line, f"{key} has lost its locked reply")
        if message.reply is not None:
            if entry.reply is None:
                if entry.line != 0 and not update:
                    raise SpecError(messages.path, message.line, f"{key} has a reply that is not in "
                                    f"{self.path.name} yet: {self._how_to_append()}")
                entry.reply = []
            self._merge(messages, f"reply of {key}", entry.reply, message.reply.fields, update)

    def _merge(self, messages: Messages, key: str, generations: list[list[str]],
               fields: list[Field], update: bool) -> None:
        locked = [text for generation in generations for text in generation]
        for index, text in enumerate(locked):
            if index >= len(fields) or _field_text(fields[index]) != text:
                at = fields[index].line if index < len(fields) else _line_of(fields)
                raise SpecError(messages.path, at, f"{key}: locked field {index} is '{text}'; "
                                "append fields, never change them")
        added = fields[len(locked):]
        if added and generations and not update:
            raise SpecError(messages.path, added[0].line, f"{key}: field '{added[0].name}' is not in "
                            f"{self.path.name} yet: {self._how_to_append()}")
        if added or not generations:
            generations.append([_field_text(f) for f in added])
        first_release = len(generations[0])
        for index, one in enumerate(fields):
            one.optional = index >= first_release


def _line_of(fields: list[Field]) -> int:
    return fields[-1].line if fields else 1


def _field_text(one: Field) -> str:
    return f"{one.name}:{one.type.text}"


def _parse_fields(word: str) -> list[list[str]]:
    if word == "-":
        return [[]]
    return [[t for t in generation.split(",") if t and t != "-"] for generation in word.split("|")]


def _format_fields(generations: list[list[str]]) -> str:
    return "|".join(",".join(g) or "-" for g in generations)


def _format(entry: _Entry) -> str:
    kind, name = entry.key.split()
    if entry.retired:
        return f"{entry.opcode:#06x} retired {name}"
    head = f"{entry.opcode:#06x} {name}" if kind == "message" else entry.key
    reply = "" if entry.reply is None else f" -> {_format_fields(entry.reply)}"
    return f"{head} {_format_fields(entry.fields)}{reply}"
