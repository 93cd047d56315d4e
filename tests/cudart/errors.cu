// Errors: which, kept for whom, and what stays of a kernel that went wrong.
#include <cuda_runtime.h>

#include <cstring>
#include <thread>

#include "check.h"

__global__ void write_to(int* p) { *p = 1; }

__global__ void never_registered();

static void wrong_arguments() {
  OK(cudaGetLastError());
  EXPECT_ERROR(cudaErrorInvalidValue, cudaMalloc(static_cast<void**>(nullptr), 4));
  EXPECT_ERROR(cudaErrorInvalidValue, cudaPeekAtLastError());
  EXPECT_ERROR(cudaErrorInvalidValue, cudaGetLastError());
  OK(cudaGetLastError());
  EXPECT_ERROR(cudaErrorInvalidDevice, cudaSetDevice(1000));
  int host = 0, other = 0;
  EXPECT_ERROR(cudaErrorInvalidMemcpyDirection,
               cudaMemcpy(&host, &other, 4, static_cast<cudaMemcpyKind>(9)));
  EXPECT_ERROR(cudaErrorInvalidPitchValue,
               cudaMemcpy2D(&host, 1, &other, 1, 4, 1, cudaMemcpyHostToHost));
  OK(cudaMemcpy(nullptr, nullptr, 0, cudaMemcpyHostToDevice));
  EXPECT_ERROR(cudaErrorNotSupported, cudaGetExportTable(nullptr, nullptr));
  cudaGetLastError();
}

static void wrong_launches() {
  int* p = nullptr;
  OK(cudaMalloc(&p, sizeof(int)));
  write_to<<<1, 4096>>>(p);
  EXPECT_ERROR(cudaErrorInvalidConfiguration, cudaGetLastError());
  write_to<<<0, 1>>>(p);
  EXPECT_ERROR(cudaErrorInvalidConfiguration, cudaGetLastError());
  void* parameters[] = {&p};
  EXPECT_ERROR(cudaErrorInvalidDeviceFunction,
               cudaLaunchKernel(reinterpret_cast<const void*>(&wrong_launches), dim3(1), dim3(1),
                                parameters, 0, nullptr));
  EXPECT_ERROR(cudaErrorInvalidDeviceFunction, cudaGetLastError());
  OK(cudaFree(p));
}

static void errors_belong_to_threads() {
  EXPECT_ERROR(cudaErrorInvalidDevice, cudaSetDevice(-1));
  std::thread([] { OK(cudaGetLastError()); }).join();
  EXPECT_ERROR(cudaErrorInvalidDevice, cudaGetLastError());
}

// The context is lost; only a reset makes a new one.
static void faults_stay() {
  write_to<<<1, 1>>>(reinterpret_cast<int*>(16));
  OK(cudaGetLastError());
  EXPECT_ERROR(cudaErrorIllegalAddress, cudaDeviceSynchronize());
  EXPECT_ERROR(cudaErrorIllegalAddress, cudaGetLastError());
  void* p = nullptr;
  EXPECT_ERROR(cudaErrorIllegalAddress, cudaMalloc(&p, 4));
  OK(cudaDeviceReset());
  cudaGetLastError();
  int* q = nullptr;
  int value = 0;
  OK(cudaMalloc(&q, sizeof(int)));
  write_to<<<1, 1>>>(q);
  OK(cudaMemcpy(&value, q, sizeof value, cudaMemcpyDeviceToHost));
  CHECK(value == 1);
}

int main() {
  wrong_arguments();
  wrong_launches();
  errors_belong_to_threads();
  faults_stay();
  CHECK(std::strcmp(cudaGetErrorName(cudaErrorMemoryAllocation), "cudaErrorMemoryAllocation") == 0);
  CHECK(std::strcmp(cudaGetErrorString(cudaErrorMemoryAllocation), "out of memory") == 0);
  CHECK(cudaGetErrorString(static_cast<cudaError_t>(12345)) != nullptr);
  return 0;
}
