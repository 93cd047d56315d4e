// The C library's functions by their names for double, of float: device code calls those of float,
// as the host does, with and without std::.
#include <cuda_runtime.h>

#include <cmath>
#include <type_traits>

#include "check.h"

constexpr int kMost = 64;

struct Results {
  int count;
  float of_float[kMost];
  long long whole[kMost];
};

// Fails to compile where the function of double is taken.
__host__ __device__ void put(Results& to, float value) { to.of_float[to.count++] = value; }
void put(Results& to, double value) = delete;
__host__ __device__ void put(Results& to, long long value) { to.whole[to.count++] = value; }

__host__ __device__ void compute(Results& to, float a, float b) {
  put(to, acosh(a));
  put(to, asinh(a));
  put(to, std::atanh(b));
  put(to, cbrt(a));
  put(to, erf(b));
  put(to, std::erf(b));
  put(to, erfc(b));
  put(to, exp2(a));
  put(to, expm1(b));
  put(to, lgamma(a));
  put(to, log1p(b));
  put(to, std::log2(a));
  put(to, logb(a));
  put(to, nearbyint(a));
  put(to, rint(a));
  put(to, round(a));
  put(to, std::trunc(a));
  put(to, tgamma(a));
  put(to, copysign(a, -b));
  put(to, fdim(a, b));
  put(to, fmax(a, b));
  put(to, std::fmin(a, b));
  put(to, hypot(a, b));
  put(to, nextafter(a, b));
  put(to, remainder(a, b));
  put(to, fma(a, b, a));
  int quotient = 0;
  put(to, remquo(a, b, &quotient));
  put(to, static_cast<long long>(quotient & 7));
  put(to, scalbn(a, 3));
  put(to, scalbln(a, -3L));
  put(to, static_cast<long long>(ilogb(a)));
  put(to, static_cast<long long>(lrint(a)));
  put(to, static_cast<long long>(lround(a)));
  put(to, static_cast<long long>(llrint(a)));
  put(to, static_cast<long long>(std::llround(a)));
}

__global__ void on_device(Results* to, float a, float b) {
  compute(*to, a, b);
  if (!isnan(nan("1")) || !isnan(nanf("1"))) __trap();
}

int main() {
  Results* got = nullptr;
  OK(cudaMallocManaged(&got, sizeof(Results)));
  *got = {};
  on_device<<<1, 1>>>(got, 2.5F, 0.7F);
  OK(cudaDeviceSynchronize());
  Results wanted = {};
  compute(wanted, 2.5F, 0.7F);
  CHECK(got->count == wanted.count && wanted.count > 30);
  for (int i = 0; i < wanted.count; ++i) {
    const float error = std::fabs(got->of_float[i] - wanted.of_float[i]);
    CHECK(error <= 1e-6F * std::fabs(wanted.of_float[i]) && got->whole[i] == wanted.whole[i]);
  }
  OK(cudaFree(got));
  return 0;
}
