// Half and bfloat16 to integers and back on both sides; atomic sums of bfloat16.
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <cmath>

#include "check.h"

struct Results {
  int nearest, towards_zero, down, up, huge, nan;
  unsigned int negative;
  long long wide, wide_nan;
  short narrow;
  float back;
};

template <class Number>
__host__ __device__ Results compute(float half, float large);
template <>
__host__ __device__ Results compute<__half>(float half, float large) {
  const __half a(half), b(large), none(NAN);
  return {__half2int_rn(a),    __half2int_rz(a), __half2int_rd(a),  __half2int_ru(a),
          __half2int_rn(b),    __half2int_rz(none), __half2uint_rd(a), __half2ll_rz(b),
          __half2ll_rn(none),  __half2short_rn(b), __ushort2half_rn(7)};
}
template <>
__host__ __device__ Results compute<__nv_bfloat16>(float half, float large) {
  const __nv_bfloat16 a(half), b(large), none(NAN);
  return {__bfloat162int_rn(a),   __bfloat162int_rz(a),   __bfloat162int_rd(a),
          __bfloat162int_ru(a),   __bfloat162int_rn(b),   __bfloat162int_rz(none),
          __bfloat162uint_rd(a),  __bfloat162ll_rz(b),    __bfloat162ll_rn(none),
          __bfloat162short_rn(b), __ull2bfloat16_rn(7)};
}

template <class Number>
__global__ void on_device(float half, float large, Results* out) {
  *out = compute<Number>(half, large);
}

__global__ void add(__nv_bfloat16* one, __nv_bfloat162* two, __half2* halves) {
  atomicAdd(one, __nv_bfloat16(1.0F));
  atomicAdd(two, -__nv_bfloat162(1.0F, -2.0F));
  atomicAdd(halves, -__half2(1.0F, -2.0F));
}

template <class Number>
void converts(float large) {
  Results* out = nullptr;
  OK(cudaMallocManaged(&out, sizeof(Results)));
  on_device<Number><<<1, 1>>>(-2.5F, large, out);
  OK(cudaDeviceSynchronize());
  for (const Results& got : {*out, compute<Number>(-2.5F, large)}) {
    CHECK(got.nearest == -2 && got.towards_zero == -2 && got.down == -3 && got.up == -2);
    CHECK(got.huge == (large > 1e9F ? 0x7fffffff : static_cast<int>(large)) && got.nan == 0);
    CHECK(got.negative == 0 && got.wide == static_cast<long long>(large));
    CHECK(got.wide_nan == -0x7fffffffffffffff - 1 && got.narrow == 0x7fff && got.back == 7);
  }
  OK(cudaFree(out));
}

int main() {
  converts<__half>(60000);
  converts<__nv_bfloat16>(1LL << 40);
  struct Sums {
    __nv_bfloat16 one, unused;
    __nv_bfloat162 two;
    __half2 halves;
  };
  Sums* sums = nullptr;
  OK(cudaMallocManaged(&sums, sizeof(Sums)));
  OK(cudaMemset(sums, 0, sizeof(Sums)));
  add<<<2, 50>>>(&sums->one, &sums->two, &sums->halves);
  OK(cudaDeviceSynchronize());
  CHECK(float(sums->one) == 100 && float(sums->unused) == 0);
  CHECK(float(sums->two.x) == -100 && float(sums->two.y) == 200);
  CHECK(float(sums->halves.x) == -100 && float(sums->halves.y) == 200);
  OK(cudaFree(sums));
  return 0;
}
