// What the device gives beside arithmetic: memory of every kind, output, faults.
#include <cassert>

#include "device_builtins.h"

extern "C" __global__ void print(int n, const char* text) {
  printf("thread %d of %d: %s %.3f %c%% %#llx\n", threadIdx.x, n, text, threadIdx.x / 8.0, 'a' + threadIdx.x,
         0x123456789abcdefULL + threadIdx.x);
}

extern "C" __global__ void cover_three_dimensions(int* counts, int* sum) {
  const unsigned x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y,
                 z = blockIdx.z * blockDim.z + threadIdx.z;
  const unsigned width = gridDim.x * blockDim.x, height = gridDim.y * blockDim.y;
  atomicAdd(&counts[(z * height + y) * width + x], 1);
  atomicAdd(sum, static_cast<int>(x + 100 * y + 10000 * z));
}

// A list of nodes from the device's heap, and back.
struct Node {
  int value;
  Node* next;
};
extern "C" __global__ void heap(int* out, int n) {
  Node* list = nullptr;
  for (int i = 0; i < n; ++i) list = new Node{i * static_cast<int>(threadIdx.x), list};
  int sum = 0;
  while (list != nullptr) {
    Node* next = list->next;
    sum += list->value;
    delete list;
    list = next;
  }
  int* many = static_cast<int*>(malloc(100 * sizeof(int)));
  for (int i = 0; i < 100; ++i) many[i] = sum;
  out[threadIdx.x] = many[threadIdx.x % 100];
  free(many);
}

extern "C" __global__ void large_shared(const int* in, int* out, int n) {
  extern __shared__ int all[];
  for (int i = threadIdx.x; i < n; i += blockDim.x) all[i] = in[i];
  __syncthreads();
  for (int i = threadIdx.x; i < n; i += blockDim.x) out[i] = all[n - 1 - i];
}

// Local memory with indices that only the data knows.
extern "C" __global__ void local_arrays(const int* in, int* out) {
  short histogram[16] = {};
  long long order[16];
  for (int i = 0; i < 64; ++i) ++histogram[in[threadIdx.x * 64 + i] & 15];
  for (int i = 0; i < 16; ++i) order[histogram[i] & 15] = i;
  int sum = 0;
  for (int i = 0; i < 16; ++i) sum = sum * 3 + histogram[i];
  out[threadIdx.x] = sum + static_cast<int>(order[histogram[5] & 15]);
}

__constant__ short table[8] = {3, 1, 4, 1, 5, 9, 2, 6};
__device__ const short* pointer_to_table = table + 2;
struct Settings {
  int* where;
  float scale;
  char name[6];
};
__device__ int target[4] = {10, 20, 30, 40};
__constant__ Settings settings = {target + 1, 2.5f, "soft"};
extern "C" __global__ void initialised_variables(int* out) {
  const int i = threadIdx.x;
  out[i] = table[i & 7] * 1000 + pointer_to_table[i & 3] * 100 + settings.name[i & 3] +
           static_cast<int>(settings.scale * settings.where[i % 3]);
}

// Conversions at the edges of their range, and integers of every width.
extern "C" __global__ void conversions(const double* in, long long* out) {
  const double d = in[threadIdx.x];
  const float f = static_cast<float>(d);
  long long* mine = out + threadIdx.x * 10;
  mine[0] = __double2int_rn(d);
  mine[1] = __double2uint_rz(d);
  mine[2] = __double2ll_rd(d);
  mine[3] = static_cast<long long>(__double2ull_ru(d));
  mine[4] = __float2int_ru(f);
  mine[5] = __float2uint_rd(f);
  mine[6] = __float_as_int(__double2float_rz(d));
  mine[7] = __float_as_int(__ll2float_ru(mine[2]));
  mine[8] = __double_as_longlong(__dsqrt_rd(fabs(d)));
  mine[9] = __float_as_int(__fdiv_rz(1.0f, f));
}
extern "C" __global__ void integers(const long long* a, const long long* b, long long* out) {
  const long long x = a[threadIdx.x], y = b[threadIdx.x];
  long long* mine = out + threadIdx.x * 12;
  const short x16 = static_cast<short>(x), y16 = static_cast<short>(y | 1);
  mine[0] = x / y;
  mine[1] = x % y;
  mine[2] = static_cast<long long>(static_cast<unsigned long long>(x) / static_cast<unsigned long long>(y));
  mine[3] = __mul64hi(x, y);
  mine[4] = static_cast<int>(x) / static_cast<int>(y | 1);
  mine[5] = static_cast<unsigned>(x) % static_cast<unsigned>(y | 1);
  mine[6] = static_cast<short>(x16 / y16) + static_cast<signed char>(x16 * y16);
  mine[7] = __clzll(x) * 100 + __popcll(static_cast<unsigned long long>(y));
  mine[8] = static_cast<long long>(__brevll(static_cast<unsigned long long>(x)));
  mine[9] = __byte_perm(static_cast<unsigned>(x), static_cast<unsigned>(y), 0x5140);
  mine[10] = x << (y & 63) ^ x >> (x & 63);
  mine[11] = static_cast<long long>(static_cast<unsigned __int128>(x) * static_cast<unsigned __int128>(y) >> 61);
}

extern "C" __global__ void clocks(unsigned long long* out) {
  const long long start = clock64();
  __nanosleep(1000);
  const long long end = clock64();
  unsigned long long now;
  __asm__ __volatile__("mov.u64 %0, %%globaltimer;" : "=l"(now));
  out[0] = end > start;
  out[1] = now;
}

extern "C" __global__ void increment(int* value, int by) { atomicAdd(value, by); }
extern "C" __global__ void multiply(int* value, int by) { *value *= by; }

extern "C" __global__ void fails_assertion(const int* values) { assert(values[threadIdx.x] == 1); }
extern "C" __global__ void traps(const int* values) {
  if (values[threadIdx.x] != 1) __trap();
}
extern "C" __global__ void writes_at(int* place, long long offset) { place[offset + threadIdx.x] = 7; }
extern "C" __global__ void reads_misaligned(const char* place, long long* out) {
  *out = *reinterpret_cast<const long long*>(place + 4);
}
__attribute__((noinline)) __device__ int endless(int depth, int* seen) {
  int buffer[64];
  for (int i = 0; i < 64; ++i) buffer[i] = seen[i] + depth;
  return depth < 1 << 30 ? endless(depth + 1, buffer) + buffer[depth & 63] : 0;
}
extern "C" __global__ void overflows_its_stack(int* out) { *out = endless(0, out); }
extern "C" __global__ void never_ends(volatile int* flag) {
  while (*flag == 0) {
  }
}
// Half of a block waits at a barrier that the other half never comes to.
extern "C" __global__ void waits_for_nobody(int* out) {
  if (threadIdx.x < 32) {
    __asm__ __volatile__("bar.sync 1, 64;" ::: "memory");
    out[0] = 1;
  }
}
extern "C" __global__ void races(int* out, bool barrier) {
  __shared__ int shared[64];
  shared[threadIdx.x] = out[threadIdx.x];
  if (barrier) __syncthreads();
  out[threadIdx.x] = shared[63 - threadIdx.x];
}
extern "C" __global__ void reads_past_shared(int* out, int index) {
  __shared__ int shared[32];
  shared[threadIdx.x] = threadIdx.x;
  __syncthreads();
  out[threadIdx.x] = shared[threadIdx.x + index];
}
