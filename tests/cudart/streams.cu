// Streams, events, functions of the host in streams, devices and their properties, entry points.
#include <cuda_profiler_api.h>
#include <stdlib.h>  // after device code's own malloc() and free()

#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

#include "check.h"

__global__ void increment(int* p, int n) {
  for (int i = 0; i < n; ++i)
    atomicAdd(p, 1);
}

static std::atomic<int> calls{0};

static void count_call(void*) { ++calls; }

static void count_callback(cudaStream_t, cudaError_t status, void* data) {
  if (status == cudaSuccess && data == &calls) ++calls;
}

static void order() {
  cudaStream_t first = nullptr, second = nullptr;
  cudaEvent_t start = nullptr, end = nullptr;
  int least = 0, greatest = 0;
  OK(cudaDeviceGetStreamPriorityRange(&least, &greatest));
  OK(cudaStreamCreateWithFlags(&first, cudaStreamNonBlocking));
  OK(cudaStreamCreateWithPriority(&second, cudaStreamNonBlocking, greatest));
  OK(cudaEventCreate(&start));
  OK(cudaEventCreate(&end));
  int* p = nullptr;
  int value = 0;
  OK(cudaMalloc(&p, sizeof(int)));
  OK(cudaMemsetAsync(p, 0, sizeof(int), first));
  OK(cudaEventRecord(start, first));
  increment<<<1, 32, 0, first>>>(p, 100);
  OK(cudaEventRecord(end, first));
  OK(cudaStreamWaitEvent(second, end, 0));
  OK(cudaMemcpyAsync(&value, p, sizeof value, cudaMemcpyDeviceToHost, second));
  OK(cudaLaunchHostFunc(second, count_call, nullptr));
  OK(cudaStreamAddCallback(second, count_callback, &calls, 0));
  OK(cudaStreamSynchronize(second));
  CHECK(value == 3200 && calls == 2);
  OK(cudaStreamQuery(second));
  OK(cudaEventQuery(end));
  float milliseconds = -1;
  OK(cudaEventElapsedTime(&milliseconds, start, end));
  CHECK(milliseconds >= 0);
  unsigned int flags = 0;
  OK(cudaStreamGetFlags(first, &flags));
  CHECK(flags == cudaStreamNonBlocking);
  OK(cudaEventDestroy(start));
  OK(cudaEventDestroy(end));
  OK(cudaStreamDestroy(first));
  OK(cudaStreamDestroy(second));
  OK(cudaFree(p));
}

static void threads() {
  int* p = nullptr;
  int value = 0;
  OK(cudaMalloc(&p, sizeof(int)));
  OK(cudaMemset(p, 0, sizeof(int)));
  std::vector<std::thread> all;
  for (int i = 0; i < 4; ++i)
    all.emplace_back([p] {
      increment<<<2, 32, 0, cudaStreamPerThread>>>(p, 10);
      OK(cudaGetLastError());
      OK(cudaStreamSynchronize(cudaStreamPerThread));
    });
  for (auto& each : all)
    each.join();
  OK(cudaMemcpy(&value, p, sizeof value, cudaMemcpyDeviceToHost));
  CHECK(value == 4 * 2 * 32 * 10);
  OK(cudaFree(p));
}

static void devices() {
  int count = 0, device = -1, version = 0;
  OK(cudaGetDeviceCount(&count));
  CHECK(count >= 1);
  OK(cudaSetDevice(0));
  OK(cudaGetDevice(&device));
  CHECK(device == 0);
  OK(cudaRuntimeGetVersion(&version));
  CHECK(version == CUDART_VERSION);
  OK(cudaDriverGetVersion(&version));
  CHECK(version >= 12000);
  cudaDeviceProp properties;
  OK(cudaGetDeviceProperties(&properties, 0));
  int value = 0;
  OK(cudaDeviceGetAttribute(&value, cudaDevAttrMultiProcessorCount, 0));
  CHECK(properties.warpSize == 32 && properties.multiProcessorCount == value);
  CHECK(properties.maxThreadsPerBlock == 1024 && properties.name[0] != 0);
  CHECK(properties.totalGlobalMem > 0 && properties.maxGridSize[0] > 65535);
  EXPECT_ERROR(cudaErrorInvalidDevice, cudaGetDeviceProperties(&properties, count));
  size_t bytes = 0;
  OK(cudaDeviceGetLimit(&bytes, cudaLimitStackSize));
  cudaGetLastError();
}

static void entry_points() {
  using DriverGetVersion = int (*)(int*);
  void* found = nullptr;
  cudaDriverEntryPointQueryResult status;
  OK(cudaGetDriverEntryPointByVersion("cuDriverGetVersion", &found, 12000, cudaEnableDefault,
                                      &status));
  CHECK(status == cudaDriverEntryPointSuccess && found != nullptr);
  int version = 0;
  CHECK(reinterpret_cast<DriverGetVersion>(found)(&version) == 0 && version >= 12000);
  OK(cudaGetDriverEntryPointByVersion("cuNothing", &found, 12000, cudaEnableDefault, &status));
  CHECK(status == cudaDriverEntryPointSymbolNotFound);
}

int main() {
  OK(cudaProfilerStart());
  order();
  OK(cudaProfilerStop());
  threads();
  devices();
  entry_points();
  return 0;
}
