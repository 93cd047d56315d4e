/* int4, float2, dim3 and their like: the sizes and alignments of the CUDA C++ Programming Guide,
   "Built-in Vector Types". */
#ifndef LONGWIRE_VECTOR_TYPES_H
#define LONGWIRE_VECTOR_TYPES_H

#include "host_defines.h"

#define LW_VECTORS(name, element, align2, align4)   \
  struct name##1 {                                  \
    element x;                                      \
  };                                                \
  struct __attribute__((aligned(align2))) name##2 { \
    element x, y;                                   \
  };                                                \
  struct name##3 {                                  \
    element x, y, z;                                \
  };                                                \
  struct __attribute__((aligned(align4))) name##4 { \
    element x, y, z, w;                             \
  };                                                \
  typedef struct name##1 name##1;                   \
  typedef struct name##2 name##2;                   \
  typedef struct name##3 name##3;                   \
  typedef struct name##4 name##4

LW_VECTORS(char, signed char, 2, 4);
LW_VECTORS(uchar, unsigned char, 2, 4);
LW_VECTORS(short, short, 4, 8);
LW_VECTORS(ushort, unsigned short, 4, 8);
LW_VECTORS(int, int, 8, 16);
LW_VECTORS(uint, unsigned int, 8, 16);
LW_VECTORS(long, long int, 16, 16);
LW_VECTORS(ulong, unsigned long int, 16, 16);
LW_VECTORS(longlong, long long int, 16, 16);
LW_VECTORS(ulonglong, unsigned long long int, 16, 16);
LW_VECTORS(float, float, 8, 16);
LW_VECTORS(double, double, 16, 16);
#undef LW_VECTORS

struct dim3 {
  unsigned int x, y, z;
#ifdef __cplusplus
  // Programs rely on the conversions: kernel<<<blocks, 256>>>().
  // NOLINTBEGIN(google-explicit-constructor)
  __host__ __device__ constexpr dim3(unsigned int vx = 1, unsigned int vy = 1, unsigned int vz = 1)
      : x(vx), y(vy), z(vz) {}
  __host__ __device__ constexpr dim3(uint3 v) : x(v.x), y(v.y), z(v.z) {}
  __host__ __device__ constexpr operator uint3() const { return uint3{x, y, z}; }
  // NOLINTEND(google-explicit-constructor)
#endif
};
typedef struct dim3 dim3;

#endif
