// Control flow that compilers emit: switches as tables of labels, recursion, calls that do not
// return, loops with breaks, several functions over one piece of shared memory.
#define __global__ __attribute__((global))
#define __device__ __attribute__((device))
#define __shared__ __attribute__((shared))
#define NOINLINE __attribute__((noinline))

extern "C" __device__ void __assertfail(const char*, const char*, unsigned, const char*,
                                        unsigned long);
extern "C" __device__ void* malloc(unsigned long);
extern "C" __device__ void free(void*);

static __device__ inline int thread() { return __nvvm_read_ptx_sreg_tid_x(); }

extern "C" __global__ void cases(int* out, int which) {
  int value = 0;
  switch (which) {
    case 0: value = out[7]; break;
    case 1: value = out[3] * 3; break;
    case 2: value = thread(); break;
    case 3: out[2] = 5; break;
    case 4: value = out[1] - 9; break;
    case 5: out[9] = out[8]; break;
    case 6: value = 12; break;
    default: value = -1;
  }
  out[thread()] = value;
}

NOINLINE __device__ int fibonacci(int n) {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}
extern "C" __global__ void recursion(int* out) { out[thread()] = fibonacci(thread()); }

extern "C" __global__ void asserts(int* out, int n) {
  if (n < 0) __assertfail("n >= 0", "control.cu", 42, "asserts", 1);
  int* heap = static_cast<int*>(malloc(n * 4));
  for (int i = 0; i < n; ++i) {
    if (out[i] == 7) break;
    heap[i] = out[i];
  }
  out[0] = heap[n / 2];
  free(heap);
}

NOINLINE __device__ float block_sum(float value) {
  __shared__ float partial[32];
  partial[thread() & 31] = value;
  __syncthreads();
  return partial[(thread() + 1) & 31];
}
extern __attribute__((shared)) float dynamic[];
extern "C" __global__ void shares(float* out) {
  __shared__ double own[16];
  own[thread() & 15] = out[thread()];
  dynamic[thread()] = 2;
  __syncthreads();
  out[thread()] = block_sum(static_cast<float>(own[3])) + dynamic[5];
}
extern "C" __global__ void other(double* out) {
  __shared__ double own[64];
  own[thread()] = out[0];
  __syncthreads();
  out[1] = own[63 - thread()];
}

struct Big {
  int values[40];
};
NOINLINE __device__ Big twice(Big big, char small, short middle) {
  for (int& value : big.values) value = value * 2 + small + middle;
  return big;
}
extern "C" __global__ void structs(Big big, int* out) {
  const Big made = twice(big, static_cast<char>(out[0]), 3);
  out[thread()] = made.values[thread() % 40];
}
