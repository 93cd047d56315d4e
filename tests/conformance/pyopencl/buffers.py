"""Buffers: sub-buffers, maps with every flag, rectangles, fills, host pointers, struct arguments."""

import numpy as np
import pyopencl as cl

from _setup import context, numbers, queue, same, show

flags, maps = cl.mem_flags, cl.map_flags
program = cl.Program(context, """
typedef struct { float scale; int shift; char tag[8]; } Settings;
kernel void apply(global float* data, Settings settings, local float* scratch) {
  size_t i = get_global_id(0), l = get_local_id(0);
  scratch[l] = data[i] * settings.scale + settings.shift + settings.tag[2];
  barrier(CLK_LOCAL_MEM_FENCE);
  data[i] = scratch[get_local_size(0) - 1 - l];
}
""").build()

values = numbers(4096, 9)
buffer = cl.Buffer(context, flags.READ_WRITE | flags.COPY_HOST_PTR, hostbuf=values)
part = buffer.get_sub_region(4096, 2048)
twos = np.full(512, 2, np.float32)
cl.enqueue_copy(queue, part, twos)
values[1024:1536] = 2
back = np.empty_like(values)
cl.enqueue_copy(queue, back, buffer)
same("sub-buffer", back, values)

settings = np.array([(1.5, -3, b"abcdefg")],
                    dtype=[("scale", np.float32), ("shift", np.int32), ("tag", "S8")])[0]
program.apply(queue, (4096,), (64,), buffer, settings, cl.LocalMemory(256))
expected = (values * np.float32(1.5) - 3 + ord("c")).reshape(64, 64)[:, ::-1].ravel()
cl.enqueue_copy(queue, back, buffer)
same("struct argument", back, expected, 1e-4)

for flag in (maps.READ, maps.WRITE, maps.READ | maps.WRITE, maps.WRITE_INVALIDATE_REGION):
    view, event = cl.enqueue_map_buffer(queue, buffer, flag, 256, (1000,), np.float32,
                                        is_blocking=False)
    event.wait()
    if flag & maps.READ:
        same("mapped contents", view, back[64:1064])
    if flag != maps.READ:
        view[:] = np.arange(1000, dtype=np.float32) + int(flag)
        back[64:1064] = view
    view.base.release(queue)
    again = np.empty_like(back)
    cl.enqueue_copy(queue, again, buffer)
    same(f"after a map with {int(flag)}", again, back)

host = numbers(2048, 10)
shared = cl.Buffer(context, flags.READ_WRITE | flags.USE_HOST_PTR, hostbuf=host)
before = host.copy()
program.apply(queue, (2048,), (64,), shared, settings, cl.LocalMemory(256))
view, _ = cl.enqueue_map_buffer(queue, shared, maps.READ, 0, (2048,), np.float32)
same("use host pointer", host, (before * np.float32(1.5) - 3 + ord("c"))
     .reshape(32, 64)[:, ::-1].ravel(), 1e-4)
print("the map is the host's memory:", view.ctypes.data == host.ctypes.data)
view.base.release(queue)

cl.enqueue_fill_buffer(queue, buffer, np.float32(9), 400, 800)
back[100:300] = 9
again = np.empty_like(back)
cl.enqueue_copy(queue, again, buffer)
same("fill", again, back)

grid = numbers(32 * 32, 11).reshape(32, 32)
square = cl.Buffer(context, flags.READ_WRITE | flags.COPY_HOST_PTR, hostbuf=grid)
window = np.zeros((8, 8), np.float32)
cl.enqueue_copy(queue, window, square, buffer_origin=(16, 5, 0), host_origin=(0, 0, 0),
                region=(32, 8, 1), buffer_pitches=(128, 0), host_pitches=(32, 0))
same("rectangle", window, grid[5:13, 4:12])
show("in the end", again)
