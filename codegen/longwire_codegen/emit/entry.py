"""The C entry points of the driver, the ICD dispatch table, traces, and what the driver exports."""

from dataclasses import replace

from ..model import Api, ApiFunction, Enum, Param
from .client import failure
from .native import signature
from .render import render

# What an ICD loader looks up by name (ocl-icd, Khronos); the rest goes by the dispatch table.
EXPORTS = ("clGetExtensionFunctionAddress", "clGetPlatformIDs", "clGetPlatformInfo",
           "clIcdGetPlatformIDsKHR")
_INTEGERS = frozenset("size_t cl_int cl_uint cl_long cl_ulong cl_bool".split())
# Objects that locks belong to: all but platforms and devices.
_OBJECTS = frozenset("cl_context cl_command_queue cl_mem cl_sampler cl_program cl_kernel cl_event".split())
_OPAQUE_TYPES = frozenset("void char".split())


def trace_argument(api: Api, function: ApiFunction, param: Param) -> str:
    """The C++ that prints one argument after the call."""
    name = param.name
    spec = function.specs.get(name)
    if spec is None:
        return (f'call.text("{name}", {namer(api.enums[param.type])}({name}));'
                if param.type in api.enums else f'call.value("{name}", {name});')
    if name == "errcode_ret":
        return "call.error_out(errcode_ret);"
    if spec.form == "string":
        return f'call.string("{name}", {name});'
    if spec.length and spec.length != "by_hand" and param.type.count("*") == 1:
        return _array_argument(function, param, spec.length)
    if spec.form == "zero_terminated":
        return f'call.zero_terminated("{name}", {name});'
    return f'call.value("{name}", {name});'


def _array_argument(function: ApiFunction, param: Param, length: str) -> str:
    pointee = param.pointee
    if pointee == "void" or pointee.startswith("unsigned"):
        return f'call.memory("{param.name}", {param.name}, {length});'
    is_handle = pointee.startswith("cl_") and not pointee.startswith("cl_image_")
    if pointee not in _INTEGERS and not is_handle:
        return f'call.value("{param.name}", {param.name});'
    written = "out" if function.specs[param.name].direction == "out" else "array"
    return f'call.{written}("{param.name}", {param.name}, {length});'


def namer(enum: Enum) -> str:
    return f"name_of_{enum.type.removeprefix('cl_')}"


def trace_result(function: ApiFunction) -> str:
    if function.returns == "void":
        return "call.done();"
    if function.returns == "cl_int":
        return "call.done_status(result);"
    return "call.done_value(result);"


def succeeded(function: ApiFunction) -> str:
    if function.returns == "void":
        return "true"
    return "result == CL_SUCCESS" if function.returns == "cl_int" else "result != nullptr"


def refusal(function: ApiFunction) -> list[str]:
    """What a function answers in the child of a fork; nothing where it may go on as always."""
    about_objects = any(p.type.removeprefix("const ").rstrip(" *") in _OBJECTS
                        for p in function.params)
    if not about_objects or function.disposition == "unsupported":
        return []
    if function.name.startswith(("clRetain", "clRelease")):
        return ["return CL_SUCCESS;"]
    return failure(replace(function, error="CL_OUT_OF_RESOURCES"))


def emit_entry(api: Api, banner: str) -> dict[str, str]:
    offered = {f.name for f in api.functions}
    used_types = {p.type for f in api.functions for p in f.params} | {"error"}
    values = dict(
        banner=banner, api=api.name, functions=api.functions, signature=signature,
        dispatch=[name for name in api.dispatch_table if name in offered],
        exports=[api.function(name) for name in EXPORTS if name in offered],
        enums=[e for name, e in api.enums.items() if name in used_types], namer=namer,
        trace_argument=lambda f, p: trace_argument(api, f, p),
        trace_result=trace_result, succeeded=succeeded, refusal=refusal,
    )
    return {name: render(f"{name}.j2", **values)
            for name in ("entry.h", "entry.cc", "function_list.h", "trace.h", "trace.cc",
                         "exports.cc", "exports.map")}
