// Two devices: each thread has its own, kernels and variables are on each, copies go between them.
#include <cuda_runtime.h>

#include <thread>

#include "check.h"

__device__ int variable = 5;

__global__ void add_to_variable(int n, int* out) {
  variable += n;
  *out = variable;
}

static int run(int device, int n) {
  OK(cudaSetDevice(device));
  int* out = nullptr;
  int value = 0;
  OK(cudaMalloc(&out, sizeof(int)));
  add_to_variable<<<1, 1>>>(n, out);
  OK(cudaMemcpy(&value, out, sizeof value, cudaMemcpyDeviceToHost));
  OK(cudaFree(out));
  return value;
}

int main() {
  int count = 0;
  OK(cudaGetDeviceCount(&count));
  CHECK(count == 2);
  CHECK(run(0, 1) == 6);
  CHECK(run(1, 10) == 15);
  std::thread([] {
    int device = -1;
    OK(cudaGetDevice(&device));
    CHECK(device == 0);
    CHECK(run(1, 10) == 25);
  }).join();
  int device = -1;
  OK(cudaGetDevice(&device));
  CHECK(device == 1);
  int *here = nullptr, *there = nullptr;
  int value = 0;
  const int seven = 7;
  OK(cudaMalloc(&here, sizeof(int)));
  OK(cudaMemcpy(here, &seven, sizeof seven, cudaMemcpyHostToDevice));
  OK(cudaSetDevice(0));
  OK(cudaMalloc(&there, sizeof(int)));
  OK(cudaMemcpyPeer(there, 0, here, 1, sizeof(int)));
  OK(cudaMemcpy(&value, there, sizeof value, cudaMemcpyDefault));
  CHECK(value == 7);
  cudaPointerAttributes attributes;
  OK(cudaPointerGetAttributes(&attributes, here));
  CHECK(attributes.type == cudaMemoryTypeDevice && attributes.device == 1);
  OK(cudaDeviceReset());
  CHECK(run(0, 1) == 6);
  CHECK(run(1, 0) == 25);
  return 0;
}
