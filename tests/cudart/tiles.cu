// Tiles of a block, as programs write them: without their group, of structures.
#include <cooperative_groups.h>
#include <cooperative_groups/memcpy_async.h>
#include <cooperative_groups/scan.h>
#include <cuda_runtime.h>

#include "check.h"

namespace cg = cooperative_groups;

__global__ void exchange(float4* out) {
  cg::thread_block block = cg::this_thread_block();
  cg::thread_block_tile<32> tile = cg::tiled_partition<32>(block);
  const float rank = static_cast<float>(tile.thread_rank());
  out[block.thread_rank()] = tile.shfl_xor(make_float4(rank, rank + 0.25F, 1, 2), 1);
}

__global__ void scan(const int* in, int* out) {
  __shared__ int copied[64];
  const cg::thread_block block = cg::this_thread_block();
  cg::memcpy_async(block, copied, in, sizeof copied);
  cg::wait(block);
  const auto tile = cg::tiled_partition<16>(block);
  const int value = copied[63 - block.thread_rank()];
  int* const mine = out + 4 * block.thread_rank();
  mine[0] = cg::inclusive_scan(tile, value);
  mine[1] = cg::exclusive_scan(tile, value);
  mine[2] = cg::inclusive_scan(tile, value, cg::greater<int>());
  mine[3] = cg::reduce(tile, value, cg::plus<int>());
}

void scans_are_right() {
  int* in = nullptr;
  OK(cudaMallocManaged(&in, 5 * 64 * sizeof(int)));
  int* const out = in + 64;
  for (int i = 0; i < 64; ++i)
    in[i] = (i * 37) % 23;
  scan<<<1, 64>>>(in, out);
  OK(cudaDeviceSynchronize());
  for (int first = 0; first < 64; first += 16) {
    int sum = 0, most = 0;
    for (int i = first; i < first + 16; ++i) {
      CHECK(out[4 * i + 1] == sum);
      sum += in[63 - i];
      most = in[63 - i] > most ? in[63 - i] : most;
      CHECK(out[4 * i] == sum && out[4 * i + 2] == most);
    }
    for (int i = first; i < first + 16; ++i)
      CHECK(out[4 * i + 3] == sum);
  }
  OK(cudaFree(in));
}

int main() {
  scans_are_right();
  float4* out = nullptr;
  float4 got[64];
  OK(cudaMalloc(&out, sizeof got));
  exchange<<<1, 64>>>(out);
  OK(cudaMemcpy(got, out, sizeof got, cudaMemcpyDeviceToHost));
  for (int i = 0; i < 64; ++i)
    CHECK(got[i].x == ((i & 31) ^ 1) && got[i].y == ((i & 31) ^ 1) + 0.25F && got[i].w == 2);
  OK(cudaFree(out));
  return 0;
}
