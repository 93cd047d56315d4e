// __nv_atomic_…: every form, and a message that is passed on by its order.
#include <cuda_runtime.h>

#include "check.h"

constexpr int kBlocks = 8, kThreads = 64, kAll = kBlocks * kThreads;

struct Shared {
  int added, least, most, bits, flag, message, heard;
  unsigned long long wide;
  float number, product;
};

__global__ void count(Shared* all) {
  const int mine = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  __nv_atomic_fetch_add(&all->added, mine, __NV_ATOMIC_SEQ_CST);
  __nv_atomic_sub(&all->added, 1, __NV_ATOMIC_RELAXED, __NV_THREAD_SCOPE_DEVICE);
  __nv_atomic_fetch_min(&all->least, mine - 5, __NV_ATOMIC_RELAXED);
  __nv_atomic_max(&all->most, mine, __NV_ATOMIC_ACQ_REL);
  __nv_atomic_or(&all->bits, 1 << (mine % 31), __NV_ATOMIC_RELAXED);
  __nv_atomic_add(&all->wide, 1ULL << 33, __NV_ATOMIC_RELAXED);
  float seen = __nv_atomic_load_n(&all->product, __NV_ATOMIC_ACQUIRE);
  while (!__nv_atomic_compare_exchange_n(&all->product, &seen, seen + 2, false,
                                         __NV_ATOMIC_ACQ_REL, __NV_ATOMIC_RELAXED)) {
  }
}

__global__ void pass_on(Shared* all) {
  if (threadIdx.x == 0) {
    all->message = 42;
    __nv_atomic_store_n(&all->flag, 1, __NV_ATOMIC_RELEASE);
    float in = 1.5F, old;
    __nv_atomic_exchange(&all->number, &in, &old, __NV_ATOMIC_RELAXED);
    if (old != 0.25F) __trap();
  } else if (threadIdx.x == 32) {
    while (__nv_atomic_load_n(&all->flag, __NV_ATOMIC_ACQUIRE) == 0) {
    }
    all->heard = all->message;
  }
}

int main() {
  Shared* all = nullptr;
  OK(cudaMallocManaged(&all, sizeof(Shared)));
  *all = {};
  all->number = 0.25F;
  count<<<kBlocks, kThreads>>>(all);
  pass_on<<<1, 64>>>(all);
  OK(cudaDeviceSynchronize());
  CHECK(all->added == kAll * (kAll - 1) / 2 - kAll);
  CHECK(all->least == -5 && all->most == kAll - 1 && all->bits == 0x7fffffff);
  CHECK(all->wide == static_cast<unsigned long long>(kAll) << 33);
  CHECK(all->product == 2 * kAll && all->number == 1.5F && all->heard == 42);
  return 0;
}
