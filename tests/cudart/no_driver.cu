// Where there is no driver, programs start and learn it from every function.
#include <cuda_runtime.h>

#include <cstring>

#include "check.h"

__global__ void nothing() {}

int main() {
  int count = -1, version = -1;
  EXPECT_ERROR(cudaErrorInsufficientDriver, cudaGetDeviceCount(&count));
  CHECK(count == 0);
  OK(cudaDriverGetVersion(&version));
  CHECK(version == 0);
  void* p = nullptr;
  EXPECT_ERROR(cudaErrorInsufficientDriver, cudaMalloc(&p, 4));
  EXPECT_ERROR(cudaErrorInsufficientDriver, cudaGetLastError());
  nothing<<<1, 1>>>();
  EXPECT_ERROR(cudaErrorInsufficientDriver, cudaGetLastError());
  return 0;
}
