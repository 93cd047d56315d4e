/* make_float4() and its like. */
#ifndef LONGWIRE_VECTOR_FUNCTIONS_H
#define LONGWIRE_VECTOR_FUNCTIONS_H

#include "vector_types.h"

#define LW_MAKE static __inline__ __host__ __device__
#define LW_MAKES(name, element)                                                \
  LW_MAKE name##1 make_##name##1(element x) {                                  \
    name##1 made = {x};                                                        \
    return made;                                                               \
  }                                                                            \
  LW_MAKE name##2 make_##name##2(element x, element y) {                       \
    name##2 made = {x, y};                                                     \
    return made;                                                               \
  }                                                                            \
  LW_MAKE name##3 make_##name##3(element x, element y, element z) {            \
    name##3 made = {x, y, z};                                                  \
    return made;                                                               \
  }                                                                            \
  LW_MAKE name##4 make_##name##4(element x, element y, element z, element w) { \
    name##4 made = {x, y, z, w};                                               \
    return made;                                                               \
  }

LW_MAKES(char, signed char)
LW_MAKES(uchar, unsigned char)
LW_MAKES(short, short)
LW_MAKES(ushort, unsigned short)
LW_MAKES(int, int)
LW_MAKES(uint, unsigned int)
LW_MAKES(long, long int)
LW_MAKES(ulong, unsigned long int)
LW_MAKES(longlong, long long int)
LW_MAKES(ulonglong, unsigned long long int)
LW_MAKES(float, float)
LW_MAKES(double, double)
#undef LW_MAKES
#undef LW_MAKE

#endif
