// main() returns while a stream's thread makes a kernel ready, runs it or waits for its turn: the end
// of the program is neither a crash nor a hang.
#include <cuda_runtime.h>

#include <chrono>
#include <thread>

#include "check.h"

// Long enough to be compiled for some time.
template <int kSteps>
__global__ void mix(float* values, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  float a = i, b = 1;
#pragma unroll
  for (int step = 0; step < kSteps; ++step) {
    if ((i + step) % 3 == 0)
      a = a * 1.25F + b;
    else
      b = b - a * 0.5F;
    a = fminf(a, 100.0F + step);
  }
  if (i < n) values[i] = a + b;
}

int main() {
  constexpr int kCount = 1024;
  // It runs when all that was loaded since (LLVM, say) has been destroyed, and takes its time.
  CHECK(std::atexit([] { std::this_thread::sleep_for(std::chrono::milliseconds(300)); }) == 0);
  float* values = nullptr;
  OK(cudaMalloc(&values, kCount * sizeof(float)));
  mix<64><<<kCount / 128, 128>>>(values, kCount);
  mix<65><<<kCount / 128, 128>>>(values, kCount);
  mix<66><<<kCount / 128, 128>>>(values, kCount);
  OK(cudaGetLastError());
  return 0;
}
