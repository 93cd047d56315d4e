// Built for the default stream of each thread: a stream that waits does not hold up another's.
#include <cuda_runtime.h>

#include <atomic>
#include <thread>

#include "check.h"

__global__ void set(int* p, int value) { *p = value; }

static std::atomic<bool> go{false};

static void wait_for_go(void*) {
  while (!go)
    std::this_thread::yield();
}

int main() {
  int* p = nullptr;
  int value = 0;
  OK(cudaMalloc(&p, 2 * sizeof(int)));
  OK(cudaLaunchHostFunc(0, wait_for_go, nullptr));
  set<<<1, 1>>>(p, 1);
  std::thread([p] {
    int other = 0;
    set<<<1, 1>>>(p + 1, 2);
    OK(cudaMemcpy(&other, p + 1, sizeof other, cudaMemcpyDeviceToHost));
    CHECK(other == 2);
    OK(cudaStreamQuery(0));
  }).join();
  EXPECT_ERROR(cudaErrorNotReady, cudaStreamQuery(0));
  EXPECT_ERROR(cudaErrorNotReady, cudaGetLastError());
  go = true;
  OK(cudaMemcpy(&value, p, sizeof value, cudaMemcpyDeviceToHost));
  CHECK(value == 1);
  OK(cudaFree(p));
  return 0;
}
