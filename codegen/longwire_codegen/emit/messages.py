"""Message structs, their encoding and decoding, opcodes, and the visitor that tests use."""

from ..model import Field, Message, Messages, Struct
from .render import render

# Fewest bytes on the wire, for checking counts before allocating.
_LEAST_RECORD_BYTES = 8

_WRITERS = {
    "u32": "wire::put_u32(out, {v});",
    "u64": "out.u64({v});",
    "i32": "wire::put_i32(out, {v});",
    "i64": "out.i64({v});",
    "f32": "wire::put_f32(out, {v});",
    "f64": "out.f64({v});",
    "handle": "out.handle({v});",
    "string": "out.string({v});",
    "bytes": "out.bytes({v});",
    "u64s": "wire::put_view(out, {v});",
    "i32s": "wire::put_view(out, {v});",
    "handles": "wire::put_view(out, {v});",
    "blob": "wire::put_blob(out, {v});",
    "strings": "wire::put_strings(out, {v});",
    "blobs": "wire::put_blobs(out, {v});",
    "record": "put_record(out, {v});",
    "list": "put_list(out, {v});",
}
_READERS = {
    "u32": "{v} = wire::get_u32(in, {w});",
    "u64": "{v} = in.u64({w});",
    "i32": "{v} = wire::get_i32(in, {w});",
    "i64": "{v} = in.i64({w});",
    "f32": "{v} = wire::get_f32(in, {w});",
    "f64": "{v} = in.f64({w});",
    "handle": "{v} = in.handle({w});",
    "string": "{v} = in.string({w});",
    "bytes": "{v} = in.bytes({w});",
    "u64s": "{v} = in.array({w});",
    "i32s": "{v} = in.array({w});",
    "handles": "{v} = in.array({w});",
    "blob": "{v} = wire::get_blob(in, {w});",
    "strings": "{v} = wire::get_strings(in, {w});",
    "blobs": "{v} = wire::get_blobs(in, {w});",
    "record": "get_record(in, {v}, {w});",
    "list": "get_list(in, {v}, {w});",
}


def put_field(one: Field) -> str:
    return _WRITERS[one.type.kind].format(v=f"m.{one.name}")


def get_field(owner: Struct, one: Field) -> str:
    what = f'"{owner.name}.{one.name}"'
    read = _READERS[one.type.kind].format(v=f"m.{one.name}", w=what)
    return f"if (in.ok() && in.remaining() != 0) {read}" if one.optional else read


def declare_field(one: Field) -> str:
    initial = " = 0" if one.type.is_scalar else "{}"
    doc = f"  // {one.doc}" if one.doc else ""
    return f"{one.type.cpp} {one.name}{initial};{doc}"


def structs_of(messages: Messages) -> list[tuple[str, Struct]]:
    """(C++ type, struct) of everything that is encoded, in declaration order."""
    result = [(f"record::{r.name}", r) for r in messages.records]
    for message in messages.messages + messages.pushes:
        space = "push" if message.is_push else "msg"
        result.append((f"{space}::{message.name}", message))
        if message.reply:
            result.append((f"{space}::{message.name}::Reply", message.reply))
    return result


def control_opcode(push: Message) -> str:
    return f"wire::kOp{push.name}"


def emit_messages(messages: Messages, api: str, banner: str) -> dict[str, str]:
    values = dict(
        banner=banner, api=api, messages=messages, structs=structs_of(messages),
        declare_field=declare_field, put_field=put_field, get_field=get_field,
        control_opcode=control_opcode, least_record_bytes=_LEAST_RECORD_BYTES,
    )
    return {
        name: render(f"{name}.j2", **values)
        for name in ("messages.h", "messages.cc", "opcodes.h", "message_visit.h")
    }
