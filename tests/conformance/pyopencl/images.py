"""Images: upload, sampling kernels, copies between images and buffers, maps."""

import numpy as np
import pyopencl as cl

from _setup import context, numbers, queue, same, show

flags = cl.mem_flags
program = cl.Program(context, """
constant sampler_t clamped = CLK_NORMALIZED_COORDS_FALSE | CLK_ADDRESS_CLAMP_TO_EDGE
                             | CLK_FILTER_NEAREST;
kernel void blur(read_only image2d_t in, write_only image2d_t out) {
  int2 at = (int2)(get_global_id(0), get_global_id(1));
  float4 sum = 0;
  for (int y = -1; y <= 1; ++y)
    for (int x = -1; x <= 1; ++x) sum += read_imagef(in, clamped, at + (int2)(x, y));
  write_imagef(out, at, sum / 9);
}
kernel void slices(read_only image3d_t in, global float4* out) {
  int x = get_global_id(0), y = get_global_id(1);
  float4 sum = 0;
  for (int z = 0; z < get_image_depth(in); ++z)
    sum += read_imagef(in, clamped, (int4)(x, y, z, 0));
  out[y * get_global_size(0) + x] = sum;
}
kernel void shrink(read_only image2d_t in, sampler_t how, global float4* out, float scale) {
  int x = get_global_id(0), y = get_global_id(1);
  out[y * get_global_size(0) + x] = read_imagef(in, how, (float2)(x + 0.5f, y + 0.5f) * scale);
}
""").build()

picture = numbers(48 * 32 * 4, 7).reshape(32, 48, 4)
form = cl.ImageFormat(cl.channel_order.RGBA, cl.channel_type.FLOAT)
source = cl.Image(context, flags.READ_ONLY | flags.COPY_HOST_PTR, form, hostbuf=picture,
                  shape=(48, 32))
target = cl.Image(context, flags.READ_WRITE, form, shape=(48, 32))
program.blur(queue, (48, 32), None, source, target)
result = np.empty_like(picture)
cl.enqueue_copy(queue, result, target, origin=(0, 0), region=(48, 32))
padded = np.pad(picture, ((1, 1), (1, 1), (0, 0)), mode="edge")
expected = sum(padded[y:y + 32, x:x + 48] for y in range(3) for x in range(3)) / 9
same("blur", result, expected, 1e-4)
show("blur", result)

volume = numbers(8 * 6 * 5 * 4, 8).reshape(5, 6, 8, 4)
solid = cl.Image(context, flags.READ_ONLY | flags.COPY_HOST_PTR, form, hostbuf=volume,
                 shape=(8, 6, 5))
flat = cl.Buffer(context, flags.WRITE_ONLY, 8 * 6 * 16)
program.slices(queue, (8, 6), None, solid, flat)
summed = np.empty((6, 8, 4), np.float32)
cl.enqueue_copy(queue, summed, flat)
same("slices", summed, volume.sum(axis=0), 1e-4)

sampler = cl.Sampler(context, False, cl.addressing_mode.CLAMP_TO_EDGE, cl.filter_mode.LINEAR)
small = cl.Buffer(context, flags.WRITE_ONLY, 24 * 16 * 16)
program.shrink(queue, (24, 16), None, source, sampler, small, np.float32(2))
halves = np.empty((16, 24, 4), np.float32)
cl.enqueue_copy(queue, halves, small)
expected = (picture[0::2, 0::2] + picture[1::2, 0::2] + picture[0::2, 1::2]
            + picture[1::2, 1::2]) / 4
same("linear sampler", halves, expected, 1e-3)
show("linear sampler", halves)

buffer = cl.Buffer(context, flags.READ_WRITE, picture.nbytes)
cl.enqueue_copy(queue, buffer, target, offset=0, origin=(0, 0), region=(48, 32))
from_buffer = np.empty_like(picture)
cl.enqueue_copy(queue, from_buffer, buffer)
same("image to buffer", from_buffer, result)



def map_window(strides):
    """A view of 8 x 8 pixels, and the pitch of its rows, which only the map tells."""
    view, _, row_pitch, _ = cl.enqueue_map_image(
        queue, target, cl.map_flags.READ | cl.map_flags.WRITE, (4, 4), (8, 8), (8, 8, 4),
        np.float32, strides=strides)
    return view, row_pitch


view, pitch = map_window(None)
view.base.release(queue)
mapped, again = map_window((pitch, 16, 4))
assert again == pitch
same("seen through a map", mapped, result[4:12, 4:12])
mapped[...] = 5
mapped.base.release(queue)
cl.enqueue_copy(queue, result, target, origin=(0, 0), region=(48, 32))
same("written through a map", result[4:12, 4:12], 5)
show("in the end", result)
