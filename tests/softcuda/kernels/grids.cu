// Stencils, automata, graphs, transforms, random numbers.
#include "device_builtins.h"

// Five points, a tile with its rim in shared memory.
extern "C" __global__ void stencil_2d(const float* in, float* out, int width, int height) {
  __shared__ float tile[10][18];
  const int x = blockIdx.x * 16 + threadIdx.x, y = blockIdx.y * 8 + threadIdx.y;
  auto at = [&](int px, int py) {
    return px < 0 || px >= width || py < 0 || py >= height ? 0.0f : in[py * width + px];
  };
  const int tx = threadIdx.x + 1, ty = threadIdx.y + 1;
  tile[ty][tx] = at(x, y);
  if (threadIdx.x == 0) tile[ty][0] = at(x - 1, y);
  if (threadIdx.x == 15) tile[ty][17] = at(x + 1, y);
  if (threadIdx.y == 0) tile[0][tx] = at(x, y - 1);
  if (threadIdx.y == 7) tile[9][tx] = at(x, y + 1);
  __syncthreads();
  if (x < width && y < height)
    out[y * width + x] = 0.2f * (tile[ty][tx] + tile[ty][tx - 1] + tile[ty][tx + 1] +
                                 tile[ty - 1][tx] + tile[ty + 1][tx]);
}

// Seven points; a column of threads walks along z and keeps three planes in registers.
extern "C" __global__ void stencil_3d(const double* in, double* out, int n) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x < 1 || y < 1 || x >= n - 1 || y >= n - 1) return;
  const int plane = n * n, here = y * n + x;
  double below = in[here], middle = in[plane + here];
  for (int z = 1; z < n - 1; ++z) {
    const double* p = in + z * plane + here;
    const double above = p[plane];
    out[z * plane + here] = p[-1] + p[1] + p[-n] + p[n] + below + above - 6 * middle;
    below = middle;
    middle = above;
  }
}

extern "C" __global__ void game_of_life(const unsigned char* in, unsigned char* out, int size) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= size || y >= size) return;
  int alive = 0;
  for (int dy = -1; dy <= 1; ++dy)
    for (int dx = -1; dx <= 1; ++dx)
      alive += in[(y + dy + size) % size * size + (x + dx + size) % size];
  const int self = in[y * size + x];
  out[y * size + x] = alive == 3 || (alive == 4 && self);
}

// A level of breadth-first search.
extern "C" __global__ void search_level(const int* begins, const int* edges, int* distances,
                                        int level, int* changed, int nodes) {
  const int node = blockIdx.x * blockDim.x + threadIdx.x;
  if (node >= nodes || distances[node] != level) return;
  for (int i = begins[node]; i < begins[node + 1]; ++i)
    if (atomicCAS(&distances[edges[i]], -1, level + 1) == -1) *changed = 1;
}

// Floyd and Warshall's, one k a launch.
extern "C" __global__ void shortest_paths(int* distance, int n, int k) {
  const int i = blockIdx.y, j = threadIdx.x;
  if (j < n) distance[i * n + j] = min(distance[i * n + j], distance[i * n + k] + distance[k * n + j]);
}

// Cooley and Tukey's transform of 256 numbers in a block.
extern "C" __global__ void fourier(float2* values) {
  __shared__ float2 x[256];
  const int tid = threadIdx.x;
  for (int i = tid; i < 256; i += 128) x[__brev(i) >> 24] = values[blockIdx.x * 256 + i];
  __syncthreads();
  for (int half = 1; half < 256; half *= 2) {
    const int k = tid % half, low = tid / half * 2 * half + k, high = low + half;
    float s, c;
    sincospif(-static_cast<float>(k) / half, &s, &c);
    const float2 a = x[low], b = x[high];
    const float2 turned = make_float2(b.x * c - b.y * s, b.x * s + b.y * c);
    x[low] = make_float2(a.x + turned.x, a.y + turned.y);
    x[high] = make_float2(a.x - turned.x, a.y - turned.y);
    __syncthreads();
  }
  for (int i = tid; i < 256; i += 128) values[blockIdx.x * 256 + i] = x[i];
}

// Levenshtein's distance: diagonals, one block.
extern "C" __global__ void edit_distance(const char* a, const char* b, int n, int m, int* out) {
  extern __shared__ int diagonals[];
  const int i = threadIdx.x, width = blockDim.x + 1;
  for (int d = 0; d <= n + m; ++d) {
    int* now = diagonals + d % 3 * width;
    const int* before = diagonals + (d + 2) % 3 * width;
    const int* before2 = diagonals + (d + 1) % 3 * width;
    const int j = d - i;
    if (i <= n && j >= 0 && j <= m) {
      if (i == 0 || j == 0)
        now[i] = i + j;
      else
        now[i] = min(min(before[i - 1], before[i]) + 1, before2[i - 1] + (a[i - 1] != b[j - 1]));
      if (i == n && j == m) *out = now[i];
    }
    __syncthreads();
  }
}

struct Philox {
  unsigned counter[4], key[2];
};
// Salmon and others' Philox4x32-10.
static __device__ uint4 philox(unsigned c0, unsigned c1, unsigned c2, unsigned c3, unsigned k0,
                               unsigned k1) {
  for (int round = 0; round < 10; ++round) {
    const unsigned high0 = __umulhi(0xD2511F53u, c0), low0 = 0xD2511F53u * c0;
    const unsigned high1 = __umulhi(0xCD9E8D57u, c2), low1 = 0xCD9E8D57u * c2;
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return make_uint4(c0, c1, c2, c3);
}
extern "C" __global__ void philox_numbers(const Philox* states, uint4* out) {
  const Philox& s = states[threadIdx.x];
  out[threadIdx.x] = philox(s.counter[0], s.counter[1], s.counter[2], s.counter[3], s.key[0], s.key[1]);
}
extern "C" __global__ void normal_numbers(float4* out, unsigned seed) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  const uint4 r = philox(i, 0, 0, 0, seed, 0);
  auto unit = [](unsigned v) { return (v >> 8) * 0x1p-24f + 0x1p-25f; };
  float s, c;
  const float radius1 = sqrtf(-2 * logf(unit(r.x))), radius2 = sqrtf(-2 * logf(unit(r.z)));
  sincospif(2 * unit(r.y), &s, &c);
  float4 made;
  made.x = radius1 * c;
  made.y = radius1 * s;
  sincospif(2 * unit(r.w), &s, &c);
  made.z = radius2 * c;
  made.w = radius2 * s;
  out[i] = made;
}
extern "C" __global__ void monte_carlo_pi(unsigned long long* inside, int rounds, unsigned seed) {
  unsigned count = 0;
  for (int i = 0; i < rounds; ++i) {
    const uint4 r = philox(blockIdx.x * blockDim.x + threadIdx.x, i, 0, 0, seed, 1);
    const unsigned long long x = r.x >> 1, y = r.y >> 1, x2 = r.z >> 1, y2 = r.w >> 1;
    count += x * x + y * y < 1ull << 62;
    count += x2 * x2 + y2 * y2 < 1ull << 62;
  }
  count = __reduce_add_sync(~0u, count);
  if (threadIdx.x % 32 == 0) atomicAdd(inside, static_cast<unsigned long long>(count));
}

extern "C" __global__ void k_means(const float2* points, const float2* centres, int* nearest,
                                   float* sums, int n, int k) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  float best = INFINITY;
  int which = 0;
  for (int c = 0; c < k; ++c) {
    const float distance = hypotf(points[i].x - centres[c].x, points[i].y - centres[c].y);
    if (distance < best) best = distance, which = c;
  }
  nearest[i] = which;
  atomicAdd(&sums[which * 3], points[i].x);
  atomicAdd(&sums[which * 3 + 1], points[i].y);
  atomicAdd(&sums[which * 3 + 2], 1.0f);
}
