// The host rounds to __nv_bfloat16 as the device does.
#include <cuda_bf16.h>
#include <cuda_runtime.h>

#include <cmath>
#include <cstring>

#include "check.h"

constexpr int kCount = 1 << 16;

__global__ void round_on_device(const float* in, unsigned short* out) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  out[i] = __bfloat16_as_ushort(__float2bfloat16(in[i]));
}

// All upper halves, with lower halves near the ties.
float input(int i) {
  constexpr unsigned int kLower[] = {0, 1, 0x7fff, 0x8000, 0x8001, 0xffff};
  const unsigned int bits = static_cast<unsigned int>(i) << 16 | kLower[i % 6];
  float made;
  std::memcpy(&made, &bits, sizeof made);
  return made;
}

unsigned short rounded(double value) {
  return __bfloat16_as_ushort(__double2bfloat16(value));
}

int main() {
  float* in = nullptr;
  unsigned short* out = nullptr;
  OK(cudaMallocManaged(&in, kCount * sizeof(float)));
  OK(cudaMallocManaged(&out, kCount * sizeof(unsigned short)));
  for (int i = 0; i < kCount; ++i)
    in[i] = input(i);
  round_on_device<<<kCount / 256, 256>>>(in, out);
  OK(cudaDeviceSynchronize());
  for (int i = 0; i < kCount; ++i) {
    const __nv_bfloat16 here = __float2bfloat16(in[i]);
    if (std::isnan(in[i]))
      CHECK(__hisnan(here) && __hisnan(__ushort_as_bfloat16(out[i])));
    else
      CHECK(__bfloat16_as_ushort(here) == out[i]);
  }
  // 1 + 2^-8 is a tie, which goes to even, and what float cannot tell from it is not.
  const double tie = 1 + std::ldexp(1.0, -8), little = std::ldexp(1.0, -40);
  CHECK(rounded(tie) == 0x3f80 && rounded(tie + little) == 0x3f81);
  CHECK(rounded(-tie) == 0xbf80 && rounded(-tie - little) == 0xbf81 &&
        rounded(-tie + little) == 0xbf80);
  const double odd_tie = 1 + 3 * std::ldexp(1.0, -8);
  CHECK(rounded(odd_tie) == 0x3f82 && rounded(odd_tie - little) == 0x3f81);
  CHECK(rounded(1e300) == 0x7f80 && rounded(-1e-300) == 0x8000 && rounded(0) == 0);
  OK(cudaFree(in));
  OK(cudaFree(out));
  return 0;
}
