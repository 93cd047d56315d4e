// Kernels that graphs and streams order: each result depends on who ran before.
#include "device_builtins.h"

extern "C" {

__global__ void scale(float* p, float by, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) p[i] *= by;
}

__global__ void add_arrays(const float* a, const float* b, float* out, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) out[i] = a[i] + b[i];
}

__global__ void iota(float* p, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) p[i] = static_cast<float>(i);
}

// One step of Jacobi's method in one dimension.
__global__ void smooth(const float* in, float* out, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  out[i] = i == 0 || i == n - 1 ? in[i] : (in[i - 1] + in[i + 1]) / 2;
}

// The numbers of those who came here, in the order in which they came.
__global__ void sign(int* log, int* count, int number) { log[atomicAdd(count, 1)] = number; }

// One step of Collatz's sequence; the loop that this is the body of goes on until it comes to 1.
__global__ void collatz(unsigned long long loop, unsigned* number, int* steps) {
  *number = *number % 2 == 0 ? *number / 2 : 3 * *number + 1;
  ++*steps;
  cudaGraphSetConditional(loop, *number != 1);
}
}
