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


# --- the API's functions ---------------------------------------------------------------------------


@dataclass
class Param:
    name: str
    declaration: str  # as C: "const size_t * origin", whole, with the name
    type: str  # without the name: "const size_t *"; callbacks too: "void (CL_CALLBACK *)(…)"
    line: int
    is_callback: bool = False

    @property
    def is_pointer(self) -> bool:
        return self.is_callback or "*" in self.type or self.type.endswith("[]")

    @property
    def pointee(self) -> str:
        base = self.type[:-2] if self.type.endswith("[]") else self.type.rstrip().removesuffix("*")
        return base.replace("const", "").strip()


@dataclass
class Function:
    name: str
    returns: str
    params: list[Param]
    path: str
    line: int
    version: str = ""  # "1.2"; empty for extensions
    deprecated: bool = False

    @property
    def api_name(self) -> str:
        return self.name.removeprefix("cl")

    def param(self, name: str) -> Param | None:
        return next((p for p in self.params if p.name == name), None)


@dataclass
class ParamSpec:
    """What the overlay says about a pointer parameter."""

    direction: str  # in, out, inout, opaque, callback
    length: str = ""  # as written; empty for strings, zero_terminated, opaque, callback
    form: str = ""  # one of overlay.FORMS, or ""
    nullable: bool = False

    @property
    def fixed_length(self) -> int | None:
        return int(self.length) if self.length.isdigit() else None


@dataclass
class WorkerCall:
    """The generated worker side of a message that is not derived from a `map`."""

    message: str
    call: str
    lookup: dict[str, str]  # handle field -> kind of object
    creates: str = ""  # field that names the new object
    reports: str = ""  # or whose failure it is
    requires: str = ""  # optional native function
    line: int = 0


@dataclass
class ApiFunction(Function):
    """A function with what the overlay says about it."""

    disposition: str = "unsupported"
    messages: list[str] = field(default_factory=list)
    specs: dict[str, ParamSpec] = field(default_factory=dict)
    map: dict[str, str] = field(default_factory=dict)
    command_type: str = ""
    error: str = ""
    alias_of: str = ""
    extension: str = ""
    trips: str = ""
    notes: str = ""
    overlay: tuple[str, int] = ("", 0)  # file and line, for errors

    @property
    def is_generated_client(self) -> bool:
        return self.disposition in ("auto", "worker_custom", "unsupported") or bool(self.alias_of)

    @property
    def is_auto_enqueue(self) -> bool:
        return self.disposition in ("auto", "worker_custom")

    @property
    def is_optional_native(self) -> bool:
        return bool(self.extension) or self.version >= "2.0"


@dataclass
class Api:
    name: str
    first_opcode: int
    messages: Messages
    functions: list[ApiFunction]
    not_offered: dict[str, tuple[str, list[str]]]  # pattern -> (reason, functions)
    worker_calls: dict[str, WorkerCall]
    dispatch_table: list[str] = field(default_factory=list)  # members of cl_icd_dispatch
    enums: dict[str, "Enum"] = field(default_factory=dict)

    def function(self, name: str) -> ApiFunction | None:
        return next((f for f in self.functions if f.name == name), None)

    def mapped_function(self, message: str) -> ApiFunction | None:
        """The function whose `map` defines the worker's side of a message."""
        return next(
            (f for f in self.functions
             if f.messages == [message] and f.command_type and f.disposition in ("auto", "client_custom")
             and (f.map or f.disposition == "auto")),
            None,
        )

    def is_auto_on_worker(self, message: str) -> bool:
        return message in self.worker_calls or self.mapped_function(message) is not None


@dataclass
class Enum:
    """The #defines of one C type: values to names."""

    type: str  # "cl_device_info"; "error" for the error codes
    names: dict[int, str] = field(default_factory=dict)
    is_bitfield: bool = False
