"""What the parsers produce and the emitters consume."""

from dataclasses import dataclass, field

# Field types that need no further word, and their C++ types.
SCALARS = {
    "u32": "std::uint32_t",
    "u64": "std::uint64_t",
    "i32": "std::int32_t",
    "i64": "std::int64_t",
    "f32": "float",
    "f64": "double",
    "handle": "wire::Handle",
}
VIEWS = {
    "string": "std::string_view",
    "bytes": "std::span<const std::byte>",
    "u64s": "wire::U64View",
    "i32s": "wire::U64View",
    "handles": "wire::U64View",
    "blob": "wire::Blob",
}
VECTORS = {
    "strings": "std::vector<std::string_view>",
    "blobs": "std::vector<wire::Blob>",
}


@dataclass(frozen=True)
class FieldType:
    text: str  # as written: "u32", "list<info>", "kernel"
    kind: str  # a key of the tables above, "record" or "list"
    record: str = ""

    @property
    def cpp(self) -> str:
        if self.kind == "record":
            return f"record::{self.record}"
        if self.kind == "list":
            return f"std::vector<record::{self.record}>"
        return SCALARS.get(self.kind) or VIEWS.get(self.kind) or VECTORS[self.kind]

    @property
    def is_scalar(self) -> bool:
        return self.kind in SCALARS


@dataclass
class Field:
    name: str
    type: FieldType
    line: int
    doc: str = ""
    optional: bool = False  # appended after the message's first release: peers may not send it


@dataclass
class Struct:
    """A record, the fields of a message, or the fields of a reply."""

    name: str
    fields: list[Field]
    line: int
    doc: str = ""


@dataclass
class Message(Struct):
    reply: Struct | None = None
    opcode: int = 0
    is_push: bool = False


@dataclass
class Messages:
    path: str
    records: list[Struct] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    pushes: list[Message] = field(default_factory=list)

    def message(self, name: str) -> Message | None:
        return next((m for m in self.messages if m.name == name), None)
