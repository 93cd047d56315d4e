#include "softcuda/interp/fused.h"

#include <cmath>

namespace longwire::softcuda::interp {
namespace {

#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) void by_instruction(float* d, const float* a, const float* b,
                                                        const float* c) noexcept {
  for (int i = 0; i < kLanes; ++i)
    d[i] = __builtin_fmaf(a[i], b[i], c[i]);
}
__attribute__((target("avx2,fma"))) void by_instruction(double* d, const double* a, const double* b,
                                                        const double* c) noexcept {
  for (int i = 0; i < kLanes; ++i)
    d[i] = __builtin_fma(a[i], b[i], c[i]);
}
const bool has_instruction = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
template <class T>
void by_instruction(T* d, const T* a, const T* b, const T* c) noexcept {
  for (int i = 0; i < kLanes; ++i)
    d[i] = std::fma(a[i], b[i], c[i]);
}
const bool has_instruction = true;
#endif

template <class T>
void multiply_add(T* d, const T* a, const T* b, const T* c) noexcept {
  if (has_instruction) return by_instruction(d, a, b, c);
  for (int i = 0; i < kLanes; ++i)
    d[i] = std::fma(a[i], b[i], c[i]);
}

}  // namespace

void fused_multiply_add(float* d, const float* a, const float* b, const float* c) noexcept {
  multiply_add(d, a, b, c);
}
void fused_multiply_add(double* d, const double* a, const double* b, const double* c) noexcept {
  multiply_add(d, a, b, c);
}

}  // namespace longwire::softcuda::interp
