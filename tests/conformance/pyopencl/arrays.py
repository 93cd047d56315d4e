"""pyopencl.array: arithmetic, slices, functions, types, and copies to and from the device."""

import numpy as np
import pyopencl.array as cl_array
import pyopencl.clmath as clmath
from _setup import numbers, queue, same, show

for dtype in (np.float32, np.float64, np.int32, np.uint8, np.int64, np.complex64):
    one = numbers(1000, 1).astype(dtype)
    two = np.maximum(numbers(1000, 2), 1).astype(dtype)
    a, b = cl_array.to_device(queue, one), cl_array.to_device(queue, two)
    show(f"sum {np.dtype(dtype)}", (a + b).get())
    same("add", (a + b).get(), one + two)
    same("multiply", (a * b).get(), one * two, 1e-5)
    same("scale", (3 * a).get(), (3 * one).astype(dtype))

x = np.abs(numbers(5000, 3)) + 1
gpu = cl_array.to_device(queue, x)
same("sqrt", clmath.sqrt(gpu).get(), np.sqrt(x), 1e-5)
same("sin", clmath.sin(gpu).get(), np.sin(x), 1e-4)
same("power", (gpu ** 2).get(), x ** 2, 1e-5)
same("slice", gpu[100:200].get(), x[100:200])
same("compare", (gpu > 20).get().astype(bool), x > 20)

gpu[10:20] = 7
x[10:20] = 7
same("assign a slice", gpu.get(), x)
same("zeros", cl_array.zeros(queue, (17, 3), np.float32).get(), np.zeros((17, 3)))
same("arange", cl_array.arange(queue, 0, 100, 3, dtype=np.int32).get(), np.arange(0, 100, 3))
same("take", cl_array.take(gpu, cl_array.to_device(queue, np.arange(0, 50, 7, dtype=np.int32)))
     .get(), x[np.arange(0, 50, 7)])
same("reshape", gpu.reshape(50, 100).get(), x.reshape(50, 100))
same("maximum", cl_array.maximum(gpu, 31 - gpu).get(), np.maximum(x, 31 - x))
show("in the end", gpu.get())
