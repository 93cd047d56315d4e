// The first program of every CUDA course: c = a + b, a thread for each element.
//
// What to look at: a kernel is a function marked __global__; kernel<<<blocks, threads>>>(...) starts
// it; memory of the device is not that of the host, so numbers are copied there and back.
#include <vector>

#include "../check.h"

__global__ void add(const float* a, const float* b, float* c, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) c[i] = a[i] + b[i];  // the last block may reach beyond the end
}

static void show_device() {
  int device = 0;
  cudaDeviceProp is{};
  CHECK_CUDA(cudaGetDevice(&device));
  CHECK_CUDA(cudaGetDeviceProperties(&is, device));
  std::printf("device: %s, compute capability %d.%d, %d multiprocessors, %zu MiB\n", is.name,
              is.major, is.minor, is.multiProcessorCount, is.totalGlobalMem >> 20);
}

int main() {
  constexpr int kCount = 1 << 21, kThreads = 256;
  constexpr size_t kBytes = kCount * sizeof(float);
  show_device();

  std::vector<float> a(kCount), b(kCount), c(kCount);
  for (int i = 0; i < kCount; ++i) {
    a[i] = 0.5f * static_cast<float>(i);
    b[i] = 1.0f - static_cast<float>(i);
  }

  float *on_device_a = nullptr, *on_device_b = nullptr, *on_device_c = nullptr;
  CHECK_CUDA(cudaMalloc(&on_device_a, kBytes));
  CHECK_CUDA(cudaMalloc(&on_device_b, kBytes));
  CHECK_CUDA(cudaMalloc(&on_device_c, kBytes));
  CHECK_CUDA(cudaMemcpy(on_device_a, a.data(), kBytes, cudaMemcpyHostToDevice));
  CHECK_CUDA(cudaMemcpy(on_device_b, b.data(), kBytes, cudaMemcpyHostToDevice));

  // The first launch also makes the kernel ready; the second one is what it takes from then on.
  for (const char* which : {"first", "second"}) {
    const Stopwatch watch;
    add<<<(kCount + kThreads - 1) / kThreads, kThreads>>>(on_device_a, on_device_b, on_device_c,
                                                          kCount);
    CHECK_CUDA(cudaGetLastError());       // could it be started?
    CHECK_CUDA(cudaDeviceSynchronize());  // launches return at once: wait for the end
    std::printf("%s launch: %.2f ms\n", which, watch.ms());
  }

  CHECK_CUDA(cudaMemcpy(c.data(), on_device_c, kBytes, cudaMemcpyDeviceToHost));
  for (int i = 0; i < kCount; ++i) {
    if (c[i] != a[i] + b[i]) {
      std::printf("wrong at %d: %f\n", i, c[i]);
      return 1;
    }
  }
  CHECK_CUDA(cudaFree(on_device_a));
  CHECK_CUDA(cudaFree(on_device_b));
  CHECK_CUDA(cudaFree(on_device_c));
  std::printf("result: all %d sums are right\n", kCount);
  return 0;
}
