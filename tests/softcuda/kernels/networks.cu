// What neural networks are made of.
#include "cuda_bf16.h"
#include "cuda_fp16.h"

static __device__ float block_reduce(float value, bool largest) {
  __shared__ float parts[32];
  auto join = [&](float a, float b) { return largest ? fmaxf(a, b) : a + b; };
  for (int step = 16; step > 0; step /= 2) value = join(value, __shfl_xor_sync(~0u, value, step));
  __syncthreads();  // parts may be in use
  if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = value;
  __syncthreads();
  value = parts[0];
  for (unsigned i = 1; i < blockDim.x / 32; ++i) value = join(value, parts[i]);
  return value;
}

// A block for each row.
extern "C" __global__ void softmax(const float* in, float* out, int columns) {
  in += blockIdx.x * columns;
  out += blockIdx.x * columns;
  float largest = -INFINITY;
  for (int i = threadIdx.x; i < columns; i += blockDim.x) largest = fmaxf(largest, in[i]);
  largest = block_reduce(largest, true);
  float sum = 0;
  for (int i = threadIdx.x; i < columns; i += blockDim.x) sum += expf(in[i] - largest);
  sum = block_reduce(sum, false);
  for (int i = threadIdx.x; i < columns; i += blockDim.x) out[i] = expf(in[i] - largest) / sum;
}

extern "C" __global__ void layer_norm(const float* in, const float* gain, const float* bias,
                                      float* out, int columns) {
  in += blockIdx.x * columns;
  float sum = 0, squares = 0;
  for (int i = threadIdx.x; i < columns; i += blockDim.x) sum += in[i];
  const float mean = block_reduce(sum, false) / columns;
  for (int i = threadIdx.x; i < columns; i += blockDim.x)
    squares += (in[i] - mean) * (in[i] - mean);
  const float scale = rsqrtf(block_reduce(squares, false) / columns + 1e-5f);
  for (int i = threadIdx.x; i < columns; i += blockDim.x)
    out[blockIdx.x * columns + i] = (in[i] - mean) * scale * gain[i] + bias[i];
}

// Root mean square norm of halves, two at a time.
extern "C" __global__ void rms_norm_half(const __half2* in, __half2* out, int pairs) {
  in += blockIdx.x * pairs;
  float squares = 0;
  for (int i = threadIdx.x; i < pairs; i += blockDim.x) {
    const float2 both = __half22float2(in[i]);
    squares += both.x * both.x + both.y * both.y;
  }
  const float scale = rsqrtf(block_reduce(squares, false) / (2 * pairs) + 1e-5f);
  for (int i = threadIdx.x; i < pairs; i += blockDim.x)
    out[blockIdx.x * pairs + i] = __hmul2(in[i], __float2half2_rn(scale));
}

// Attention as FlashAttention does it: a thread for each query, keys in tiles, the sum rescaled as
// a larger score comes. Rows have 16 numbers.
extern "C" __global__ void attention(const float* q, const float* k, const float* v, float* out,
                                     int rows, bool causal) {
  constexpr int kWidth = 16, kTile = 32;
  __shared__ float keys[kTile][kWidth], values[kTile][kWidth];
  const int row = blockIdx.x * kTile + threadIdx.x;
  float query[kWidth], sum[kWidth] = {}, largest = -INFINITY, weights = 0;
  for (int d = 0; d < kWidth; ++d) query[d] = q[row * kWidth + d] * 0.25f;
  for (int from = 0; from < rows; from += kTile) {
    for (int d = 0; d < kWidth; ++d) {
      keys[threadIdx.x][d] = k[(from + threadIdx.x) * kWidth + d];
      values[threadIdx.x][d] = v[(from + threadIdx.x) * kWidth + d];
    }
    __syncthreads();
    for (int j = 0; j < kTile && !(causal && from + j > row); ++j) {
      float score = 0;
      for (int d = 0; d < kWidth; ++d) score += query[d] * keys[j][d];
      const float next = fmaxf(largest, score);
      const float kept = expf(largest - next), weight = expf(score - next);
      weights = weights * kept + weight;
      for (int d = 0; d < kWidth; ++d) sum[d] = sum[d] * kept + weight * values[j][d];
      largest = next;
    }
    __syncthreads();
  }
  for (int d = 0; d < kWidth; ++d) out[row * kWidth + d] = sum[d] / weights;
}

extern "C" __global__ void activations(const float* in, float* out, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  const float x = in[i];
  out[i] = 0.5f * x * (1 + erff(x * 0.70710678f));                                    // GELU
  out[n + i] = 0.5f * x * (1 + tanhf(0.79788456f * (x + 0.044715f * x * x * x)));     // and its kin
  out[2 * n + i] = x / (1 + expf(-x));                                                // SiLU
  out[3 * n + i] = log1pf(expf(x));                                                   // softplus
}

// Rotary position embedding: pairs of numbers turned by an angle.
extern "C" __global__ void rotary(float2* x, int pairs) {
  const int i = threadIdx.x;
  if (i >= pairs) return;
  const float angle = blockIdx.x * powf(10000, -static_cast<float>(i) / pairs);
  float s, c;
  sincosf(angle, &s, &c);
  float2& pair = x[blockIdx.x * pairs + i];
  pair = make_float2(pair.x * c - pair.y * s, pair.x * s + pair.y * c);
}

// A convolution of 3 by 3 over channels, one thread for each number that comes out.
__constant__ float filter[4 * 2 * 9];
extern "C" __global__ void convolution(const float* in, float* out, int width, int height) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
  const int channel = blockIdx.z;
  if (x >= width || y >= height) return;
  float sum = 0;
  for (int from = 0; from < 2; ++from)
    for (int dy = -1; dy <= 1; ++dy)
      for (int dx = -1; dx <= 1; ++dx) {
        const int sx = x + dx, sy = y + dy;
        if (sx < 0 || sx >= width || sy < 0 || sy >= height) continue;
        sum += in[(from * height + sy) * width + sx] *
               filter[((channel * 2 + from) * 3 + dy + 1) * 3 + dx + 1];
      }
  out[(channel * height + y) * width + x] = sum;
}

// A matrix of 4-bit weights, 32 to a scale of 16 bits, times a vector of bytes.
struct QuantizedBlock {
  __half scale;
  unsigned char nibbles[16];
};
extern "C" __global__ void quantized_times_vector(const QuantizedBlock* weights, const signed char* x,
                                                  float* y, int blocks) {
  const QuantizedBlock* row = weights + blockIdx.x * blocks;
  float sum = 0;
  for (int b = threadIdx.x; b < blocks; b += 32) {
    int dot = 0;
    for (int i = 0; i < 16; i += 4) {
      unsigned packed;
      memcpy(&packed, &row[b].nibbles[i], 4);
      const int low = static_cast<int>(__vsubss4(packed & 0x0f0f0f0f, 0x08080808));
      const int high = static_cast<int>(__vsubss4(packed >> 4 & 0x0f0f0f0f, 0x08080808));
      dot = __dp4a(low, *reinterpret_cast<const int*>(x + b * 32 + i), dot);
      dot = __dp4a(high, *reinterpret_cast<const int*>(x + b * 32 + 16 + i), dot);
    }
    sum += __half2float(row[b].scale) * dot;
  }
  for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(~0u, sum, step);
  if (threadIdx.x == 0) y[blockIdx.x] = sum;
}

// Every operation of bfloat16 and of half, as numbers and in pairs.
template <class T>
static __device__ void small_floats(T a, T b, T c, float* out) {
  out[0] = static_cast<float>(a + b);
  out[1] = static_cast<float>(a - b);
  out[2] = static_cast<float>(a * b);
  out[3] = static_cast<float>(a / b);
  out[4] = static_cast<float>(__hfma(a, b, c));
  out[5] = static_cast<float>(__hmax(a, b));
  out[6] = static_cast<float>(-__habs(a));
  out[7] = a < b ? 1 : 0;
}
extern "C" __global__ void arithmetic_of_16_bits(const float* in, float* out) {
  const float* from = in + threadIdx.x * 3;
  small_floats(__float2half(from[0]), __float2half(from[1]), __float2half(from[2]),
               out + threadIdx.x * 16);
  small_floats(__float2bfloat16(from[0]), __float2bfloat16(from[1]), __float2bfloat16(from[2]),
               out + threadIdx.x * 16 + 8);
}

extern "C" __global__ void atomics_of_halves(__half2* sums) {
  atomicAdd(&sums[threadIdx.x % 4], __floats2half2_rn(1, 0.5f));
}
