// Device variables by their host names, managed ones, and functions' attributes and occupancy.
#include <cuda_runtime.h>

#include "check.h"

__constant__ int factors[4] = {1, 2, 3, 4};
__device__ float total = 2.5F;

__global__ void use(int* out) {
  out[threadIdx.x] = factors[threadIdx.x] * 10;
  if (threadIdx.x == 0) total += 1.0F;
}

__global__ void __launch_bounds__(128) with_shared(int* out) {
  extern __shared__ int room[];
  room[threadIdx.x] = threadIdx.x;
  __syncthreads();
  out[threadIdx.x] = room[blockDim.x - 1 - threadIdx.x];
}

static void variables() {
  int* out = nullptr;
  int got[4] = {};
  float sum = 0;
  OK(cudaMalloc(&out, sizeof got));
  const int seven = 7;
  OK(cudaMemcpyToSymbol(factors, &seven, sizeof seven, 2 * sizeof(int)));
  use<<<1, 4>>>(out);
  OK(cudaMemcpy(got, out, sizeof got, cudaMemcpyDeviceToHost));
  CHECK(got[0] == 10 && got[1] == 20 && got[2] == 70 && got[3] == 40);
  OK(cudaMemcpyFromSymbol(&sum, total, sizeof sum));
  CHECK(sum == 3.5F);
  size_t bytes = 0;
  void* address = nullptr;
  OK(cudaGetSymbolSize(&bytes, factors));
  OK(cudaGetSymbolAddress(&address, total));
  CHECK(bytes == 16);
  OK(cudaMemcpy(&sum, address, sizeof sum, cudaMemcpyDeviceToHost));
  CHECK(sum == 3.5F);
  EXPECT_ERROR(cudaErrorInvalidValue, cudaMemcpyToSymbol(factors, got, 16, 4));
  EXPECT_ERROR(cudaErrorInvalidSymbol, cudaGetSymbolAddress(&address, seven));
  OK(cudaFree(out));
  cudaGetLastError();
}

static void functions() {
  cudaFuncAttributes attributes;
  OK(cudaFuncGetAttributes(&attributes, with_shared));
  CHECK(attributes.maxThreadsPerBlock == 128 && attributes.sharedSizeBytes == 0);
  OK(cudaFuncSetAttribute(with_shared, cudaFuncAttributeMaxDynamicSharedMemorySize, 1024));
  int blocks = 0, grid = 0, block = 0;
  OK(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, with_shared, 128, 512));
  CHECK(blocks > 0);
  OK(cudaOccupancyMaxPotentialBlockSize(&grid, &block, with_shared));
  CHECK(grid > 0 && block > 0 && block <= 128);
  int* out = nullptr;
  int got[64] = {};
  OK(cudaMalloc(&out, sizeof got));
  cudaLaunchConfig_t config = {};
  config.gridDim = dim3(1);
  config.blockDim = dim3(64);
  config.dynamicSmemBytes = sizeof got;
  OK(cudaLaunchKernelEx(&config, with_shared, out));
  OK(cudaMemcpy(got, out, sizeof got, cudaMemcpyDeviceToHost));
  CHECK(got[0] == 63 && got[63] == 0);
  void* parameters[] = {&out};
  OK(cudaLaunchCooperativeKernel(with_shared, dim3(1), dim3(64), parameters, sizeof got, nullptr));
  OK(cudaDeviceSynchronize());
  cudaKernel_t kernel = nullptr;
  OK(cudaGetKernel(&kernel, reinterpret_cast<const void*>(with_shared)));
  OK(cudaLaunchKernel(static_cast<const void*>(kernel), dim3(1), dim3(32), parameters,
                      sizeof got, nullptr));
  OK(cudaMemcpy(got, out, sizeof got, cudaMemcpyDeviceToHost));
  CHECK(got[0] == 31);
  OK(cudaFree(out));
}

// clang 19 has no __managed__ for CUDA: registered as nvcc registers it.
static void managed_variables() {
  static const char kPtx[] =
      ".version 8.0\n.target sm_80\n.address_size 64\n"
      ".visible .global .attribute(.managed) .align 4 .u32 counter = 40;\n"
      ".visible .entry count() {\n.reg .u32 %r<3>;\n"
      "ld.global.u32 %r1, [counter];\nadd.u32 %r2, %r1, 2;\nst.global.u32 [counter], %r2;\n"
      "ret;\n}\n";
  static struct {
    int magic, version;
    const void* data;
    void* more;
  } wrapper = {0x466243b1, 1, kPtx, nullptr};
  static int* counter = nullptr;
  static char count = 0;
  void** handle = __cudaRegisterFatBinary(&wrapper);
  __cudaRegisterManagedVar(handle, reinterpret_cast<void**>(&counter), nullptr, "counter", 0, 4, 0,
                           0);
  __cudaRegisterFunction(handle, &count, nullptr, "count", -1, nullptr, nullptr, nullptr, nullptr,
                         nullptr);
  __cudaRegisterFatBinaryEnd(handle);
  CHECK(counter != nullptr && *counter == 40);
  OK(cudaLaunchKernel(static_cast<const void*>(&count), dim3(1), dim3(1), nullptr, 0, nullptr));
  OK(cudaDeviceSynchronize());
  CHECK(*counter == 42);
  __cudaUnregisterFatBinary(handle);
  EXPECT_ERROR(
      cudaErrorInvalidDeviceFunction,
      cudaLaunchKernel(static_cast<const void*>(&count), dim3(1), dim3(1), nullptr, 0, nullptr));
}

// What is no fat binary is said when it is used.
static void hostile_registration() {
  static long wrapper[4] = {1, 2, 3, 4};
  static char kernel = 0;
  void** handle = __cudaRegisterFatBinary(wrapper);
  __cudaRegisterFunction(handle, &kernel, nullptr, "kernel", -1, nullptr, nullptr, nullptr,
                         nullptr, nullptr);
  EXPECT_ERROR(
      cudaErrorInvalidKernelImage,
      cudaLaunchKernel(static_cast<const void*>(&kernel), dim3(1), dim3(1), nullptr, 0, nullptr));
  __cudaUnregisterFatBinary(handle);
}

int main() {
  variables();
  managed_variables();
  hostile_registration();
  functions();
  return 0;
}
