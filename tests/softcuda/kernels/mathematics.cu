// The mathematics library of src/cudart/include/device, function by function.
#include "device_builtins.h"

#define FOR_EACH(F)                                                                             \
  F(0, exp) F(1, exp2) F(2, exp10) F(3, expm1) F(4, log) F(5, log2) F(6, log10) F(7, log1p)      \
  F(8, cbrt) F(9, sinh) F(10, cosh) F(11, tanh) F(12, asinh) F(13, acosh) F(14, atanh) F(15, sin) \
  F(16, cos) F(17, tan) F(18, sinpi) F(19, cospi) F(20, atan) F(21, asin) F(22, acos) F(23, erf)  \
  F(24, erfc) F(25, normcdf) F(26, tgamma) F(27, lgamma) F(28, round) F(29, rint) F(30, rsqrt)

#define CASE(number, name) \
  case number: out[i] = name(in[i]); break;
extern "C" __global__ void of_double(int which, const double* in, double* out) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  switch (which) { FOR_EACH(CASE) }
}
#undef CASE
#define CASE(number, name) \
  case number: out[i] = name##f(in[i]); break;
extern "C" __global__ void of_float(int which, const float* in, float* out) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  switch (which) { FOR_EACH(CASE) }
}

extern "C" __global__ void of_two(int which, const double* a, const double* b, double* out) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  int n;
  switch (which) {
    case 0: out[i] = pow(a[i], b[i]); break;
    case 1: out[i] = atan2(a[i], b[i]); break;
    case 2: out[i] = fmod(a[i], b[i]); break;
    case 3: out[i] = remainder(a[i], b[i]); break;
    case 4: out[i] = hypot(a[i], b[i]); break;
    case 5: out[i] = nextafter(a[i], b[i]); break;
    case 6: out[i] = ldexp(a[i], static_cast<int>(b[i])); break;
    case 7: out[i] = frexp(a[i], &n) + n; break;
    case 8: out[i] = powf(static_cast<float>(a[i]), static_cast<float>(b[i])); break;
    case 9: out[i] = fmodf(static_cast<float>(a[i]), static_cast<float>(b[i])); break;
    default: out[i] = fdim(a[i], b[i]);
  }
}

extern "C" __global__ void inverses(const double* in, double* out) {
  const int i = threadIdx.x;
  out[i] = erf(erfinv(in[i]));
  out[64 + i] = erfc(erfcinv(in[i] + 1));
  out[128 + i] = normcdf(normcdfinv(0.5 * in[i] + 0.5));
}

extern "C" __global__ void bytes_at_once(const unsigned* a, const unsigned* b, unsigned* out) {
  const int i = threadIdx.x;
  unsigned* mine = out + i * 10;
  mine[0] = __vadd4(a[i], b[i]);
  mine[1] = __vaddss4(a[i], b[i]);
  mine[2] = __vsubus4(a[i], b[i]);
  mine[3] = __vcmpgtu4(a[i], b[i]);
  mine[4] = __vcmples4(a[i], b[i]);
  mine[5] = __vabsdiffu4(a[i], b[i]);
  mine[6] = __vavgu4(a[i], b[i]);
  mine[7] = __vsadu4(a[i], b[i]);
  mine[8] = __vmaxs4(a[i], b[i]);
  mine[9] = __vneg4(a[i]);
}
