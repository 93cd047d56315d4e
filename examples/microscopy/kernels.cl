// Volumes are float arrays, x fastest, width a multiple of 8. A work-item makes eight neighbours of
// a row at once. Outside the volume there is nothing: zero.

#define LANES 8
#define MAX_RADIUS 64

// Convolves along x. A work-group is one row of `width` voxels: width / 8 work-items.
kernel void convolve_x(global const float* in, global float* out, constant float* taps, int radius,
                       local float* row) {
  const int width = get_local_size(0) * LANES;
  const size_t start = (get_global_id(2) * get_global_size(1) + get_global_id(1)) * width;
  const int x = get_local_id(0) * LANES;
  vstore8(vload8(0, in + start + x), 0, row + radius + x);
  for (int i = get_local_id(0); i < radius; i += get_local_size(0)) {
    row[i] = 0.0f;
    row[radius + width + i] = 0.0f;
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  float8 sum = 0.0f;
  for (int i = 0; i <= 2 * radius; ++i) sum += taps[i] * vload8(0, row + x + i);
  vstore8(sum, 0, out + start + x);
}

// Convolves along y or z. `position` and `size` are the coordinate and its end along that axis,
// `stride` the distance of neighbours.
float8 convolve_along(global const float* in, constant float* taps, int radius, int position,
                      int size, int stride) {
  const int first = max(-radius, -position);
  const int last = min(radius, size - 1 - position);
  float8 sum = 0.0f;
  for (int i = first; i <= last; ++i) sum += taps[radius + i] * vload8(0, in + i * stride);
  return sum;
}

kernel void convolve_y(global const float* in, global float* out, constant float* taps, int radius) {
  const int width = get_global_size(0) * LANES, height = get_global_size(1);
  const int x = get_global_id(0) * LANES, y = get_global_id(1);
  const size_t at = (get_global_id(2) * height + y) * width + x;
  vstore8(convolve_along(in + at, taps, radius, y, height, width), 0, out + at);
}

// Adds to `out` when `accumulate` is set: the terms of the point-spread function are a sum.
kernel void convolve_z(global const float* in, global float* out, constant float* taps, int radius,
                       int accumulate) {
  const int width = get_global_size(0) * LANES, height = get_global_size(1);
  const int depth = get_global_size(2), z = get_global_id(2);
  const size_t at = ((size_t)z * height + get_global_id(1)) * width + get_global_id(0) * LANES;
  float8 sum = convolve_along(in + at, taps, radius, z, depth, width * height);
  if (accumulate) sum += vload8(0, out + at);
  vstore8(sum, 0, out + at);
}

// Looks ahead along the last step: y = max(0, x + momentum * (x - before)).
kernel void predict(global const float* x, global const float* before, global float* y,
                    float momentum) {
  const size_t i = get_global_id(0);
  y[i] = fmax(0.0f, x[i] + momentum * (x[i] - before[i]));
}

// What was measured over what the estimate would look like; in place.
kernel void compare(global const float* measured, global float* seen, float background) {
  const size_t i = get_global_id(0);
  seen[i] = measured[i] / (seen[i] + background);
}

// One Richardson-Lucy step from y: x = y * correction / weight, step = x - y. Per work-group,
// partial[2g] = sum(step * step_before) and partial[2g+1] = sum(step_before^2) for the next
// momentum. `before` receives the old x.
kernel void improve(global float* x, global float* before, global const float* y,
                    global const float* correction, global const float* weight, global float* step,
                    global float* partial, int count, local float* sums) {
  const int lane = get_local_id(0), lanes = get_local_size(0);
  float across = 0.0f, square = 0.0f;
  for (int i = get_global_id(0); i < count; i += get_global_size(0)) {
    const float better = y[i] * correction[i] / weight[i];
    const float now = better - y[i], last = step[i];
    across += now * last;
    square += last * last;
    before[i] = x[i];
    x[i] = better;
    step[i] = now;
  }
  sums[lane] = across;
  sums[lanes + lane] = square;
  for (int reach = lanes / 2; reach > 0; reach /= 2) {
    barrier(CLK_LOCAL_MEM_FENCE);
    if (lane < reach) {
      sums[lane] += sums[lane + reach];
      sums[lanes + lane] += sums[lanes + lane + reach];
    }
  }
  if (lane == 0) {
    partial[2 * get_group_id(0)] = sums[0];
    partial[2 * get_group_id(0) + 1] = sums[lanes];
  }
}
