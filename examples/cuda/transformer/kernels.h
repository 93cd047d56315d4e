// The parts of a transformer, one kernel each. A row of numbers belongs to one character of the
// text; "rows" is how long the text is.
#pragma once

#include "model.h"

// A block for each row: the character's numbers and its position's.
__global__ void embed(const int* text, const float* characters, const float* positions, float* x) {
  const int row = blockIdx.x, i = threadIdx.x;
  x[row * kWidth + i] = characters[text[row] * kWidth + i] + positions[row * kWidth + i];
}

// The sum over a warp of 32 threads, in each of them: they read each other's registers.
__device__ inline float warp_sum(float value) {
  for (int step = 16; step > 0; step /= 2)
    value += __shfl_xor_sync(0xffffffffu, value, step);
  return value;
}
__device__ inline float warp_largest(float value) {
  for (int step = 16; step > 0; step /= 2)
    value = fmaxf(value, __shfl_xor_sync(0xffffffffu, value, step));
  return value;
}

// A warp for each row: mean 0 and variance 1, then a gain and a bias for each column.
__global__ void layer_norm(const float* x, const float* gain, const float* bias, float* out) {
  const int row = blockIdx.x;
  float sum = 0, squares = 0;
  for (int i = threadIdx.x; i < kWidth; i += 32)
    sum += x[row * kWidth + i];
  const float mean = warp_sum(sum) / kWidth;
  for (int i = threadIdx.x; i < kWidth; i += 32) {
    const float difference = x[row * kWidth + i] - mean;
    squares += difference * difference;
  }
  const float scale = rsqrtf(warp_sum(squares) / kWidth + 1e-5f);
  for (int i = threadIdx.x; i < kWidth; i += 32)
    out[row * kWidth + i] = (x[row * kWidth + i] - mean) * scale * gain[i] + bias[i];
}

// What happens to a number that a matrix product gives.
enum class Then { kStore, kAdd, kGelu };

// out = a * b, by tiles of 16 x 16 in shared memory. a has `inner` columns, b `columns` of them;
// kAdd adds to what is there (a residual connection), kGelu bends it (an MLP's middle).
constexpr int kMatrixTile = 16;
template <Then then>
__global__ void matmul(const float* a, const float* b, float* out, int rows, int inner,
                       int columns) {
  __shared__ float left[kMatrixTile][kMatrixTile], right[kMatrixTile][kMatrixTile];
  const int x = threadIdx.x, y = threadIdx.y;
  const int row = blockIdx.y * kMatrixTile + y, column = blockIdx.x * kMatrixTile + x;
  float sum = 0;
  for (int from = 0; from < inner; from += kMatrixTile) {
    left[y][x] = row < rows ? a[row * inner + from + x] : 0;
    right[y][x] = b[(from + y) * columns + column];
    __syncthreads();
    for (int k = 0; k < kMatrixTile; ++k)
      sum += left[y][k] * right[k][x];
    __syncthreads();
  }
  if (row >= rows) return;
  float& to = out[row * columns + column];
  if (then == Then::kStore) to = sum;
  if (then == Then::kAdd) to += sum;
  if (then == Then::kGelu) to = 0.5f * sum * (1 + erff(sum * 0.70710678f));
}

// A warp for each row (blockIdx.x) and head (blockIdx.y): how much this character looks at each one
// before it, and the mean of their values by that. Scores are in dynamic shared memory.
__global__ void attention(const float* qkv, float* out) {
  extern __shared__ float scores[];
  const int row = blockIdx.x, head = blockIdx.y * kHeadWidth;
  const float* query = qkv + row * 3 * kWidth + head;
  float largest = -INFINITY, sum = 0;
  for (int other = threadIdx.x; other <= row; other += 32) {
    const float* key = qkv + other * 3 * kWidth + kWidth + head;
    float score = 0;
    for (int i = 0; i < kHeadWidth; ++i)
      score += query[i] * key[i];
    scores[other] = score * rsqrtf(kHeadWidth);
    largest = fmaxf(largest, scores[other]);
  }
  largest = warp_largest(largest);
  for (int other = threadIdx.x; other <= row; other += 32) {
    scores[other] = expf(scores[other] - largest);
    sum += scores[other];
  }
  sum = warp_sum(sum);
  __syncwarp();
  if (threadIdx.x >= kHeadWidth) return;
  float value = 0;
  for (int other = 0; other <= row; ++other)
    value += scores[other] * qkv[other * 3 * kWidth + 2 * kWidth + head + threadIdx.x];
  out[row * kWidth + head + threadIdx.x] = value / sum;
}

// A block for each row: how well each character of the vocabulary would follow (the embedding's
// numbers are used once more), then softmax. A thread for each character.
__global__ void predict(const float* x, const float* characters, float* probabilities) {
  __shared__ float parts[kVocabulary];
  const int row = blockIdx.x, character = threadIdx.x;
  float score = 0;
  for (int i = 0; i < kWidth; ++i)
    score += x[row * kWidth + i] * characters[character * kWidth + i];
  parts[character] = score;
  __syncthreads();
  float largest = -INFINITY, sum = 0;
  for (int i = 0; i < kVocabulary; ++i)
    largest = fmaxf(largest, parts[i]);
  for (int i = 0; i < kVocabulary; ++i)
    sum += expf(parts[i] - largest);
  probabilities[row * kVocabulary + character] = expf(score - largest) / sum;
}
