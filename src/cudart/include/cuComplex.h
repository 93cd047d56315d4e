/* Complex numbers as pairs: cuFloatComplex, cuDoubleComplex and their functions, for host and
   device, in C and C++. */
#ifndef LONGWIRE_CU_COMPLEX_H
#define LONGWIRE_CU_COMPLEX_H

#include <math.h>

#include "vector_types.h"

typedef float2 cuFloatComplex;
typedef double2 cuDoubleComplex;
typedef cuFloatComplex cuComplex;

#define LW_COMPLEX static __inline__ __host__ __device__
/* `f` ends the names of those for float. The quotient and the magnitude scale by the larger part,
   so that squares neither overflow nor vanish. */
#define LW_COMPLEX_FUNCTIONS(type, element, make, f, fabs, sqrt)                              \
  LW_COMPLEX type make(element real, element imaginary) {                                     \
    type made;                                                                                \
    made.x = real;                                                                            \
    made.y = imaginary;                                                                       \
    return made;                                                                              \
  }                                                                                           \
  LW_COMPLEX element cuCreal##f(type a) { return a.x; }                                       \
  LW_COMPLEX element cuCimag##f(type a) { return a.y; }                                       \
  LW_COMPLEX type cuConj##f(type a) { return make(a.x, -a.y); }                               \
  LW_COMPLEX type cuCadd##f(type a, type b) { return make(a.x + b.x, a.y + b.y); }            \
  LW_COMPLEX type cuCsub##f(type a, type b) { return make(a.x - b.x, a.y - b.y); }            \
  LW_COMPLEX type cuCmul##f(type a, type b) {                                                 \
    return make(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x);                                \
  }                                                                                           \
  LW_COMPLEX type cuCfma##f(type a, type b, type c) { return cuCadd##f(cuCmul##f(a, b), c); } \
  LW_COMPLEX type cuCdiv##f(type a, type b) {                                                 \
    const element scale = 1 / (fabs(b.x) + fabs(b.y));                                        \
    const type p = make(a.x * scale, a.y * scale), q = make(b.x * scale, b.y * scale);        \
    const element square = 1 / (q.x * q.x + q.y * q.y);                                       \
    return make((p.x * q.x + p.y * q.y) * square, (p.y * q.x - p.x * q.y) * square);          \
  }                                                                                           \
  LW_COMPLEX element cuCabs##f(type a) {                                                      \
    const element x = fabs(a.x), y = fabs(a.y);                                               \
    const element larger = x < y ? y : x, smaller = x < y ? x : y;                            \
    const element ratio = smaller / larger;                                                   \
    const element infinity = (element)__builtin_inf();                                        \
    if (x == infinity || y == infinity) return infinity; /* also beside a NaN */              \
    if (!(larger > 0) || ratio != ratio) return x + y;                                        \
    return larger * sqrt(1 + ratio * ratio);                                                  \
  }

LW_COMPLEX_FUNCTIONS(cuFloatComplex, float, make_cuFloatComplex, f, fabsf, sqrtf)
LW_COMPLEX_FUNCTIONS(cuDoubleComplex, double, make_cuDoubleComplex, , fabs, sqrt)
#undef LW_COMPLEX_FUNCTIONS

LW_COMPLEX cuComplex make_cuComplex(float real, float imaginary) {
  return make_cuFloatComplex(real, imaginary);
}
LW_COMPLEX cuDoubleComplex cuComplexFloatToDouble(cuFloatComplex a) {
  return make_cuDoubleComplex(a.x, a.y);
}
LW_COMPLEX cuFloatComplex cuComplexDoubleToFloat(cuDoubleComplex a) {
  return make_cuFloatComplex((float)a.x, (float)a.y);
}
#undef LW_COMPLEX

#endif
