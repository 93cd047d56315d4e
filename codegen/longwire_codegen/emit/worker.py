"""The worker's side: decoding and dispatch of every message, and the commands that need no thought."""

from dataclasses import dataclass, field

from ..errors import SpecError
from ..model import Api, ApiFunction, Field, Message, Param
from ..overlay import OBJECT_KINDS
from .render import render

_KIND_OF_TYPE = {cpp: kind for kind, cpp in OBJECT_KINDS.items()}
_INVALID = {
    "context": "CL_INVALID_CONTEXT", "queue": "CL_INVALID_COMMAND_QUEUE",
    "mem": "CL_INVALID_MEM_OBJECT", "sampler": "CL_INVALID_SAMPLER",
    "program": "CL_INVALID_PROGRAM", "kernel": "CL_INVALID_KERNEL", "event": "CL_INVALID_EVENT",
    "device": "CL_INVALID_DEVICE",
}
_ENQUEUE_ARGUMENTS = {
    "command_queue": "at.queue()",
    "num_events_in_wait_list": "at.wait_count()",
    "event_wait_list": "at.wait_events()",
    "event": "at.event_slot()",
}


@dataclass
class EnqueueCode:
    message: Message
    function: ApiFunction
    statements: list[str] = field(default_factory=list)  # locals; may call at.fail()
    arguments: list[str] = field(default_factory=list)  # of the native call


def enqueue_code(message: Message, function: ApiFunction) -> EnqueueCode:
    code = EnqueueCode(message, function)
    by_param = {param: message_field(message, name) for name, param in function.map.items()}
    lengths = _length_params(function, by_param)
    for name, (owner, expression) in lengths.items():
        code.statements.append(f"const auto {name} = {expression};")
    for param in function.params:
        if param.name in _ENQUEUE_ARGUMENTS:
            code.arguments.append(_ENQUEUE_ARGUMENTS[param.name])
        elif param.name in lengths:
            code.arguments.append(param.name)
        elif param.name in by_param:
            code.arguments.append(_argument(code, function, param, by_param[param.name]))
        else:
            raise SpecError(*function.overlay,
                            f"{function.name}: nothing gives '{param.name}' on the worker")
    return code


def message_field(message: Message, name: str) -> Field:
    return next(f for f in message.fields if f.name == name)


# Parameters that say how long another is: their value comes from that one's field.
def _length_params(function: ApiFunction, by_param: dict[str, Field]) -> dict[str, tuple[str, str]]:
    lengths = {}
    for name, spec in function.specs.items():
        length = function.param(spec.length)
        if length is None or name not in by_param or spec.nullable:
            continue
        one = by_param[name]
        size = f"m.{one.name}.size()"
        value = f"at.dimensions({size})" if one.type.kind == "u64s" else size
        lengths[length.name] = (name, f"static_cast<{length.type}>({value})")
    return lengths


def _argument(code: EnqueueCode, function: ApiFunction, param: Param, one: Field) -> str:
    kind = one.type.kind
    spec = function.specs.get(param.name)
    if kind == "handle" and param.type in _KIND_OF_TYPE:
        code.statements.append(f"const auto {one.name} = at.{_KIND_OF_TYPE[param.type]}(m.{one.name});")
        return one.name
    if kind == "u64s" and spec:
        nullable = ", Sizes::kMayBeEmpty" if spec.nullable else ""
        code.statements.append(f"const Sizes {one.name}(m.{one.name}, {spec.length}, at{nullable});")
        return f"{one.name}.data()"
    if kind == "bytes" and spec:
        fixed = 16 if spec.form == "image_color" else spec.fixed_length
        if fixed is not None:
            code.statements.append(f"if (m.{one.name}.size() != {fixed}) at.fail(CL_INVALID_VALUE);")
        return f"m.{one.name}.data()"
    if kind == "handles" and spec and param.pointee in _KIND_OF_TYPE:
        code.statements.append(f"const auto {one.name} = at.{_KIND_OF_TYPE[param.pointee]}s(m.{one.name});")
        return f"{one.name}.data()"
    if one.type.is_scalar and not param.is_pointer:
        return f"static_cast<{param.type}>(m.{one.name})"
    raise SpecError(*function.overlay,
                    f"{function.name}: no way from {one.type.text} '{one.name}' to '{param.declaration}'")


def emit_worker(api: Api, banner: str) -> dict[str, str]:
    enqueues = [
        enqueue_code(m, api.mapped_function(m.name))
        for m in api.messages.messages if api.mapped_function(m.name)
    ]
    values = dict(
        banner=banner, api=api.name, messages=api.messages.messages, enqueues=enqueues,
        calls=list(api.worker_calls.values()), kinds=OBJECT_KINDS, invalid=_INVALID,
        autos=[m for m in api.messages.messages if api.is_auto_on_worker(m.name)],
        by_hand=[m for m in api.messages.messages if not api.is_auto_on_worker(m.name)],
    )
    return {name: render(f"{name}.j2", **values)
            for name in ("worker_dispatch.h", "worker_dispatch.cc", "test_handlers.h")}
