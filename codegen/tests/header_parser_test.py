"""The header parser, on the toy and on the OpenCL headers that are installed."""

import unittest
from pathlib import Path

from toy_api import TESTS

from longwire_codegen.enum_parser import parse_enums
from longwire_codegen.header_parser import parse_dispatch_table, parse_header

CL = Path("/usr/include/CL")


class Toy(unittest.TestCase):
    def setUp(self):
        self.functions = {f.name: f for f in parse_header(TESTS / "toy" / "toy.h")}

    def test_all_functions_in_order(self):
        self.assertEqual(list(self.functions), [
            "clEnqueuePaint", "clCreateBrush", "clWatchPaintDry", "clWallpaper", "clCreateBrushKHR",
            "clSprayACME"])

    def test_types(self):
        paint = self.functions["clEnqueuePaint"]
        self.assertEqual((paint.returns, paint.version, paint.deprecated), ("cl_int", "1.1", False))
        origin = paint.param("origin")
        self.assertEqual((origin.type, origin.pointee), ("const size_t*", "size_t"))
        self.assertFalse(paint.param("flags").is_pointer)
        self.assertEqual(self.functions["clWallpaper"].returns, "void*")

    def test_callbacks_and_comments(self):
        watch = self.functions["clWatchPaintDry"]
        self.assertTrue(watch.deprecated)
        notify = watch.param("pfn_notify")
        self.assertTrue(notify.is_callback)
        self.assertEqual(notify.type, "void (CL_CALLBACK* )(cl_mem wall, void* user_data)")
        self.assertEqual([p.name for p in watch.params], ["wall", "pfn_notify", "user_data"])

    def test_flags(self):
        flags = parse_enums([TESTS / "toy" / "toy.h"])["cl_paint_flags"]
        self.assertTrue(flags.is_bitfield)
        self.assertEqual(flags.names, {1: "CL_PAINT_WET", 2: "CL_PAINT_GLOSS"})


@unittest.skipUnless((CL / "cl_icd.h").exists(), "needs the OpenCL headers")
class OpenCl(unittest.TestCase):
    def test_every_declaration_is_read(self):
        for name in ("cl.h", "cl_ext.h"):
            text = (CL / name).read_text()
            self.assertEqual(len(parse_header(CL / name)), text.count("extern CL_API_ENTRY"), name)

    def test_dispatch_table(self):
        members = parse_dispatch_table(CL / "cl_icd.h")
        self.assertEqual(members[:2], ["clGetPlatformIDs", "clGetPlatformInfo"])
        self.assertEqual(members[-1], "clSetContextDestructorCallback")

    def test_constants(self):
        enums = parse_enums([CL / "cl.h", CL / "cl_ext.h"])
        self.assertEqual(enums["cl_device_info"].names[0x1002], "CL_DEVICE_MAX_COMPUTE_UNITS")
        self.assertEqual(enums["error"].names[-1001], "CL_PLATFORM_NOT_FOUND_KHR")
        self.assertEqual(enums["error"].names[0], "CL_SUCCESS")
        self.assertTrue(enums["cl_mem_flags"].is_bitfield)


if __name__ == "__main__":
    unittest.main()
