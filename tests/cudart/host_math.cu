// Functions of the CUDA Math API that the C library lacks: the host's against the device's.
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>
#include <math_constants.h>

#include <cmath>

#include "check.h"

constexpr int kInputs = 200, kFunctions = 8;

template <class T>
__host__ __device__ void compute(T a, T* out) {
  const T positive = fabs(a) + T(0.125);
  out[0] = rsqrt(positive);
  out[1] = rcbrt(positive);
  out[2] = sinpi(a);
  out[3] = cospi(a);
  out[4] = normcdf(a);
  out[5] = norm3d(a, positive, T(2));
  T sine, cosine;
  sincospi(a, &sine, &cosine);
  out[6] = sine;
  out[7] = cosine;
}
template <class T>
__host__ __device__ T input(int i) {
  return static_cast<T>(i - kInputs / 2) / 8;
}

template <class T>
__global__ void on_device(T* out) {
  const int i = static_cast<int>(threadIdx.x);
  compute(input<T>(i), out + i * kFunctions);
}

template <class T>
void compare(T error) {
  T* got = nullptr;
  OK(cudaMallocManaged(&got, kInputs * kFunctions * sizeof(T)));
  on_device<<<1, kInputs>>>(got);
  OK(cudaDeviceSynchronize());
  for (int i = 0; i < kInputs; ++i) {
    T wanted[kFunctions];
    compute(input<T>(i), wanted);
    for (int k = 0; k < kFunctions; ++k)
      CHECK(std::fabs(got[i * kFunctions + k] - wanted[k]) <= error * (1 + std::fabs(wanted[k])));
  }
  OK(cudaFree(got));
}

int main() {
  compare<double>(1e-14);
  CHECK(std::fabs(rsqrtf(4) - 0.5F) < 1e-6F && sinpif(1e6F) == 0 && cospif(0.5F) == 0);
  CHECK(sinpi(1.5) == -1 && cospi(1.0) == -1 && std::signbit(sinpi(-3.0)));
  CHECK(rsqrt(4.0F) == 0.5F && rcbrt(8.0F) == 0.5F && normcdf(0.0F) == 0.5F);
  CHECK(std::isinf(CUDART_INF_F) && std::isnan(CUDART_NAN) && CUDART_MIN_DENORM_F > 0);
  CHECK(float(CUDART_ONE_FP16) == 1 && float(CUDART_ONE_BF16) == 1 && __hisnan(CUDART_NAN_BF16));
  return 0;
}
