// Tiles of a block, as programs write them: without their group, of structures.
#include <cooperative_groups.h>
#include <cuda_runtime.h>

#include "check.h"

namespace cg = cooperative_groups;

__global__ void exchange(float4* out) {
  cg::thread_block block = cg::this_thread_block();
  cg::thread_block_tile<32> tile = cg::tiled_partition<32>(block);
  const float rank = static_cast<float>(tile.thread_rank());
  out[block.thread_rank()] = tile.shfl_xor(make_float4(rank, rank + 0.25F, 1, 2), 1);
}

int main() {
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
