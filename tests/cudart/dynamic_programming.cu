// DPX functions: halves of words do not mix, sums wrap around, the first wins where both are alike.
#include <cuda_runtime.h>

#include "check.h"

struct Results {
  int words[8];
  unsigned int unsigned_words[3], halves[8];
  bool first[6];
};

__host__ __device__ Results compute() {
  Results all = {};
  all.words[0] = __vimax3_s32(-5, 3, 2);
  all.words[1] = __vimin3_s32_relu(-5, 3, 2);
  all.words[2] = __viaddmax_s32(0x7fffffff, 1, -7);
  all.words[3] = __viaddmin_s32_relu(4, 5, 100);
  all.words[4] = __vimax_s32_relu(-1, -2);
  all.words[5] = __vimin_s32_relu(8, 6);
  all.words[6] = __vibmax_s32(4, 4, &all.first[0]);
  all.words[7] = __vibmin_s32(4, 3, &all.first[1]);
  all.unsigned_words[0] = __vimin3_u32(0x80000000U, 7, 9);
  all.unsigned_words[1] = __viaddmax_u32(0xffffffffU, 3, 1);
  all.unsigned_words[2] = __vibmax_u32(0x80000000U, 1, &all.first[2]);
  all.halves[0] = __vimax3_s16x2(0xffff0001U, 0x00008000U, 0x80000000U);
  all.halves[1] = __vimin3_u16x2(0xffff0001U, 0x00028000U, 0x80000005U);
  all.halves[2] = __viaddmax_s16x2(0x7fff0001U, 0x00010001U, 0x00000000U);
  all.halves[3] = __viaddmax_u16x2(0xffff0001U, 0x00020001U, 0x00000000U);
  all.halves[4] = __viaddmin_s16x2_relu(0x00050005U, 0x00010001U, 0xffff0003U);
  all.halves[5] = __vimin_s16x2_relu(0xffff0009U, 0x00010004U);
  all.halves[6] = __vibmin_s16x2(0xffff0002U, 0x00000001U, &all.first[3], &all.first[4]);
  all.halves[7] = __vibmax_u16x2(0xffff0001U, 0x00000001U, &all.first[5], &all.first[5]);
  return all;
}

__global__ void on_device(Results* out) { *out = compute(); }

int main() {
  Results* out = nullptr;
  OK(cudaMallocManaged(&out, sizeof(Results)));
  on_device<<<1, 1>>>(out);
  OK(cudaDeviceSynchronize());
  const int words[] = {3, 0, -7, 9, 0, 6, 4, 3};
  const unsigned int unsigned_words[] = {7, 2, 0x80000000U};
  const unsigned int halves[] = {0x00000001U, 0x00020001U, 0x00000002U, 0x00010002U,
                                 0x00000003U, 0x00000004U, 0xffff0001U, 0xffff0001U};
  const bool first[] = {true, false, true, true, false, true};
  for (const Results& got : {*out, compute()}) {
    for (int i = 0; i < 8; ++i)
      CHECK(got.words[i] == words[i] && got.halves[i] == halves[i]);
    for (int i = 0; i < 3; ++i)
      CHECK(got.unsigned_words[i] == unsigned_words[i]);
    for (int i = 0; i < 6; ++i)
      CHECK(got.first[i] == first[i]);
  }
  OK(cudaFree(out));
  return 0;
}
