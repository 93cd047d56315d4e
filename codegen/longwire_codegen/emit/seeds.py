"""One valid payload per message, push and reply, as the fuzzers' first inputs.

Encoded here, in Python, from the description alone: so the tests that decode them also check the
generated C++ against a second reading of docs/PROTOCOL.md.
"""

import struct

from ..model import FieldType, Messages, Struct
from .messages import structs_of

_TEXT = b"longwire"
_NUMBERS = (3, 5, 8)


def _u64(value: int) -> bytes:
    return struct.pack("<Q", value & (2**64 - 1))


def _bytes(data: bytes) -> bytes:
    return _u64(len(data)) + data + bytes(-len(data) % 8)


class _Encoder:
    def __init__(self, messages: Messages):
        self.records = {r.name: r for r in messages.records}

    def struct(self, what: Struct) -> bytes:
        return b"".join(self._field(one.type) for one in what.fields)

    def _field(self, kind: FieldType) -> bytes:
        match kind.kind:
            case "u32" | "u64" | "i64":
                return _u64(7)
            case "i32":
                return _u64(-30)
            case "f32":
                return _u64(struct.unpack("<I", struct.pack("<f", 1.5))[0])
            case "f64":
                return struct.pack("<d", 2.5)
            case "handle":
                return _u64(0x0500000000000001)
            case "string" | "bytes":
                return _bytes(_TEXT)
            case "u64s" | "handles":
                return _u64(len(_NUMBERS)) + b"".join(map(_u64, _NUMBERS))
            case "i32s":
                return _u64(1) + _u64(-1)
            case "blob":
                return self._blob()
            case "strings":
                return _u64(2) + _bytes(b"one") + _bytes(b"")
            case "blobs":
                return _u64(1) + self._blob()
            case "record":
                return self._record(kind.record)
            case "list":
                return _u64(1) + self._record(kind.record)
        raise AssertionError(kind)

    def _blob(self) -> bytes:
        return _u64(0) + _u64(0) + _u64(len(_TEXT)) + _bytes(_TEXT)

    def _record(self, name: str) -> bytes:
        data = self.struct(self.records[name])
        return _u64(len(data)) + data


def emit_seeds(messages: Messages) -> dict[str, bytes]:
    """File name -> u64 index (as for_each_struct counts), then the payload."""
    encoder = _Encoder(messages)
    sent = [s for name, s in structs_of(messages) if not name.startswith("record")]
    return {
        f"fuzz_seeds/{index:03}_{one.name.replace('.', '_')}.bin": _u64(index) + encoder.struct(one)
        for index, one in enumerate(sent)
    }
