// <<<...>>> from end to end: registration, memory, a launch with arguments, errors.
#include <cuda_runtime.h>

#include <cstdio>
#include <vector>

__global__ void add(const float* a, const float* b, float* c, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) c[i] = a[i] + b[i];
}

#define CHECK(call)                                                                    \
  do {                                                                                 \
    const cudaError_t error = (call);                                                  \
    if (error != cudaSuccess) {                                                        \
      std::printf("%s:%d: %s: %s\n", __FILE__, __LINE__, #call, cudaGetErrorName(error)); \
      return 1;                                                                        \
    }                                                                                  \
  } while (false)

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
  CHECK(cudaMalloc(&da, kBytes));
  CHECK(cudaMalloc(&db, kBytes));
  CHECK(cudaMalloc(&dc, kBytes));
  CHECK(cudaMemcpy(da, a.data(), kBytes, cudaMemcpyHostToDevice));
  CHECK(cudaMemcpy(db, b.data(), kBytes, cudaMemcpyHostToDevice));
  add<<<(kCount + kBlock - 1) / kBlock, kBlock>>>(da, db, dc, kCount);
  CHECK(cudaGetLastError());
  CHECK(cudaMemcpy(c.data(), dc, kBytes, cudaMemcpyDeviceToHost));
  for (int i = 0; i < kCount; ++i) {
    if (c[i] != a[i] + b[i]) {
      std::printf("c[%d] is %g, not %g\n", i, c[i], a[i] + b[i]);
      return 1;
    }
  }
  CHECK(cudaFree(da));
  CHECK(cudaFree(db));
  CHECK(cudaFree(dc));
  std::puts("vector_add: right");
  return 0;
}
