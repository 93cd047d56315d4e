"""messages.toml -> Messages."""

import re
from pathlib import Path

from .errors import SpecError
from .model import SCALARS, VECTORS, VIEWS, Field, FieldType, Message, Messages, Struct
from .toml_source import TomlSource

_NAME = re.compile(r"^[A-Z][A-Za-z0-9]*$")
_FIELD_NAME = re.compile(r"^[a-z][a-z0-9_]*$")
_LIST = re.compile(r"^list<([a-z][a-z0-9_]*)>$")
_CPP_WORDS = frozenset(
    "alignas asm auto bool break case catch char class const continue default delete do double "
    "else enum explicit export extern false float for friend goto if inline int long mutable "
    "namespace new operator private protected public register return short signed sizeof static "
    "struct switch template this throw true try typedef union unsigned using virtual void "
    "volatile while reply".split()
)


class _Parser:
    def __init__(self, source: TomlSource):
        self.source = source
        self.result = Messages(path=source.path)
        self.records: dict[str, Struct] = {}

    def run(self) -> Messages:
        data = self.source.data
        for section in data:
            if section not in ("record", "message", "push"):
                raise self.source.error(section, "", f"unknown section [{section}]")
        for name, body in data.get("record", {}).items():
            self.records[name] = self._record(name, body)
        self.result.records = list(self.records.values())
        self.result.messages = [
            self._message("message", name, body) for name, body in data.get("message", {}).items()
        ]
        self.result.pushes = [
            self._message("push", name, body) for name, body in data.get("push", {}).items()
        ]
        return self.result

    def _record(self, name: str, body: dict) -> Struct:
        table = f"record.{name}"
        if not _FIELD_NAME.match(name) or name in SCALARS | VIEWS | VECTORS:
            raise self.source.error(table, "", f"'{name}' cannot name a record")
        return Struct(
            name, self._fields(table, "", body), self.source.line(table), self.source.comment(table)
        )

    def _message(self, section: str, name: str, body: dict) -> Message:
        table = f"{section}.{name}"
        if not _NAME.match(name):
            raise self.source.error(table, "", f"'{name}' cannot name a message: use CamelCase")
        body = dict(body)
        reply = body.pop("reply", None)
        fields = self._fields(table, "", body)
        message = Message(
            name, fields, self.source.line(table), self.source.comment(table),
            is_push=section == "push",
        )
        if reply is not None:
            if not any(f.name == "token" and f.type.kind == "u64" for f in fields):
                raise self.source.error(table, "", f"{name} has a reply, but no field token = \"u64\"")
            message.reply = Struct(
                f"{name}.Reply", self._fields(table, "reply.", reply), message.line
            )
        return message

    def _fields(self, table: str, prefix: str, body: dict) -> list[Field]:
        return [self._field(table, prefix + name, name, text) for name, text in body.items()]

    def _field(self, table: str, key: str, name: str, text) -> Field:
        if not _FIELD_NAME.match(name) or name in _CPP_WORDS:
            raise self.source.error(table, key, f"'{name}' cannot name a field")
        if not isinstance(text, str):
            raise self.source.error(table, key, f"the type of '{name}' must be a string")
        line = self.source.line(table, key)
        return Field(name, self._type(table, key, text), line, self.source.comment(table, key))

    def _type(self, table: str, key: str, text: str) -> FieldType:
        if text in SCALARS or text in VIEWS or text in VECTORS:
            return FieldType(text, text)
        if listed := _LIST.match(text):
            return FieldType(text, "list", self._known_record(table, key, listed.group(1)))
        if text in self.records:
            return FieldType(text, "record", text)
        raise self.source.error(table, key, f"unknown type '{text}'")

    def _known_record(self, table: str, key: str, name: str) -> str:
        # Records refer to earlier ones only, so nothing nests without end.
        if name not in self.records:
            raise self.source.error(table, key, f"unknown record '{name}' (declare it above)")
        return name


def parse_messages(path: Path) -> Messages:
    return _Parser(TomlSource(path)).run()


__all__ = ["parse_messages", "SpecError"]
