"""functions.toml over the headers' functions -> ApiFunctions. Total, or an error."""

import fnmatch
import re

from .errors import SpecError
from .model import Api, ApiFunction, Function, Messages, ParamSpec, WorkerCall
from .toml_source import TomlSource

DISPOSITIONS = (
    "auto", "client_local", "client_custom", "worker_custom", "both_custom", "unsupported",
)
_KEYS = frozenset(
    "disposition message params map command_type error alias_of extension trips notes".split()
)
_WORKER_KEYS = frozenset("creates reports lookup call requires".split())
FORMS = ("string", "zero_terminated", "image_color")
_SPEC = re.compile(r"^(?P<direction>\w+)(?:\[(?P<length>[^\]]*)\])?(?P<words>(?:\s+\w+)*)$")
_LENGTH = re.compile(r"^[\w\s+*()]+$")
OBJECT_KINDS = {
    "context": "cl_context", "queue": "cl_command_queue", "mem": "cl_mem", "sampler": "cl_sampler",
    "program": "cl_program", "kernel": "cl_kernel", "event": "cl_event", "device": "cl_device_id",
}


class _Overlay:
    def __init__(self, source: TomlSource, functions: list[Function], messages: Messages):
        self.source = source
        self.messages = messages
        self.declared = {f.name: f for f in functions}
        self.entries: dict = source.data.get("function", {})
        self.defaults = {
            name: self._spec("default_params", name, text)
            for name, text in source.data.get("default_params", {}).items()
        }

    def run(self) -> Api:
        for name in self.entries:
            if name not in self.declared:
                raise self.source.error(f"function.{name}", "", f"no header declares {name}")
        not_offered = self._not_offered()
        functions = [self._function(f) for f in self.declared.values() if f.name in self.entries]
        api = self.source.data["api"]
        result = Api(
            api["name"], api["first_opcode"], self.messages, functions, not_offered,
            self._worker_calls(),
        )
        self._check_worker_sides(result)
        self._check_aliases(result)
        return result

    def _not_offered(self) -> dict[str, tuple[str, list[str]]]:
        result, matched = {}, set()
        for pattern, reason in self.source.data.get("not_offered", {}).items():
            names = [n for n in fnmatch.filter(self.declared, pattern) if n not in self.entries]
            if not names:
                raise self.source.error("not_offered", "", f"'{pattern}' matches no function")
            result[pattern] = (reason, names)
            matched |= set(names)
        for function in self.declared.values():
            if function.name not in self.entries and function.name not in matched:
                raise SpecError(function.path, function.line,
                                f"{function.name} has no entry in {self.source.path}")
        return result

    def _function(self, declared: Function) -> ApiFunction:
        table = f"function.{declared.name}"
        entry = self.entries[declared.name]
        for key in entry:
            if key not in _KEYS:
                raise self.source.error(table, key, f"unknown key '{key}'")
        message = entry.get("message", [])
        function = ApiFunction(
            **vars(declared),
            disposition=entry.get("disposition", "alias" if "alias_of" in entry else "unsupported"),
            messages=[message] if isinstance(message, str) else message,
            specs=self._specs(table, declared, entry.get("params", {})),
            map=entry.get("map", {}),
            overlay=(self.source.path, self.source.line(table)),
            **{k: entry.get(k, "") for k in
               ("command_type", "error", "alias_of", "extension", "trips", "notes")},
        )
        self._check_disposition(table, function)
        self._check_map(table, function)
        return function

    def _specs(self, table: str, function: Function, given: dict) -> dict[str, ParamSpec]:
        for name in given:
            param = function.param(name)
            if param is None:
                raise self.source.error(table, f"params.{name}",
                                        f"{function.name} has no parameter '{name}'")
            if not param.is_pointer:
                raise self.source.error(table, f"params.{name}", f"'{name}' is not a pointer")
        specs = {}
        for param in (p for p in function.params if p.is_pointer):
            if param.name in given:
                spec = self._spec(table, f"params.{param.name}", given[param.name])
            elif param.name in self.defaults:
                spec = self.defaults[param.name]
            else:
                raise self.source.error(table, "", f"pointer parameter '{param.name}' of "
                                        f"{function.name} has no direction and length")
            self._check_length(table, function, param.name, spec)
            specs[param.name] = spec
        return specs

    def _spec(self, table: str, key: str, text: str) -> ParamSpec:
        parsed = _SPEC.match(text) if isinstance(text, str) else None
        direction = parsed.group("direction") if parsed else ""
        words = parsed.group("words").split() if parsed else []
        forms = [w for w in words if w in FORMS]
        length = (parsed.group("length") or "").strip() if parsed else ""
        unknown = [w for w in words if w not in forms and w != "nullable"]
        if direction not in ("in", "out", "inout", "opaque", "callback") or unknown:
            raise self.source.error(table, key, f"cannot read '{text}': expected in|out|inout|"
                                    f"opaque|callback, [LENGTH], {'|'.join(FORMS)}, nullable")
        if direction in ("in", "out", "inout") and bool(length) == bool(forms):
            raise self.source.error(table, key, f"'{text}' has no length" if not length else
                                    f"'{text}' has a length and is {forms[0]}")
        return ParamSpec(direction, length, forms[0] if forms else "", "nullable" in words)

    def _check_length(self, table: str, function: Function, name: str, spec: ParamSpec) -> None:
        if not spec.length or spec.length == "by_hand":
            return
        key = f"params.{name}"
        if not _LENGTH.match(spec.length):
            raise self.source.error(table, key, f"bad length '{spec.length}'")
        for word in re.findall(r"[A-Za-z_]\w*", spec.length):
            if function.param(word) is None:
                raise self.source.error(table, key, f"length '{spec.length}' of '{name}': "
                                        f"{function.name} has no parameter '{word}'")

    def _check_disposition(self, table: str, function: ApiFunction) -> None:
        if function.disposition not in DISPOSITIONS + ("alias",):
            raise self.source.error(table, "disposition",
                                    f"unknown disposition '{function.disposition}'")
        for name in function.messages:
            if self.messages.message(name) is None:
                raise self.source.error(table, "message", f"no message '{name}'")
        crosses = function.disposition not in ("client_local", "unsupported", "alias")
        if crosses != bool(function.messages):
            raise self.source.error(table, "disposition", f"{function.disposition} with"
                                    f"{'out a' if crosses else ' a'} message")
        if function.disposition == "unsupported" and function.returns == "cl_int" and not function.error:
            raise self.source.error(table, "", f"{function.name} is unsupported: say its `error`")
        if function.is_auto_enqueue and not function.command_type:
            raise self.source.error(table, "", f"{function.name} is generated: say its `command_type`")

    # Every field of the message comes from a parameter, and every parameter that matters is used.
    def _check_map(self, table: str, function: ApiFunction) -> None:
        if not function.map and not function.is_auto_enqueue:
            return
        message = self.messages.message(function.messages[0])
        fields = {f.name for f in message.fields} - {"queue", "wait_list", "event"}
        for name, param in function.map.items():
            if name not in fields:
                raise self.source.error(table, f"map.{name}", f"{message.name} has no field '{name}'")
            if function.param(param) is None:
                raise self.source.error(table, f"map.{name}",
                                        f"{function.name} has no parameter '{param}'")
        if missing := sorted(fields - set(function.map)):
            raise self.source.error(table, "", f"{function.name}: map has no "
                                    f"{message.name}.{missing[0]}")

    def _worker_calls(self) -> dict[str, WorkerCall]:
        calls = {}
        for name, entry in self.source.data.get("worker", {}).items():
            table = f"worker.{name}"
            message = self.messages.message(name)
            if message is None:
                raise self.source.error(table, "", f"no message '{name}'")
            for key in entry:
                if key not in _WORKER_KEYS:
                    raise self.source.error(table, key, f"unknown key '{key}'")
            call = WorkerCall(name, entry.get("call", ""), entry.get("lookup", {}),
                              entry.get("creates", ""), entry.get("reports", ""),
                              entry.get("requires", ""), self.source.line(table))
            fields = {f.name for f in message.fields}
            for key, used in [("lookup", f) for f in call.lookup] + [
                    ("creates" if call.creates else "reports", call.creates or call.reports)]:
                if used not in fields:
                    raise self.source.error(table, key, f"{name} has no field '{used}'")
            for kind in call.lookup.values():
                if kind not in OBJECT_KINDS:
                    raise self.source.error(table, "lookup", f"unknown kind of object '{kind}'")
            calls[name] = call
        return calls

    # A function's disposition and what is said about its message must agree.
    def _check_worker_sides(self, api: Api) -> None:
        for function in api.functions:
            for name in function.messages:
                automatic = api.is_auto_on_worker(name)
                table = f"function.{function.name}"
                if function.disposition in ("auto", "client_custom") and not automatic:
                    raise self.source.error(table, "disposition", f"{function.disposition}, but "
                                            f"nothing generates the worker's side of {name}")
                by_hand = function.disposition in ("worker_custom", "both_custom")
                if by_hand and automatic and len(function.messages) == 1:
                    raise self.source.error(table, "disposition", f"{function.disposition}, but "
                                            f"the worker's side of {name} is generated")

    def _check_aliases(self, api: Api) -> None:
        for function in api.functions:
            if not function.alias_of:
                continue
            target = api.function(function.alias_of)
            table = f"function.{function.name}"
            if target is None or len(target.params) != len(function.params):
                raise self.source.error(table, "alias_of", f"'{function.alias_of}' is no function "
                                        "with the same parameters")


def apply_overlay(source: TomlSource, functions: list[Function], messages: Messages) -> Api:
    return _Overlay(source, functions, messages).run()
