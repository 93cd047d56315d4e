"""Descriptions that must be refused, with the right file, line and reason."""

import unittest

from toy_api import SpecError, ToyApi

# name: (edited file, old text, new text, (file blamed, text on its line[, lines further]), message)
# None where the line is not the description's (tomllib says it itself).
CASES = {
    "pointer without direction": (
        "functions.toml", 'params.origin = "in[3]"\n', "",
        ("functions.toml", "[function.clEnqueuePaint]"),
        "pointer parameter 'origin' of clEnqueuePaint has no direction and length"),
    "direction without length": (
        "functions.toml", '"in[3]"', '"in"', ("functions.toml", "params.origin"),
        "'in' has no length"),
    "unknown direction": (
        "functions.toml", '"in[3]"', '"into[3]"', ("functions.toml", "params.origin"),
        "cannot read 'into[3]'"),
    "length of an unknown parameter": (
        "functions.toml", '"in[color_size]"', '"in[colour_size]"',
        ("functions.toml", "params.color"), "clEnqueuePaint has no parameter 'colour_size'"),
    "length that is no expression": (
        "functions.toml", '"in[color_size]"', '"in[color_size / 0; x]"',
        ("functions.toml", "params.color"), "bad length 'color_size / 0; x'"),
    "two ways to say a length": (
        "functions.toml", '"in[color_size]"', '"in[color_size] string"',
        ("functions.toml", "params.color"), "has a length and is string"),
    "unknown parameter in the overlay": (
        "functions.toml", "params.origin =", 'params.orign = "in[3]"\nparams.origin =',
        ("functions.toml", "params.orign"), "clEnqueuePaint has no parameter 'orign'"),
    "description of a parameter that is no pointer": (
        "functions.toml", "params.origin =", 'params.wall = "in[3]"\nparams.origin =',
        ("functions.toml", "params.wall"), "'wall' is not a pointer"),
    "function without an entry": (
        "functions.toml", '[function.clWallpaper]\nnotes = "returns NULL"\n', "",
        ("toy.h", "extern CL_API_ENTRY void *"), "clWallpaper has no entry in"),
    "entry without a function": (
        "functions.toml", "[function.clWallpaper]", "[function.clWalpaper]",
        ("functions.toml", "[function.clWalpaper]"), "no header declares clWalpaper"),
    "pattern that matches nothing": (
        "functions.toml", '"cl*ACME"', '"cl*EMCA"', ("functions.toml", "[not_offered]"),
        "'cl*EMCA' matches no function"),
    "unknown key": (
        "functions.toml", "notes =", "note =", ("functions.toml", "note ="), "unknown key 'note'"),
    "unknown disposition": (
        "functions.toml", '"client_local"', '"local"',
        ("functions.toml", 'disposition = "local"'), "unknown disposition 'local'"),
    "unknown message": (
        "functions.toml", 'message = "CreateBrush"', 'message = "MakeBrush"',
        ("functions.toml", 'message = "MakeBrush"'), "no message 'MakeBrush'"),
    "generated, but the worker's side is missing": (
        "functions.toml", 'message = "CreateBrush"', 'message = "DescribeShop"',
        ("functions.toml", 'disposition = "client_custom"'),
        "nothing generates the worker's side of DescribeShop"),
    "worker's side of an unknown message": (
        "functions.toml", "[worker.CreateBrush]", "[worker.MakeBrush]",
        ("functions.toml", "[worker.MakeBrush]"), "no message 'MakeBrush'"),
    "worker's side with an unknown field": (
        "functions.toml", "[worker.CreateBrush]", "[worker.DescribeShop]",
        ("functions.toml", "lookup ="), "DescribeShop has no field 'program'"),
    "custom worker, but it is generated": (
        "functions.toml", '"client_custom"', '"both_custom"',
        ("functions.toml", 'disposition = "both_custom"'),
        "the worker's side of CreateBrush is generated"),
    "generated without a command type": (
        "functions.toml", 'command_type = "CL_COMMAND_PAINT"\n', "",
        ("functions.toml", "[function.clEnqueuePaint]"), "say its `command_type`"),
    "local with a message": (
        "functions.toml", 'disposition = "client_local"',
        'disposition = "client_local"\nmessage = "CreateBrush"',
        ("functions.toml", 'disposition = "client_local"'), "client_local with a message"),
    "unsupported without an error": (
        "functions.toml", 'disposition = "client_local"\n', "",
        ("functions.toml", "[function.clWatchPaintDry]"), "say its `error`"),
    "map that forgets a field": (
        "functions.toml", 'map.flags = "flags"\n', "",
        ("functions.toml", "[function.clEnqueuePaint]"), "map has no EnqueuePaint.flags"),
    "map of an unknown field": (
        "functions.toml", "map.flags =", 'map.flag = "flags"\nmap.flags =',
        ("functions.toml", "map.flag ="), "EnqueuePaint has no field 'flag'"),
    "map of an unknown parameter": (
        "functions.toml", 'map.flags = "flags"', 'map.flags = "flag"',
        ("functions.toml", "map.flags"), "clEnqueuePaint has no parameter 'flag'"),
    "map between types that do not fit": (
        "functions.toml", 'map.color = "color"', 'map.color = "wall"',
        ("functions.toml", "[function.clEnqueuePaint]"), "clEnqueuePaint: "),
    "alias of nothing": (
        "functions.toml", 'alias_of = "clCreateBrush"', 'alias_of = "clWallpaper"',
        ("functions.toml", "alias_of ="), "is no function with the same parameters"),
    "unknown kind of object": (
        "functions.toml", 'program = "program"', 'program = "porgram"',
        ("functions.toml", "lookup ="), "unknown kind of object 'porgram'"),
    "unknown field type": (
        "messages.toml", '"f64"', '"f128"', ("messages.toml", "liters"), "unknown type 'f128'"),
    "unknown record": (
        "messages.toml", '"list<tin>"', '"list<can>"', ("messages.toml", "reply.tins"),
        "unknown record 'can'"),
    "record used above itself": (
        "messages.toml", 'color = "string"\n', 'color = "string"\nmore = "list<tin>"\n',
        ("messages.toml", "more ="), "unknown record 'tin'"),
    "field with a C++ keyword": (
        "messages.toml", 'name = "string"', 'class = "string"', ("messages.toml", "class ="),
        "'class' cannot name a field"),
    "message that is not CamelCase": (
        "messages.toml", "[message.CreateBrush]", "[message.create_brush]",
        ("messages.toml", "[message.create_brush]"), "use CamelCase"),
    "reply without token": (
        "messages.toml", 'token = "u64"\n', "", ("messages.toml", "[message.DescribeShop]"),
        'no field token = "u64"'),
    "message twice": (
        "messages.toml", "[push.PaintDry]", "[message.CreateBrush]",
        ("messages.toml", None), "twice"),
    "unknown section": (
        "messages.toml", "[push.PaintDry]", "[pull.PaintDry]", ("messages.toml", None),
        "unknown section [pull]"),
    "toml that cannot be read": (
        "messages.toml", 'name = "string"', "name = string", ("messages.toml", "name = string"),
        "Invalid value"),
    "changed layout": (
        "messages.toml", 'wall = "handle"\n', "", ("messages.toml", "origin ="),
        "message EnqueuePaint: locked field 1 is 'wall:handle'"),
    "changed reply": (
        "messages.toml", 'reply.best = "tin"', 'reply.best = "string"',
        ("messages.toml", "reply.best"), "reply of message DescribeShop: locked field 1"),
    "changed record": (
        "messages.toml", 'liters = "f64"', 'liters = "u64"', ("messages.toml", "liters"),
        "record tin: locked field 1 is 'liters:f64'"),
    "lost message": (
        "messages.toml", "[message.CreateBrush]", "[message.CreateBroom]",
        ("toy.lock", "CreateBrush"), "locked message CreateBrush is missing"),
    "message that is not locked": (
        "toy.lock", "0x1002 CreateBrush brush:handle,program:handle,name:string\n", "",
        ("messages.toml", "[message.CreateBrush]"), "is not in toy.lock yet"),
    "field that is not locked": (
        "messages.toml", "since_later", 'even_later = "u32"\nsince_later',
        ("messages.toml", "even_later"), "locked field 1 is 'since_later:u32'"),
    "appended field that is not locked": (
        "messages.toml", 'since_later = "u32"', 'since_later = "u32"\neven_later = "u32"',
        ("messages.toml", "even_later"), "field 'even_later' is not in toy.lock yet"),
    "reply that is not locked": (
        "toy.lock", " -> tins:list<tin>,best:tin,data:blob", "",
        ("messages.toml", "[message.DescribeShop]"), "has a reply that is not in toy.lock yet"),
    "reused opcode": (
        "toy.lock", "0x1003", "0x1000", ("toy.lock", "DescribeShop"),
        "opcode 0x1000 is used again (line 4)"),
    "opcode of a retired message": (
        "toy.lock", "0x1003", "0x1001", ("toy.lock", "DescribeShop"),
        "opcode 0x1001 is used again (line 6)"),
    "retired name": (
        "toy.lock", "retired StirPaint", "retired CreateBrush", ("toy.lock", "retired"),
        "message CreateBrush is locked twice"),
    "lock that cannot be read": (
        "toy.lock", "0x1003 DescribeShop", "DescribeShop", ("toy.lock", "DescribeShop"),
        "cannot read this line"),
    "declaration that cannot be read": (
        "toy.h", "cl_int CL_API_CALL\nclSprayACME", "cl_int\nclSprayACME",
        ("toy.h", "clSprayACME", -1), "cannot read this declaration"),
    "parameter that cannot be read": (
        "toy.h", "clSprayACME(cl_mem wall)", "clSprayACME(cl_mem)",
        ("toy.h", "clSprayACME"), "cannot read parameter 'cl_mem'"),
}


class MustFail(unittest.TestCase):
    def setUp(self):
        self.toy = ToyApi()
        self.addCleanup(self.toy.close)

    def fail_of(self, file: str, old: str, new: str) -> SpecError:
        self.toy.edit(file, old, new)
        with self.assertRaises(SpecError) as caught:
            self.toy.emit()
        return caught.exception

    def test_unbroken_toy_passes(self):
        self.toy.emit()


def _case(name, file, old, new, blamed, message):
    def test(self):
        error = self.fail_of(file, old, new)
        self.assertIn(message, error.message)
        self.assertEqual(error.path, str(self.toy.path / blamed[0]))
        if blamed[1] is not None:
            line = self.toy.line(blamed[0], blamed[1]) + sum(blamed[2:])
            self.assertEqual(error.line, line)
        self.assertTrue(str(error).startswith(f"{error.path}:{error.line}: error: "))
    test.__doc__ = name
    return test


for _name, _values in CASES.items():
    setattr(MustFail, "test_" + _name.replace(" ", "_").replace(",", "").replace("'", ""),
            _case(_name, *_values))


if __name__ == "__main__":
    unittest.main()
