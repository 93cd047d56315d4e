"""ffmpeg's OpenCL filters on a synthetic clip: every frame's checksum must be the same."""

import difflib

from . import report, sides

FRAMES = 6
CLIP = ["-f", "lavfi", "-i", "testsrc2=size=320x240:rate=5"]
SECOND = ["-f", "lavfi", "-i", "testsrc=size=320x240:rate=5"]
SMALL = ["-f", "lavfi", "-i", "testsrc=size=64x64:rate=5"]


def _simple(filter_text, pixels="yuv420p"):
    return CLIP, f"[0]format={pixels},hwupload,{filter_text},hwdownload,format={pixels}[out]"


def _two(filter_text, second, pixels="yuv420p"):
    return CLIP + second, (f"[0]format=yuv420p,hwupload[a];[1]format={pixels},hwupload[b];"
                           f"[a][b]{filter_text},hwdownload,format=yuv420p[out]")


# name -> (inputs, filter graph)
GRAPHS = {
    "upload and download": _simple("null"),
    "avgblur": _simple("avgblur_opencl=sizeX=3"),
    "boxblur": _simple("boxblur_opencl=luma_radius=2:luma_power=1"),
    "unsharp": _simple("unsharp_opencl"),
    "erosion": _simple("erosion_opencl"),
    "dilation": _simple("dilation_opencl"),
    "sobel": _simple("sobel_opencl"),
    "prewitt": _simple("prewitt_opencl"),
    "roberts": _simple("roberts_opencl"),
    "transpose": _simple("transpose_opencl=dir=clock"),
    "convolution": _simple("convolution_opencl=0 -1 0 -1 5 -1 0 -1 0:0 -1 0 -1 5 -1 0 -1 0"),
    "nlmeans": _simple("nlmeans_opencl=s=2:p=3:r=5"),
    "pad": _simple("pad_opencl=w=400:h=300:x=10:y=10"),
    "colorkey": _simple("colorkey_opencl=green:0.3:0.2", "rgba"),
    "deshake": _simple("deshake_opencl"),
    "chain of five": _simple("avgblur_opencl=3,unsharp_opencl,sobel_opencl,dilation_opencl,"
                             "transpose_opencl=dir=clock"),
    "overlay": _two("overlay_opencl=x=20:y=30", SMALL, "yuva420p"),
    "xfade": _two("xfade_opencl=duration=1:offset=0", SECOND),
    "tonemap": (CLIP, "[0]format=p010,setparams=color_primaries=bt2020:color_trc=smpte2084:"
                "colorspace=bt2020nc,hwupload,tonemap_opencl=tonemap=hable:t=bt709:m=bt709:"
                "p=bt709:format=nv12,hwdownload,format=nv12[out]"),
}


def run(options):
    program = sides.require_program("ffmpeg", "LONGWIRE_FFMPEG", "Debian package ffmpeg")
    native, remote = sides.sides(options.mode)
    result = report.Report("ffmpeg", options.mode, options.out)
    for name, (inputs, graph) in GRAPHS.items():
        argv = [program, "-hide_banner", "-nostdin", "-v", "error",
                "-init_hw_device", "opencl=ocl:0.0", "-filter_hw_device", "ocl", *inputs,
                "-filter_complex", graph, "-map", "[out]", "-frames:v", FRAMES,
                "-f", "framemd5", "-"]
        here = native.run(argv, time_limit_s=options.time_limit)
        there = remote.run(argv, time_limit_s=options.time_limit)
        diff = list(difflib.unified_diff(here.text.splitlines(), there.text.splitlines(),
                                         "native", remote.name, lineterm=""))
        # A filter that the native driver cannot run (see docs/CONFORMANCE.md) must fail here too.
        same = here.status == there.status and not diff
        result.add(name, here.status, there.status, same, native_seconds=here.seconds,
                   remote_seconds=there.seconds,
                   detail="\n".join(diff) + "\n" + there.error_text)
    return result.finish()
