"""Reductions, scans, sorting and kernels made from snippets."""

import numpy as np
import pyopencl as cl
import pyopencl.algorithm
import pyopencl.array as cl_array
from pyopencl.elementwise import ElementwiseKernel
from pyopencl.reduction import ReductionKernel
from pyopencl.scan import GenericScanKernel, InclusiveScanKernel

from _setup import context, numbers, queue, same, show

integers = numbers(20000, 4, np.int32)
on_device = cl_array.to_device(queue, integers)
print("sum", int(cl_array.sum(on_device).get()), int(integers.sum()))
print("max", int(cl_array.max(on_device).get()), int(integers.max()))
print("min", int(cl_array.min(on_device).get()), int(integers.min()))
same("dot", cl_array.dot(on_device, on_device).get(), np.dot(integers, integers))

norm = ReductionKernel(context, np.int64, neutral="0", reduce_expr="a+b",
                       map_expr="(long)x[i]*y[i]", arguments="__global int *x, __global int *y")
print("weighted", int(norm(on_device, on_device).get()))

axpy = ElementwiseKernel(context, "float a, float *x, float *y, float *z",
                         "z[i] = a * x[i] + y[i]", "axpy")
x, y = numbers(3000, 5), numbers(3000, 6)
out = cl_array.empty(queue, 3000, np.float32)
axpy(np.float32(2.5), cl_array.to_device(queue, x), cl_array.to_device(queue, y), out)
same("axpy", out.get(), np.float32(2.5) * x + y, 1e-5)

scan = InclusiveScanKernel(context, np.int32, "a+b", neutral="0")
scanned = cl_array.to_device(queue, integers)
scan(scanned)
same("inclusive scan", scanned.get(), np.cumsum(integers, dtype=np.int32))
show("inclusive scan", scanned.get())

running = GenericScanKernel(
    context, np.int32, arguments="__global int *ary, __global int *out", input_expr="ary[i]",
    scan_expr="max(a, b)", neutral="-2147483647", output_statement="out[i] = item;")
highest = cl_array.empty_like(on_device)
running(on_device, highest)
same("running maximum", highest.get(), np.maximum.accumulate(integers))

copied, count, _ = pyopencl.algorithm.copy_if(on_device, "ary[i] > 20")
same("copy_if", copied.get()[:int(count.get())], integers[integers > 20])

unsigned = cl_array.to_device(queue, (integers + 1000).astype(np.uint32))
sort = pyopencl.algorithm.RadixSort(context, "unsigned int *ary", key_expr="ary[i]",
                                    sort_arg_names=["ary"], key_dtype=np.uint32)
(ordered,), event = sort(unsigned, key_bits=16)
event.wait()
same("radix sort", ordered.get(), np.sort((integers + 1000).astype(np.uint32)))
show("radix sort", ordered.get())
cl.enqueue_barrier(queue)
queue.finish()
