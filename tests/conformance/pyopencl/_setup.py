"""What each program here begins with: one context, one queue, no caches."""

import os

os.environ.setdefault("PYOPENCL_NO_CACHE", "1")
os.environ.setdefault("PYOPENCL_CTX", "0")

import numpy as np  # noqa: E402
import pyopencl as cl  # noqa: E402

context = cl.Context(cl.get_platforms()[0].get_devices()[:1])
queue = cl.CommandQueue(
    context, properties=cl.command_queue_properties.PROFILING_ENABLE)


def numbers(count, seed=1, dtype=np.float32):
    """The same numbers in every run, on every machine."""
    values = (np.arange(count, dtype=np.uint64) * 2654435761 + seed * 97) % 1009
    return (values.astype(np.float64) / 8 - 40).astype(dtype)


def show(what, array):
    """One line with the shape, a checksum of the bytes and the first elements."""
    array = np.ascontiguousarray(array)
    checksum = 0xcbf29ce484222325
    for byte in array.tobytes()[:1 << 16]:
        checksum = ((checksum ^ byte) * 0x100000001b3) & (1 << 64) - 1
    print(f"{what}: {array.dtype} {array.shape} {checksum:016x} {array.ravel()[:4].tolist()}",
          flush=True)


def same(what, got, expected, tolerance=0.0):
    """Prints whether two arrays agree, and stops when they do not."""
    good = np.allclose(got, expected, rtol=tolerance, atol=tolerance)
    print(f"{what}: {'ok' if good else 'WRONG'}", flush=True)
    assert good, (what, got, expected)
