// The conversions of cuda_fp8.h against the instructions that do the same.
#include <cuda_fp8.h>
#include <cuda_runtime.h>

#include <cmath>
#include <cstring>

#include "check.h"

constexpr int kCount = 1 << 16;

__global__ void convert(const float* in, unsigned short* e4m3, unsigned short* e5m2) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  asm("cvt.rn.satfinite.e4m3x2.f32 %0, %1, %2;" : "=h"(e4m3[i]) : "f"(0.0F), "f"(in[i]));
  asm("cvt.rn.satfinite.e5m2x2.f32 %0, %1, %2;" : "=h"(e5m2[i]) : "f"(0.0F), "f"(in[i]));
}

__global__ void expand(unsigned int* e4m3, unsigned int* e5m2) {
  const auto i = static_cast<unsigned short>(threadIdx.x);
  asm("cvt.rn.f16x2.e4m3x2 %0, %1;" : "=r"(e4m3[i]) : "h"(i));
  asm("cvt.rn.f16x2.e5m2x2 %0, %1;" : "=r"(e5m2[i]) : "h"(i));
}

// All upper halves, with lower halves near the ties.
float input(int i) {
  constexpr unsigned int kLower[] = {0, 1, 0x8000, 0xffff};
  const unsigned int bits = static_cast<unsigned int>(i) << 16 | kLower[i / 7 % 4];
  float made;
  std::memcpy(&made, &bits, sizeof made);
  return made;
}

template <class Number>
Number of_bits(int bits) {
  Number made;
  made.__x = static_cast<__nv_fp8_storage_t>(bits);
  return made;
}

bool same(__nv_fp8_storage_t made, unsigned short instruction, float from) {
  // A NaN's sign is nobody's.
  return std::isnan(from) ? (made & 0x7f) == 0x7f && (instruction & 0x7f) == 0x7f
                          : made == instruction;
}

template <class Number>
void expands(const unsigned int* instruction) {
  for (int i = 0; i < 256; ++i) {
    const __half_raw made = __nv_cvt_fp8_to_halfraw(static_cast<unsigned char>(i), Number::lw_kind);
    const float value = static_cast<float>(of_bits<Number>(i));
    if (std::isnan(value)) {
      CHECK(__hisnan(__ushort_as_half(static_cast<unsigned short>(instruction[i]))));
      continue;
    }
    CHECK(made.x == (instruction[i] & 0xffff));
    CHECK(std::isinf(value) || Number(value).__x == i);
  }
}

int main() {
  float* in = nullptr;
  unsigned short* out = nullptr;
  unsigned int* wide = nullptr;
  OK(cudaMallocManaged(&in, kCount * sizeof(float)));
  OK(cudaMallocManaged(&out, 2 * kCount * sizeof(unsigned short)));
  OK(cudaMallocManaged(&wide, 512 * sizeof(unsigned int)));
  for (int i = 0; i < kCount; ++i)
    in[i] = input(i);
  convert<<<kCount / 256, 256>>>(in, out, out + kCount);
  expand<<<1, 256>>>(wide, wide + 256);
  OK(cudaDeviceSynchronize());
  for (int i = 0; i < kCount; ++i) {
    CHECK(same(__nv_fp8_e4m3(in[i]).__x, out[i], in[i]));
    CHECK(same(__nv_fp8_e5m2(in[i]).__x, out[kCount + i], in[i]));
  }
  expands<__nv_fp8_e4m3>(wide);
  expands<__nv_fp8_e5m2>(wide + 256);

  CHECK(__nv_cvt_float_to_fp8(1e9F, __NV_NOSAT, __NV_E4M3) == 0x7f);
  CHECK(__nv_cvt_float_to_fp8(-1e9F, __NV_NOSAT, __NV_E5M2) == 0xfc);
  CHECK(__nv_cvt_float_to_fp8(INFINITY, __NV_SATFINITE, __NV_E5M2) == 0x7b);
  // A tie in float, but not in double.
  const double tie = 1.0625;
  CHECK(__nv_fp8_e4m3(tie).__x == 0x38 && __nv_fp8_e4m3(tie + 1e-12).__x == 0x39);
  const float4 four = static_cast<float4>(__nv_fp8x4_e4m3(make_float4(1, -2, 0.5F, 448)));
  CHECK(four.x == 1 && four.y == -2 && four.z == 0.5F && four.w == 448);
  const __nv_bfloat162 pair(0.5F, -3);
  const __nv_bfloat162_raw raw = pair;
  CHECK(raw.x == 0x3f00 && static_cast<float>(__nv_bfloat162(raw).y) == -3);
  CHECK(static_cast<float>(__half(__half_raw{0x3c00})) == 1);
  return 0;
}
