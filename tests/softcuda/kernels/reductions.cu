// Sums, maxima, prefix sums, histograms.
#include "device_builtins.h"

static __device__ float warp_sum(float value) {
  for (int step = 16; step > 0; step /= 2) value += __shfl_xor_sync(~0u, value, step);
  return value;
}

extern "C" __global__ void sum_by_shuffle(const float* in, float* out, int n) {
  __shared__ float parts[32];
  float sum = 0;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) sum += in[i];
  sum = warp_sum(sum);
  if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = sum;
  __syncthreads();
  if (threadIdx.x >= 32) return;
  sum = warp_sum(threadIdx.x < blockDim.x / 32 ? parts[threadIdx.x] : 0);
  if (threadIdx.x == 0) out[blockIdx.x] = sum;
}

// Of every type that atomicAdd() and its like have.
extern "C" __global__ void sums_by_atomics(const int* in, int n, int* s32, unsigned long long* u64,
                                           float* f32, double* f64, int* extremes, unsigned* bits) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  atomicAdd(s32, in[i]);
  atomicAdd(u64, static_cast<unsigned long long>(in[i] + 1000) << 20);
  atomicAdd(f32, static_cast<float>(in[i]));
  atomicAdd(f64, in[i] * 0.5);
  atomicMin(&extremes[0], in[i]);
  atomicMax(&extremes[1], in[i]);
  atomicAnd(&bits[0], ~(1u << (in[i] & 31)));
  atomicOr(&bits[1], 1u << (in[i] & 31));
  atomicXor(&bits[2], static_cast<unsigned>(in[i]));
  atomicInc(&bits[3], 99);
  atomicDec(&bits[4], 50);
}

// The tree of textbooks, in dynamic shared memory.
extern "C" __global__ void sum_by_tree(const int* in, int* out) {
  extern __shared__ int tree[];
  tree[threadIdx.x] = in[blockIdx.x * blockDim.x + threadIdx.x];
  __syncthreads();
  for (unsigned step = blockDim.x / 2; step > 0; step /= 2) {
    if (threadIdx.x < step) tree[threadIdx.x] += tree[threadIdx.x + step];
    __syncthreads();
  }
  if (threadIdx.x == 0) out[blockIdx.x] = tree[0];
}

extern "C" __global__ void warp_reductions(const int* in, int* out) {
  const int value = in[threadIdx.x];
  int* mine = out + threadIdx.x * 8;
  mine[0] = __reduce_add_sync(~0u, value);
  mine[1] = __reduce_min_sync(~0u, value);
  mine[2] = __reduce_max_sync(~0u, value);
  mine[3] = static_cast<int>(__reduce_xor_sync(~0u, static_cast<unsigned>(value)));
  mine[4] = __syncthreads_count(value > 0);
  mine[5] = __syncthreads_or(value == 7);
  mine[6] = __syncthreads_and(value != 7);
  // Only a part of the warp takes part.
  mine[7] = 0;
  if (threadIdx.x % 32 < 10) mine[7] = __reduce_max_sync(0x3ffu, value);
}

// A maximum of doubles, which no instruction has: compare and swap until it is.
extern "C" __global__ void maximum_of_doubles(const double* in, unsigned long long* out, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  unsigned long long old = *out, seen;
  do {
    seen = old;
    if (__longlong_as_double(static_cast<long long>(seen)) >= in[i]) break;
    old = atomicCAS(out, seen, static_cast<unsigned long long>(__double_as_longlong(in[i])));
  } while (old != seen);
}

// The last block to finish adds what the others left: fences and a counter.
__device__ unsigned finished_blocks;
extern "C" __global__ void sum_in_one_launch(const int* in, volatile int* parts, int* out, int n) {
  __shared__ int sum;
  __shared__ bool last;
  if (threadIdx.x == 0) sum = 0;
  __syncthreads();
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
    atomicAdd(&sum, in[i]);
  __syncthreads();
  if (threadIdx.x == 0) {
    parts[blockIdx.x] = sum;
    __threadfence();
    last = atomicInc(&finished_blocks, gridDim.x - 1) == gridDim.x - 1;
  }
  __syncthreads();
  if (!last || threadIdx.x != 0) return;
  int all = 0;
  for (unsigned i = 0; i < gridDim.x; ++i) all += parts[i];
  *out = all;
}

// The position of the largest: pairs through shuffles.
extern "C" __global__ void arg_max(const float* in, int* out, int n) {
  float best = -3e38f;
  int where = -1;
  for (int i = threadIdx.x; i < n; i += 32)
    if (in[i] > best) best = in[i], where = i;
  for (int step = 16; step > 0; step /= 2) {
    const float other = __shfl_down_sync(~0u, best, step);
    const int other_where = __shfl_down_sync(~0u, where, step);
    if (other > best || (other == best && other_where < where)) best = other, where = other_where;
  }
  if (threadIdx.x == 0) *out = where;
}

// Hillis and Steele's, in a warp.
extern "C" __global__ void scan_warp(const int* in, int* out) {
  const int lane = threadIdx.x % 32, i = blockIdx.x * blockDim.x + threadIdx.x;
  int sum = in[i];
  for (int step = 1; step < 32; step *= 2) {
    const int before = __shfl_up_sync(~0u, sum, step);
    if (lane >= step) sum += before;
  }
  out[i] = sum;
}

// Blelloch's exclusive scan of 2 blockDim numbers; the block's total into totals.
extern "C" __global__ void scan_blocks(const int* in, int* out, int* totals) {
  extern __shared__ int tree[];
  const int tid = threadIdx.x, count = blockDim.x * 2, from = blockIdx.x * count;
  tree[2 * tid] = in[from + 2 * tid];
  tree[2 * tid + 1] = in[from + 2 * tid + 1];
  int offset = 1;
  for (int d = count / 2; d > 0; d /= 2, offset *= 2) {
    __syncthreads();
    if (tid < d) tree[offset * (2 * tid + 2) - 1] += tree[offset * (2 * tid + 1) - 1];
  }
  if (tid == 0) {
    totals[blockIdx.x] = tree[count - 1];
    tree[count - 1] = 0;
  }
  for (int d = 1; d < count; d *= 2) {
    offset /= 2;
    __syncthreads();
    if (tid < d) {
      const int left = offset * (2 * tid + 1) - 1, right = offset * (2 * tid + 2) - 1;
      const int kept = tree[left];
      tree[left] = tree[right];
      tree[right] += kept;
    }
  }
  __syncthreads();
  out[from + 2 * tid] = tree[2 * tid];
  out[from + 2 * tid + 1] = tree[2 * tid + 1];
}
extern "C" __global__ void add_totals(int* out, const int* totals) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  out[i] += totals[blockIdx.x];
}

// In one pass over memory: each block waits for the one before it (Merrill and Garland). A word has
// a state (0 nothing, 1 its own sum, 2 with all before) and a sum.
__device__ unsigned long long scan_states[64];
__device__ unsigned scan_next_block;
extern "C" __global__ void scan_looking_back(const int* in, int* out) {
  __shared__ int sums[128];
  __shared__ int before, block;
  if (threadIdx.x == 0) block = atomicAdd(&scan_next_block, 1u);
  __syncthreads();
  const int i = block * blockDim.x + threadIdx.x;
  sums[threadIdx.x] = in[i];
  for (unsigned step = 1; step < blockDim.x; step *= 2) {
    __syncthreads();
    const int left = threadIdx.x >= step ? sums[threadIdx.x - step] : 0;
    __syncthreads();
    sums[threadIdx.x] += left;
  }
  __syncthreads();
  if (threadIdx.x == 0) {
    const unsigned own = static_cast<unsigned>(sums[blockDim.x - 1]);
    volatile unsigned long long* states = scan_states;
    states[block] = (block == 0 ? 2ull << 32 : 1ull << 32) | own;
    unsigned all = 0;
    for (int at = block - 1; at >= 0;) {
      const unsigned long long state = states[at];
      if (state >> 32 == 0) continue;
      all += static_cast<unsigned>(state);
      if (state >> 32 == 2) break;
      --at;
    }
    before = static_cast<int>(all);
    if (block != 0) states[block] = 2ull << 32 | (all + own);
  }
  __syncthreads();
  out[i] = before + sums[threadIdx.x];
}

extern "C" __global__ void histogram_global(const unsigned char* in, unsigned* bins, int n) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
    atomicAdd(&bins[in[i]], 1u);
}

extern "C" __global__ void histogram_shared(const uchar4* in, unsigned* bins, int words) {
  __shared__ unsigned mine[256];
  for (int i = threadIdx.x; i < 256; i += blockDim.x) mine[i] = 0;
  __syncthreads();
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < words; i += gridDim.x * blockDim.x) {
    const uchar4 four = in[i];
    atomicAdd_block(&mine[four.x], 1u);
    atomicAdd_block(&mine[four.y], 1u);
    atomicAdd_block(&mine[four.z], 1u);
    atomicAdd_block(&mine[four.w], 1u);
  }
  __syncthreads();
  for (int i = threadIdx.x; i < 256; i += blockDim.x)
    if (mine[i] != 0) atomicAdd(&bins[i], mine[i]);
}

// One atomic for all lanes of the same bin: match and a leader.
extern "C" __global__ void histogram_matched(const unsigned char* in, unsigned* bins, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  const unsigned same = __match_any_sync(__activemask(), static_cast<unsigned>(in[i]));
  if (static_cast<unsigned>(__ffs(static_cast<int>(same)) - 1) == threadIdx.x % 32)
    atomicAdd(&bins[in[i]], static_cast<unsigned>(__popc(same)));
}

// Those that pass, packed: ballots count who is before.
extern "C" __global__ void compact(const int* in, int* out, int* count, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  const bool kept = i < n && in[i] % 3 == 0;
  const unsigned who = __ballot_sync(~0u, kept);
  const int lane = threadIdx.x % 32;
  int place = 0;
  if (lane == 0) place = atomicAdd(count, __popc(who));
  place = __shfl_sync(~0u, place, 0);
  if (kept) out[place + __popc(who & ((1u << lane) - 1))] = in[i];
}

// One step of a radix sort by 4 bits, in one block: count, scan, scatter; stable.
extern "C" __global__ void radix_sort_step(const unsigned* in, unsigned* out, int n, int shift) {
  __shared__ int counts[16][129];
  const int tid = threadIdx.x, each = (n + blockDim.x - 1) / blockDim.x;
  const int begin = min(tid * each, n), end = min(begin + each, n);
  for (int d = 0; d < 16; ++d) counts[d][tid] = 0;
  for (int i = begin; i < end; ++i) ++counts[in[i] >> shift & 15][tid];
  __syncthreads();
  if (tid == 0) {
    int sum = 0;
    for (int d = 0; d < 16; ++d)
      for (unsigned t = 0; t < blockDim.x; ++t) {
        const int count = counts[d][t];
        counts[d][t] = sum;
        sum += count;
      }
  }
  __syncthreads();
  for (int i = begin; i < end; ++i) out[counts[in[i] >> shift & 15][tid]++] = in[i];
}

extern "C" __global__ void bitonic_sort(float* values) {
  extern __shared__ float sorted[];
  const unsigned tid = threadIdx.x;
  sorted[tid] = values[tid];
  __syncthreads();
  for (unsigned k = 2; k <= blockDim.x; k *= 2) {
    for (unsigned j = k / 2; j > 0; j /= 2) {
      const unsigned other = tid ^ j;
      if (other > tid && (sorted[tid] > sorted[other]) == ((tid & k) == 0)) {
        const float kept = sorted[tid];
        sorted[tid] = sorted[other];
        sorted[other] = kept;
      }
      __syncthreads();
    }
  }
  values[tid] = sorted[tid];
}
