// Products of matrices, and transposes.
#include "mma.h"

constexpr int kTile = 16;

// c = a b, all n by n, n a multiple of the tile.
extern "C" __global__ void matmul_tiled(const float* a, const float* b, float* c, int n) {
  __shared__ float left[kTile][kTile], right[kTile][kTile];
  const int x = threadIdx.x, y = threadIdx.y;
  const int row = blockIdx.y * kTile + y, column = blockIdx.x * kTile + x;
  float sum = 0;
  for (int from = 0; from < n; from += kTile) {
    left[y][x] = a[row * n + from + x];
    right[y][x] = b[(from + y) * n + column];
    __syncthreads();
#pragma unroll
    for (int k = 0; k < kTile; ++k) sum += left[y][k] * right[k][x];
    __syncthreads();
  }
  c[row * n + column] = sum;
}

extern "C" __global__ void matmul_double(const double* a, const double* b, double* c, int n) {
  const int row = blockIdx.y * blockDim.y + threadIdx.y;
  const int column = blockIdx.x * blockDim.x + threadIdx.x;
  if (row >= n || column >= n) return;
  double sum = 0;
  for (int k = 0; k < n; ++k) sum = fma(a[row * n + k], b[k * n + column], sum);
  c[row * n + column] = sum;
}

// A block of 64 by 64, each of 256 threads has 4 by 4 of it in registers.
extern "C" __global__ void matmul_blocked(const float* a, const float* b, float* c, int n) {
  __shared__ float left[8][64], right[8][64];
  const int tid = threadIdx.x, tx = tid % 16, ty = tid / 16;
  const int row0 = blockIdx.y * 64, column0 = blockIdx.x * 64;
  float sum[4][4] = {};
  for (int from = 0; from < n; from += 8) {
    for (int i = tid; i < 512; i += 256) {
      left[i % 8][i / 8] = a[(row0 + i / 8) * n + from + i % 8];
      right[i / 64][i % 64] = b[(from + i / 64) * n + column0 + i % 64];
    }
    __syncthreads();
    for (int k = 0; k < 8; ++k) {
      const float4 l = *reinterpret_cast<float4*>(&left[k][ty * 4]);
      const float4 r = *reinterpret_cast<float4*>(&right[k][tx * 4]);
      const float ls[4] = {l.x, l.y, l.z, l.w}, rs[4] = {r.x, r.y, r.z, r.w};
#pragma unroll
      for (int i = 0; i < 4; ++i)
#pragma unroll
        for (int j = 0; j < 4; ++j) sum[i][j] += ls[i] * rs[j];
    }
    __syncthreads();
  }
  for (int i = 0; i < 4; ++i)
    for (int j = 0; j < 4; ++j) c[(row0 + ty * 4 + i) * n + column0 + tx * 4 + j] = sum[i][j];
}

// 8-bit numbers, four a word along k: c = a transpose(b).
extern "C" __global__ void matmul_dp4a(const int* a, const int* b, int* c, int n) {
  const int row = blockIdx.y * blockDim.y + threadIdx.y;
  const int column = blockIdx.x * blockDim.x + threadIdx.x;
  int sum = 0;
  for (int k = 0; k < n / 4; ++k) sum = __dp4a(a[row * n / 4 + k], b[column * n / 4 + k], sum);
  c[row * n + column] = sum;
}

// One warp makes 16 by 8 of c = a b + c; a row major, b column major (its transpose is given).
#define MMA_KERNEL(name, type, ptx)                                                              \
  extern "C" __global__ void name(const type* a, const type* bt, float* c, int n) {              \
    const int lane = threadIdx.x, group = lane / 4, part = lane % 4;                             \
    const int row = blockIdx.y * 16, column = blockIdx.x * 8;                                    \
    float d[4] = {};                                                                             \
    for (int from = 0; from < n; from += 16) {                                                   \
      auto left = [&](int r, int k) {                                                            \
        return *reinterpret_cast<const unsigned*>(&a[(row + r) * n + from + k]);                 \
      };                                                                                         \
      auto right = [&](int k, int col) {                                                         \
        return *reinterpret_cast<const unsigned*>(&bt[(column + col) * n + from + k]);           \
      };                                                                                         \
      __asm__("mma.sync.aligned.m16n8k16.row.col.f32." ptx "." ptx                               \
              ".f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"                       \
              : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])                                   \
              : "r"(left(group, part * 2)), "r"(left(group + 8, part * 2)),                      \
                "r"(left(group, part * 2 + 8)), "r"(left(group + 8, part * 2 + 8)),              \
                "r"(right(part * 2, group)), "r"(right(part * 2 + 8, group)));                   \
    }                                                                                            \
    float* out = c + row * n + column + part * 2;                                                \
    out[group * n] = d[0];                                                                       \
    out[group * n + 1] = d[1];                                                                   \
    out[(group + 8) * n] = d[2];                                                                 \
    out[(group + 8) * n + 1] = d[3];                                                             \
  }
MMA_KERNEL(matmul_mma_f16, _Float16, "f16")
MMA_KERNEL(matmul_mma_bf16, __bf16, "bf16")

extern "C" __global__ void matmul_mma_s8(const signed char* a, const signed char* bt, int* c, int n) {
  const int lane = threadIdx.x, group = lane / 4, part = lane % 4;
  const int row = blockIdx.y * 16, column = blockIdx.x * 8;
  int d[4] = {};
  for (int from = 0; from < n; from += 32) {
    auto word = [&](const signed char* m, int r, int k) {
      return *reinterpret_cast<const int*>(&m[r * n + from + k]);
    };
    __asm__("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
            "{%0,%1,%2,%3};"
            : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])
            : "r"(word(a, row + group, part * 4)), "r"(word(a, row + group + 8, part * 4)),
              "r"(word(a, row + group, part * 4 + 16)), "r"(word(a, row + group + 8, part * 4 + 16)),
              "r"(word(bt, column + group, part * 4)), "r"(word(bt, column + group, part * 4 + 16)));
  }
  int* out = c + row * n + column + part * 2;
  out[group * n] = d[0];
  out[group * n + 1] = d[1];
  out[(group + 8) * n] = d[2];
  out[(group + 8) * n + 1] = d[3];
}

// Through shared memory and ldmatrix, whose .trans turns a row-major b.
extern "C" __global__ void matmul_ldmatrix(const _Float16* a, const _Float16* b, float* c, int n) {
  __shared__ __align__(16) _Float16 left[16][16], right[16][8];
  const int lane = threadIdx.x, row = blockIdx.y * 16, column = blockIdx.x * 8;
  float d[4] = {};
  for (int from = 0; from < n; from += 16) {
    for (int i = lane; i < 256; i += 32) left[i / 16][i % 16] = a[(row + i / 16) * n + from + i % 16];
    for (int i = lane; i < 128; i += 32) right[i / 8][i % 8] = b[(from + i / 8) * n + column + i % 8];
    __syncwarp();
    unsigned l[4], r[2];
    const unsigned left_at = __cvta_generic_to_shared(&left[lane % 16][lane / 16 * 8]);
    const unsigned right_at = __cvta_generic_to_shared(&right[lane % 16][0]);
    __asm__ __volatile__("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                         : "=r"(l[0]), "=r"(l[1]), "=r"(l[2]), "=r"(l[3])
                         : "r"(left_at)
                         : "memory");
    __asm__ __volatile__("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0,%1}, [%2];"
                         : "=r"(r[0]), "=r"(r[1])
                         : "r"(right_at)
                         : "memory");
    __asm__("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
            "{%0,%1,%2,%3};"
            : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
            : "r"(l[0]), "r"(l[1]), "r"(l[2]), "r"(l[3]), "r"(r[0]), "r"(r[1]));
    __syncwarp();
  }
  float* out = c + (row + lane / 4) * n + column + lane % 4 * 2;
  out[0] = d[0];
  out[1] = d[1];
  out[8 * n] = d[2];
  out[8 * n + 1] = d[3];
}

// wmma: fragments of which only the compiler knows the layout.
extern "C" __global__ void matmul_wmma(const _Float16* a, const _Float16* b, float* c, int n) {
  int left[8], right[8];
  float sum[8] = {};
  const int row = blockIdx.y * 16, column = blockIdx.x * 16;
  for (int from = 0; from < n; from += 16) {
    __hmma_m16n16k16_ld_a(left, reinterpret_cast<const int*>(a + row * n + from), n, 0);
    __hmma_m16n16k16_ld_b(right, reinterpret_cast<const int*>(b + from * n + column), n, 0);
    __hmma_m16n16k16_mma_f32f32(sum, left, right, sum, 0, 0);
  }
  __hmma_m16n16k16_st_c_f32(c + row * n + column, sum, n, 0);
}

extern "C" __global__ void transpose_padded(const float* in, float* out, int width, int height) {
  __shared__ float tile[32][33];  // a column more, so that columns lie in different banks
  int x = blockIdx.x * 32 + threadIdx.x, y = blockIdx.y * 32 + threadIdx.y;
  for (int j = 0; j < 32; j += blockDim.y)
    if (x < width && y + j < height) tile[threadIdx.y + j][threadIdx.x] = in[(y + j) * width + x];
  __syncthreads();
  x = blockIdx.y * 32 + threadIdx.x;
  y = blockIdx.x * 32 + threadIdx.y;
  for (int j = 0; j < 32; j += blockDim.y)
    if (x < height && y + j < width) out[(y + j) * height + x] = tile[threadIdx.x][threadIdx.y + j];
}

// 8 by 8 halves, turned among the lanes of a warp.
extern "C" __global__ void transpose_movmatrix(const unsigned* in, unsigned* out) {
  unsigned turned;
  __asm__("movmatrix.sync.aligned.m8n8.trans.b16 %0, %1;" : "=r"(turned) : "r"(in[threadIdx.x]));
  out[threadIdx.x] = turned;
}

// y = A x, A in compressed rows; a warp for each row.
extern "C" __global__ void sparse_times_vector(const int* begins, const int* columns,
                                               const float* values, const float* x, float* y,
                                               int rows) {
  const int row = (blockIdx.x * blockDim.x + threadIdx.x) / 32, lane = threadIdx.x % 32;
  if (row >= rows) return;
  float sum = 0;
  for (int i = begins[row] + lane; i < begins[row + 1]; i += 32)
    sum += values[i] * __ldg(&x[columns[i]]);
  for (int step = 16; step > 0; step /= 2) sum += __shfl_down_sync(~0u, sum, step);
  if (lane == 0) y[row] = sum;
}

// The same through nvcuda::wmma: c = a b + c, of which b is column major.
template <class T, class Sum, int m, int n>
static __device__ void by_fragments(const T* a, const T* b, Sum* c, int size) {
  namespace wmma = nvcuda::wmma;
  wmma::fragment<wmma::matrix_a, m, n, 16, T, wmma::row_major> left;
  wmma::fragment<wmma::matrix_b, m, n, 16, T, wmma::col_major> right;
  wmma::fragment<wmma::accumulator, m, n, 16, Sum> sum;
  const int row = blockIdx.y * m, column = blockIdx.x * n;
  wmma::fill_fragment(sum, Sum(1));
  for (int from = 0; from < size; from += 16) {
    wmma::load_matrix_sync(left, a + row * size + from, size);
    wmma::load_matrix_sync(right, b + column * size + from, size);
    wmma::mma_sync(sum, left, right, sum);
  }
  wmma::store_matrix_sync(c + row * size + column, sum, size, wmma::mem_row_major);
}
extern "C" __global__ void fragments_of_halves(const __half* a, const __half* b, float* c, int n) {
  by_fragments<__half, float, 16, 16>(a, b, c, n);
}
extern "C" __global__ void fragments_of_bfloats(const __nv_bfloat16* a, const __nv_bfloat16* b,
                                                float* c, int n) {
  by_fragments<__nv_bfloat16, float, 32, 8>(a, b, c, n);
}
extern "C" __global__ void fragments_of_bytes(const signed char* a, const signed char* b, int* c,
                                              int n) {
  by_fragments<signed char, int, 8, 32>(a, b, c, n);
}
