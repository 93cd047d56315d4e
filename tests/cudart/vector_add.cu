// <<<...>>> from end to end: registration, memory, a launch with arguments.
#include <cuda_runtime.h>

#include <vector>

#include "check.h"

__global__ void add(const float* a, const float* b, float* c, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) c[i] = a[i] + b[i];
}

int main() {
  constexpr int kCount = 100000;
  constexpr int kBlock = 256;
  constexpr std::size_t kBytes = kCount * sizeof(float);
  std::vector<float> a(kCount), b(kCount), c(kCount);
  for (int i = 0; i < kCount; ++i) {
    a[i] = 0.5F * i;
    b[i] = 1.0F - i;
  }
  float *da = nullptr, *db = nullptr, *dc = nullptr;
  OK(cudaMalloc(&da, kBytes));
  OK(cudaMalloc(&db, kBytes));
  OK(cudaMalloc(&dc, kBytes));
  OK(cudaMemcpy(da, a.data(), kBytes, cudaMemcpyHostToDevice));
  OK(cudaMemcpy(db, b.data(), kBytes, cudaMemcpyHostToDevice));
  add<<<(kCount + kBlock - 1) / kBlock, kBlock>>>(da, db, dc, kCount);
  OK(cudaGetLastError());
  OK(cudaMemcpy(c.data(), dc, kBytes, cudaMemcpyDeviceToHost));
  for (int i = 0; i < kCount; ++i)
    CHECK(c[i] == a[i] + b[i]);
  OK(cudaFree(da));
  OK(cudaFree(db));
  OK(cudaFree(dc));
  return 0;
}
