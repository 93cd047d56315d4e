// The kernels of `./dev bench soft`, one text for two languages: CUDA C++ behind cuda.h, OpenCL C
// behind opencl.h, which say what the words in capitals are. So both devices are given the same
// algorithm, the same block sizes and the same shared memory. Each may run any number of times over
// the same buffers: none adds to what an earlier run left.

#define TILE 16

KERNEL vector_add(GLOBAL const float* a, GLOBAL const float* b, GLOBAL float* out, int n) {
  const int i = GLOBAL_X;
  if (i < n) out[i] = a[i] + b[i];
}

KERNEL saxpy(float a, GLOBAL const float* x, GLOBAL const float* y, GLOBAL float* out, int n) {
  for (int i = GLOBAL_X; i < n; i += BLOCK_X * GRID_X)
    out[i] = a * x[i] + y[i];
}

// Square matrices whose size is a multiple of the tile.
KERNEL matmul(GLOBAL const float* a, GLOBAL const float* b, GLOBAL float* out, int n) {
  SHARED float left[TILE][TILE];
  SHARED float right[TILE][TILE];
  const int x = THREAD_X, y = THREAD_Y, row = GROUP_Y * TILE + y, column = GROUP_X * TILE + x;
  float sum = 0;
  for (int from = 0; from < n; from += TILE) {
    left[y][x] = a[row * n + from + x];
    right[y][x] = b[(from + y) * n + column];
    BARRIER();
    for (int k = 0; k < TILE; ++k)
      sum += left[y][k] * right[k][x];
    BARRIER();
  }
  out[row * n + column] = sum;
}

#define BODIES 128
KERNEL n_body(GLOBAL const float4* bodies, GLOBAL float4* out, int n, float soft) {
  SHARED float4 tile[BODIES];
  const int i = GLOBAL_X;
  const float4 mine = bodies[i];
  float ax = 0, ay = 0, az = 0;
  for (int from = 0; from < n; from += BODIES) {
    tile[THREAD_X] = bodies[from + THREAD_X];
    BARRIER();
    for (int j = 0; j < BODIES; ++j) {
      const float dx = tile[j].x - mine.x, dy = tile[j].y - mine.y, dz = tile[j].z - mine.z;
      const float inverse = RSQRT(dx * dx + dy * dy + dz * dz + soft);
      const float force = tile[j].w * inverse * inverse * inverse;
      ax += dx * force;
      ay += dy * force;
      az += dz * force;
    }
    BARRIER();
  }
  out[i] = FLOAT4(ax, ay, az, 0);
}

KERNEL clear(GLOBAL unsigned int* out) { out[GLOBAL_X] = 0; }
// Bins of a block in shared memory, added to those of all at its end.
KERNEL histogram(GLOBAL const unsigned int* in, GLOBAL unsigned int* out, int n) {
  SHARED unsigned int mine[256];
  mine[THREAD_X] = 0;
  BARRIER();
  for (int i = GLOBAL_X; i < n; i += BLOCK_X * GRID_X) {
    const unsigned int four = in[i];
    ATOMIC_ADD(&mine[four & 255], 1);
    ATOMIC_ADD(&mine[four >> 8 & 255], 1);
    ATOMIC_ADD(&mine[four >> 16 & 255], 1);
    ATOMIC_ADD(&mine[four >> 24], 1);
  }
  BARRIER();
  ATOMIC_ADD(&out[THREAD_X], mine[THREAD_X]);
}

// Blelloch's exclusive scan of 2 x 256 numbers in each block; their totals are scanned by the same
// kernel, and added.
KERNEL scan(GLOBAL const int* in, GLOBAL int* out, GLOBAL int* totals) {
  SHARED int tree[512];
  const int tid = THREAD_X, from = GROUP_X * 512;
  tree[2 * tid] = in[from + 2 * tid];
  tree[2 * tid + 1] = in[from + 2 * tid + 1];
  int offset = 1;
  for (int d = 256; d > 0; d /= 2) {
    BARRIER();
    if (tid < d) tree[offset * (2 * tid + 2) - 1] += tree[offset * (2 * tid + 1) - 1];
    offset *= 2;
  }
  BARRIER();
  if (tid == 0) {
    totals[GROUP_X] = tree[511];
    tree[511] = 0;
  }
  for (int d = 1; d < 512; d *= 2) {
    offset /= 2;
    BARRIER();
    if (tid < d) {
      const int left = offset * (2 * tid + 1) - 1, right = offset * (2 * tid + 2) - 1;
      const int kept = tree[left];
      tree[left] = tree[right];
      tree[right] += kept;
    }
  }
  BARRIER();
  out[from + 2 * tid] = tree[2 * tid];
  out[from + 2 * tid + 1] = tree[2 * tid + 1];
}
KERNEL add_totals(GLOBAL int* out, GLOBAL const int* totals) {
  out[GROUP_X * 512 + THREAD_X] += totals[GROUP_X];
  out[GROUP_X * 512 + 256 + THREAD_X] += totals[GROUP_X];
}

// The sum of a block's 256 numbers, in every thread.
FUNCTION float block_sum(SHARED_POINTER float* tree, float value) {
  const int tid = THREAD_X;
  BARRIER();
  tree[tid] = value;
  BARRIER();
  for (int step = 128; step > 0; step /= 2) {
    if (tid < step) tree[tid] += tree[tid + step];
    BARRIER();
  }
  return tree[0];
}
FUNCTION float block_largest(SHARED_POINTER float* tree, float value) {
  const int tid = THREAD_X;
  BARRIER();
  tree[tid] = value;
  BARRIER();
  for (int step = 128; step > 0; step /= 2) {
    if (tid < step) tree[tid] = FMAX(tree[tid], tree[tid + step]);
    BARRIER();
  }
  return tree[0];
}

KERNEL reduction(GLOBAL const float* in, GLOBAL float* out, int n) {
  SHARED float tree[256];
  float sum = 0;
  for (int i = GLOBAL_X; i < n; i += BLOCK_X * GRID_X)
    sum += in[i];
  sum = block_sum(tree, sum);
  if (THREAD_X == 0) out[GROUP_X] = sum;
}

// A block for each row.
KERNEL softmax(GLOBAL const float* in, GLOBAL float* out, int columns) {
  SHARED float tree[256];
  const int from = GROUP_X * columns;
  float largest = -3e38f, sum = 0;
  for (int i = THREAD_X; i < columns; i += BLOCK_X)
    largest = FMAX(largest, in[from + i]);
  largest = block_largest(tree, largest);
  for (int i = THREAD_X; i < columns; i += BLOCK_X)
    sum += EXP(in[from + i] - largest);
  sum = block_sum(tree, sum);
  for (int i = THREAD_X; i < columns; i += BLOCK_X)
    out[from + i] = EXP(in[from + i] - largest) / sum;
}

KERNEL layer_norm(GLOBAL const float* in, GLOBAL float* out, int columns) {
  SHARED float tree[256];
  const int from = GROUP_X * columns;
  float sum = 0, squares = 0;
  for (int i = THREAD_X; i < columns; i += BLOCK_X)
    sum += in[from + i];
  const float mean = block_sum(tree, sum) / columns;
  for (int i = THREAD_X; i < columns; i += BLOCK_X)
    squares += (in[from + i] - mean) * (in[from + i] - mean);
  const float scale = RSQRT(block_sum(tree, squares) / columns + 1e-5f);
  for (int i = THREAD_X; i < columns; i += BLOCK_X)
    out[from + i] = (in[from + i] - mean) * scale;
}

// A column more than the tile has, against bank conflicts, as it is written for GPUs.
KERNEL transpose(GLOBAL const float* in, GLOBAL float* out, int n) {
  SHARED float tile[TILE][TILE + 1];
  tile[THREAD_Y][THREAD_X] = in[(GROUP_Y * TILE + THREAD_Y) * n + GROUP_X * TILE + THREAD_X];
  BARRIER();
  out[(GROUP_X * TILE + THREAD_Y) * n + GROUP_Y * TILE + THREAD_X] = tile[THREAD_X][THREAD_Y];
}

// Five points; the rim stays as it is.
KERNEL stencil_2d(GLOBAL const float* in, GLOBAL float* out, int n) {
  const int x = GLOBAL_X, y = GLOBAL_Y, i = y * n + x;
  if (x == 0 || y == 0 || x == n - 1 || y == n - 1)
    out[i] = in[i];
  else
    out[i] = 0.2f * (in[i] + in[i - 1] + in[i + 1] + in[i - n] + in[i + n]);
}

// Seven points of doubles; a column of threads walks along z.
KERNEL stencil_3d(GLOBAL const double* in, GLOBAL double* out, int n) {
  const int x = GLOBAL_X, y = GLOBAL_Y, plane = n * n;
  if (x < 1 || y < 1 || x >= n - 1 || y >= n - 1) return;
  double below = in[y * n + x], middle = in[plane + y * n + x];
  for (int z = 1; z < n - 1; ++z) {
    const int i = z * plane + y * n + x;
    const double above = in[i + plane];
    out[i] = in[i - 1] + in[i + 1] + in[i - n] + in[i + n] + below + above - 6 * middle;
    below = middle;
    middle = above;
  }
}

KERNEL mandelbrot(GLOBAL int* out, int n, int most) {
  const int x = GLOBAL_X, y = GLOBAL_Y;
  const float cr = -2.0f + 3.0f * x / n, ci = -1.5f + 3.0f * y / n;
  float zr = 0, zi = 0;
  int i = 0;
  while (i < most && zr * zr + zi * zi <= 4) {
    const float next = zr * zr - zi * zi + cr;
    zi = 2 * zr * zi + ci;
    zr = next;
    ++i;
  }
  out[y * n + x] = i;
}

// Steps of x -> x / 2 or 3 x + 1 until 1 comes.
KERNEL collatz(GLOBAL unsigned int* out) {
  const unsigned int i = GLOBAL_X;
  unsigned int x = i + 1, steps = 0;
  while (x != 1) {
    x = (x & 1) != 0 ? 3 * x + 1 : x / 2;
    ++steps;
  }
  out[i] = steps;
}

// A row of a sparse matrix for each thread, times a vector.
KERNEL sparse_rows(GLOBAL const int* begin, GLOBAL const int* column, GLOBAL const float* value,
                   GLOBAL const float* vector, GLOBAL float* out) {
  const int row = GLOBAL_X;
  float sum = 0;
  for (int k = begin[row]; k < begin[row + 1]; ++k)
    sum += value[k] * vector[column[k]];
  out[row] = sum;
}

// Where the query is among the sorted keys, or the first that is larger.
KERNEL binary_search(GLOBAL const int* keys, GLOBAL const int* queries, GLOBAL int* out, int n) {
  const int query = queries[GLOBAL_X];
  int low = 0, high = n;
  while (low < high) {
    const int middle = (low + high) / 2, key = keys[middle];
    if (key == query) {
      low = middle;
      break;
    }
    if (key < query)
      low = middle + 1;
    else
      high = middle;
  }
  out[GLOBAL_X] = low;
}

// Salmon and others' Philox4x32-10: four numbers for each thread.
KERNEL philox(GLOBAL unsigned int* out, unsigned int seed) {
  const int i = GLOBAL_X;
  unsigned int c0 = i, c1 = 0, c2 = 0, c3 = 0, k0 = seed, k1 = 0;
  for (int round = 0; round < 10; ++round) {
    const unsigned int high0 = MUL_HIGH(0xD2511F53u, c0), low0 = 0xD2511F53u * c0;
    const unsigned int high1 = MUL_HIGH(0xCD9E8D57u, c2), low1 = 0xCD9E8D57u * c2;
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  out[4 * i] = c0;
  out[4 * i + 1] = c1;
  out[4 * i + 2] = c2;
  out[4 * i + 3] = c3;
}

// Black and Scholes' price of a call.
KERNEL black_scholes(GLOBAL const float* price, GLOBAL const float* strike,
                     GLOBAL const float* years, GLOBAL float* out, int n) {
  const int i = GLOBAL_X;
  if (i >= n) return;
  const float rate = 0.02f, volatility = 0.3f, root = volatility * SQRT(years[i]);
  const float d1 =
      (LOG(price[i] / strike[i]) + (rate + 0.5f * volatility * volatility) * years[i]) / root;
  const float d2 = d1 - root;
  out[i] = price[i] * 0.5f * ERFC(-d1 * 0.70710678f) -
           strike[i] * EXP(-rate * years[i]) * 0.5f * ERFC(-d2 * 0.70710678f);
}

// A thread for each query, keys in tiles, the sum rescaled as a larger score comes.
#define WIDTH 16
#define KEYS 64
KERNEL attention(GLOBAL const float* q, GLOBAL const float* k, GLOBAL const float* v,
                 GLOBAL float* out, int rows) {
  SHARED float keys[KEYS][WIDTH];
  SHARED float values[KEYS][WIDTH];
  const int tid = THREAD_X, row = GLOBAL_X;
  float query[WIDTH], sum[WIDTH], largest = -3e38f, weights = 0;
  for (int d = 0; d < WIDTH; ++d) {
    query[d] = q[row * WIDTH + d] * 0.25f;
    sum[d] = 0;
  }
  for (int from = 0; from < rows; from += KEYS) {
    for (int d = 0; d < WIDTH; ++d) {
      keys[tid][d] = k[(from + tid) * WIDTH + d];
      values[tid][d] = v[(from + tid) * WIDTH + d];
    }
    BARRIER();
    for (int j = 0; j < KEYS; ++j) {
      float score = 0;
      for (int d = 0; d < WIDTH; ++d)
        score += query[d] * keys[j][d];
      const float next = FMAX(largest, score);
      const float kept = EXP(largest - next), weight = EXP(score - next);
      weights = weights * kept + weight;
      for (int d = 0; d < WIDTH; ++d)
        sum[d] = sum[d] * kept + weight * values[j][d];
      largest = next;
    }
    BARRIER();
  }
  for (int d = 0; d < WIDTH; ++d)
    out[row * WIDTH + d] = sum[d] / weights;
}

KERNEL empty(int unused) {}
