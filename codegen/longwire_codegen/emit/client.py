"""The client's side: declarations for the hand-written functions, definitions of the rest."""

from dataclasses import dataclass, field

from ..errors import SpecError
from ..model import Api, ApiFunction, Field, Message, Param
from .native import signature
from .render import render
from .worker import message_field

_COMMON_FIELDS = {"queue": "queue", "wait_list": "wait_list", "event": "event_handle"}
_COMMON_PARAMS = ("command_queue", "num_events_in_wait_list", "event_wait_list", "event")


@dataclass
class EnqueueStub:
    function: ApiFunction
    message: Message
    check_params: list[Param]
    locals: list[str] = field(default_factory=list)  # declarations that outlive the message
    fills: list[str] = field(default_factory=list)  # run once the arguments are known to be good
    fields: list[str] = field(default_factory=list)  # ".source = handle_of(src_buffer)"


def enqueue_stub(function: ApiFunction, message: Message) -> EnqueueStub:
    stub = EnqueueStub(function, message, check_params(function))
    for one in message.fields:
        if one.name in ("queue", "wait_list", "event"):
            stub.fields.append(f".{one.name} = {_COMMON_FIELDS[one.name]}")
        else:
            param = function.param(function.map[one.name])
            stub.fields.append(f".{one.name} = {_value(stub, function, param, one)}")
    return stub


def check_params(function: ApiFunction) -> list[Param]:
    return [p for p in function.params if p.name not in _COMMON_PARAMS]


def _value(stub: EnqueueStub, function: ApiFunction, param: Param, one: Field) -> str:
    kind = one.type.kind
    spec = function.specs.get(param.name)
    if kind == "handle" and not param.is_pointer:
        return f"handle_of({param.name})"
    if kind == "u64s" and spec and spec.fixed_length:
        stub.locals.append(f"std::array<std::uint64_t, {spec.length}> {one.name}_values{{}};")
        stub.fills.append(f"std::copy_n({param.name}, {spec.length}, {one.name}_values.begin());")
        return f"wire::U64View({one.name}_values)"
    if kind == "bytes" and spec and spec.form == "image_color":
        stub.locals.append(f"ImageColor {one.name}_values{{}};")
        stub.fills.append(f"copy_image_color(image, {param.name}, {one.name}_values);")
        return f"{one.name}_values"
    if kind == "bytes" and spec:
        return f"{{static_cast<const std::byte*>({param.name}), {spec.length}}}"
    if kind == "handles" and spec:
        stub.locals.append(f"std::vector<wire::Handle> {one.name}_values;")
        stub.fills.append(f"for ({function.param(spec.length).type} i = 0; i < {spec.length}; ++i)\n"
                          f"          {one.name}_values.push_back(handle_of({param.name}[i]));")
        return f"wire::U64View({one.name}_values)"
    if one.type.is_scalar and not param.is_pointer:
        return param.name
    raise SpecError(*function.overlay,
                    f"{function.name}: no way from '{param.declaration}' to {one.type.text}")


def failure(function: ApiFunction) -> list[str]:
    """The body of an unsupported function."""
    names = [p.name for p in function.params]
    if "errcode_ret" in names:
        return [f"if (errcode_ret != nullptr) *errcode_ret = {function.error};", "return nullptr;"]
    if function.returns == "void":
        return []
    return ["return nullptr;" if "*" in function.returns else f"return {function.error};"]


def emit_client(api: Api, banner: str) -> dict[str, str]:
    stubs = [enqueue_stub(f, api.messages.message(f.messages[0]))
             for f in api.functions if f.is_auto_enqueue]
    values = dict(
        banner=banner, api=api.name, functions=api.functions, signature=signature, stubs=stubs,
        unsupported=[f for f in api.functions if f.disposition == "unsupported"],
        aliases=[f for f in api.functions if f.alias_of], failure=failure,
    )
    return {name: render(f"{name}.j2", **values)
            for name in ("client_api.h", "client_checks.h", "client_auto.cc")}
