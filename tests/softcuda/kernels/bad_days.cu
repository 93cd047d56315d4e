// Kernels that do not end, end badly, or are still running when something goes away.
#include "device_builtins.h"

#define NOTHING() __asm__ __volatile__("" ::: "memory")

// Spins until the host says so, then says that it was here.
extern "C" __global__ void waits_for(volatile int* flag, int* out) {
  while (*flag == 0) {
  }
  atomicAdd(out, 1);
}

extern "C" __global__ void spins() {
  for (;;) NOTHING();
}
// One lane of each warp never ends; the others wait for it where they meet again.
extern "C" __global__ void one_lane_spins(int* out) {
  if (threadIdx.x % 32 == 5)
    for (;;) NOTHING();
  __syncwarp();
  out[threadIdx.x] = 1;
}
extern "C" __global__ void spins_at_barriers(int* out) {
  for (;;) {
    __syncthreads();
    out[threadIdx.x] += 1;
  }
}
extern "C" __global__ void spins_on_a_lock(int* lock, int* out) {
  while (atomicCAS(lock, 0, 1) != 0) {  // nobody gives it back
  }
  atomicAdd(out, 1);
}
__attribute__((noinline)) __device__ int one_more(int n) {
  NOTHING();
  return n + 1;
}
extern "C" __global__ void spins_in_calls(int* out) {
  for (int n = 0;;) {
    n = one_more(n);
    *static_cast<volatile int*>(out) = n;
  }
}
extern "C" __global__ void prints_for_ever() {
  for (int n = 0;; ++n) printf("line %d of a kernel that does not end\n", n);
}
extern "C" __global__ void allocates_for_ever() {
  for (;;) {
    volatile char* p = static_cast<char*>(malloc(1 << 20));
    if (p != nullptr) p[threadIdx.x] = 1;
  }
}

extern "C" __global__ void writes_to(int* place) { *place = 1; }
extern "C" __global__ void calls(void (*function)(int), int n) { function(n); }
extern "C" __global__ void prints(const char* format, const char* text) {
  printf(format, text, threadIdx.x, 1.5, 7LL);
}
extern "C" __global__ void frees(void* place) { free(place); }

// A long way to a known result: sum over all threads of rounds.
extern "C" __global__ void works(unsigned* out, unsigned rounds) {
  unsigned n = 0;
  for (unsigned i = 0; i < rounds; ++i) {
    NOTHING();
    n += 1;
  }
  atomicAdd(out, n);
}
