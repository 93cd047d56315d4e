// Threads that meet: warps, blocks, grids; pipelines and specialised warps.
#include "cooperative_groups.h"
#include "cooperative_groups/reduce.h"
#include "cuda_pipeline.h"

namespace cg = cooperative_groups;

// Jacobi's iteration of a line, all of it in one launch.
extern "C" __global__ void jacobi_grid(float* a, float* b, int n, int rounds) {
  cg::grid_group grid = cg::this_grid();
  for (int round = 0; round < rounds; ++round) {
    const float* from = round % 2 == 0 ? a : b;
    float* to = round % 2 == 0 ? b : a;
    for (unsigned long long i = grid.thread_rank(); i < static_cast<unsigned>(n); i += grid.size())
      to[i] = i == 0 || i == static_cast<unsigned>(n) - 1 ? from[i]
                                                          : 0.5f * (from[i - 1] + from[i + 1]);
    grid.sync();
  }
}

extern "C" __global__ void tiles(const int* in, int* out) {
  cg::thread_block block = cg::this_thread_block();
  auto tile = cg::tiled_partition<8>(block);
  const int value = in[block.thread_rank()];
  int* mine = out + block.thread_rank() * 6;
  mine[0] = cg::reduce(tile, value, cg::plus<int>());
  mine[1] = cg::reduce(tile, value, cg::greater<int>());
  mine[2] = tile.shfl(value, 3);
  mine[3] = static_cast<int>(tile.ballot(value > 0));
  mine[4] = static_cast<int>(tile.meta_group_rank() * 100 + tile.thread_rank());
  mine[5] = 0;
  if (value > 0) {
    cg::coalesced_group active = cg::coalesced_threads();
    mine[5] = static_cast<int>(active.size() * 100 + active.thread_rank());
  }
}

// Votes, matches, shuffles of 64 bits and over parts of a warp.
extern "C" __global__ void warp_talk(const long long* in, long long* out) {
  const int lane = threadIdx.x % 32;
  const long long value = in[threadIdx.x];
  long long* mine = out + threadIdx.x * 10;
  int all;
  mine[0] = __shfl_sync(~0u, value, lane * 7);
  mine[1] = __shfl_up_sync(~0u, value, 3, 16);
  mine[2] = __shfl_down_sync(~0u, value, 5, 8);
  mine[3] = __shfl_xor_sync(~0u, value, 13);
  mine[4] = __ballot_sync(~0u, value & 1);
  mine[5] = __any_sync(~0u, value == 5) * 2 + __all_sync(~0u, value > -1000);
  mine[6] = __match_any_sync(~0u, value % 4);
  mine[7] = __match_all_sync(~0u, value, &all) + (all ? 1ll << 40 : 0);
  // Halves of the warp go their own ways and talk among themselves.
  if (lane < 16)
    mine[8] = __shfl_xor_sync(0x0000ffffu, value, 1);
  else
    mine[8] = __shfl_xor_sync(0xffff0000u, value, 2) * 3;
  __syncwarp();
  mine[9] = __activemask();
}

static __device__ void copy_async(void* to, const void* from) {
  __asm__ __volatile__("cp.async.ca.shared.global [%0], [%1], 16;"
                       :
                       : "r"(static_cast<unsigned>(__cvta_generic_to_shared(to))), "l"(from)
                       : "memory");
}

// Two buffers: while one is summed the other is filled by cp.async.
extern "C" __global__ void double_buffered(const float4* in, float* out, int tiles) {
  __shared__ float4 buffer[2][64];
  const int tid = threadIdx.x;
  auto fetch = [&](int tile) {
    if (tile < tiles)
      copy_async(&buffer[tile % 2][tid], &in[(blockIdx.x * tiles + tile) * 64 + tid]);
    __asm__ __volatile__("cp.async.commit_group;");
  };
  float sum = 0;
  fetch(0);
  for (int tile = 0; tile < tiles; ++tile) {
    fetch(tile + 1);
    __asm__ __volatile__("cp.async.wait_group 1;" ::: "memory");
    __syncthreads();
    const float4 other = buffer[tile % 2][(tid + 17) % 64];
    sum += other.x + 2 * other.y + 3 * other.z + 4 * other.w;
    __syncthreads();
  }
  out[blockIdx.x * 64 + tid] = sum;
}

// A warp brings, three warps work: named barriers, one pair for each of two buffers.
static __device__ void barrier_wait(int id) { __asm__ __volatile__("bar.sync %0, 128;" : : "r"(id) : "memory"); }
static __device__ void barrier_arrive(int id) { __asm__ __volatile__("bar.arrive %0, 128;" : : "r"(id) : "memory"); }
extern "C" __global__ void producer_and_consumers(const int* in, int* out, int rounds) {
  __shared__ int buffer[2][96];
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  if (warp == 0) {
    for (int round = 0; round < rounds; ++round) {
      const int which = round % 2;
      if (round >= 2) barrier_wait(3 + which);  // empty again
      for (int k = 0; k < 3; ++k) {
        const int* from = &in[round * 96 + k * 32 + lane];
        __asm__ __volatile__("cp.async.ca.shared.global [%0], [%1], 4;"
                             :
                             : "r"(static_cast<unsigned>(
                                   __cvta_generic_to_shared(&buffer[which][k * 32 + lane]))),
                               "l"(from)
                             : "memory");
      }
      __asm__ __volatile__("cp.async.wait_all;" ::: "memory");
      barrier_arrive(1 + which);  // full
    }
    return;
  }
  int sum = 0;
  for (int round = 0; round < rounds; ++round) {
    const int which = round % 2;
    barrier_wait(1 + which);
    sum += buffer[which][95 - ((warp - 1) * 32 + lane)] * (round + 1);
    if (round + 2 < rounds) barrier_arrive(3 + which);
  }
  out[(warp - 1) * 32 + lane] = sum;
}

// A lock of textbooks: lanes of one warp must get on one after the other.
__device__ int lock;
extern "C" __global__ void spin_lock(int* counter) {
  bool done = false;
  while (!done) {
    if (atomicCAS(&lock, 0, 1) == 0) {
      volatile int* shared_counter = counter;
      *shared_counter = *shared_counter + 1;
      __threadfence();
      atomicExch(&lock, 0);
      done = true;
    }
  }
}

// Blocks hand a baton on, through memory.
extern "C" __global__ void baton(volatile int* turn, int* order) {
  if (threadIdx.x == 0) {
    while (*turn != static_cast<int>(gridDim.x - 1 - blockIdx.x)) {
    }
    order[*turn] = blockIdx.x;
    __threadfence();
    *turn = *turn + 1;
  }
}

extern "C" __global__ void async_barrier(const int* in, int* out) {
  __shared__ unsigned long long barrier;
  __shared__ int values[64];
  const unsigned at = __cvta_generic_to_shared(&barrier);
  if (threadIdx.x == 0)
    __asm__ __volatile__("mbarrier.init.shared.b64 [%0], 64;" : : "r"(at) : "memory");
  __syncthreads();
  for (int round = 0; round < 3; ++round) {
    values[threadIdx.x] = in[threadIdx.x] + round;
    unsigned long long state;
    __asm__ __volatile__("mbarrier.arrive.shared.b64 %0, [%1];" : "=l"(state) : "r"(at) : "memory");
    unsigned done = 0;
    while (done == 0)
      __asm__ __volatile__(
          "{ .reg .pred p; mbarrier.test_wait.shared.b64 p, [%1], %2; selp.u32 %0, 1, 0, p; }"
          : "=r"(done)
          : "r"(at), "l"(state)
          : "memory");
    out[round * 64 + threadIdx.x] = values[63 - threadIdx.x];
    __syncthreads();
  }
}

// Three stages of a pipeline; the last tile is short, and padded with zeros.
extern "C" __global__ void pipelined(const int2* in, int* out, int tiles) {
  __shared__ int2 stages[3][32];
  auto fetch = [&](int tile) {
    const bool last = tile == tiles - 1 && threadIdx.x >= 16;
    if (tile < tiles)
      __pipeline_memcpy_async(&stages[tile % 3][threadIdx.x], &in[tile * 32 + threadIdx.x], 8,
                              last ? 8 : 0);
    __pipeline_commit();
  };
  fetch(0);
  fetch(1);
  int sum = 0;
  for (int tile = 0; tile < tiles; ++tile) {
    fetch(tile + 2);
    __pipeline_wait_prior(2);
    __syncthreads();
    const int2 other = stages[tile % 3][31 - threadIdx.x];
    sum += other.x * 3 + other.y;
    __syncthreads();
  }
  out[threadIdx.x] = sum;
}
