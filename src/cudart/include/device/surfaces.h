/* Surface objects in device code: surf2Dread and surf2Dwrite and their like, of the CUDA C++
   Programming Guide ("Surface Functions"). x is in bytes. */
#pragma once
#include "runtime/array.h"
#include "texels.h"

/* An element as bits: 1, 2, 4, 8 or 16 bytes. */
template <int bytes>
struct __lw_bits;
template <>
struct __lw_bits<1> {
  using type = unsigned char;
};
template <>
struct __lw_bits<2> {
  using type = unsigned short;
};
template <>
struct __lw_bits<4> {
  using type = unsigned int;
};
template <>
struct __lw_bits<8> {
  using type = unsigned long long;
};
template <>
struct __lw_bits<16> {
  using type = __lw_four<unsigned int>;
};

/* The instructions, for each size and each boundary mode. `one` and `four` are how the coordinates
   are written behind one value and behind four. */
#define LW_ONE(geometry, boundary, size, type, carrier, reg, parameters, one, ...)        \
  LW_DEVICE void __lw_suld_##geometry##_##boundary(type& v, cudaSurfaceObject_t s,        \
                                                   LW_LIST parameters) {                  \
    carrier bits;                                                                         \
    __asm__ __volatile__("suld.b." #geometry "." size "." #boundary " %0, [%1, " one "];" \
                         : "=" reg(bits)                                                  \
                         : "l"(s), __VA_ARGS__                                            \
                         : "memory");                                                     \
    v = static_cast<type>(bits);                                                          \
  }                                                                                       \
  LW_DEVICE void __lw_sust_##geometry##_##boundary(type v, cudaSurfaceObject_t s,         \
                                                   LW_LIST parameters) {                  \
    __asm__ __volatile__("sust.b." #geometry "." size "." #boundary " [%1, " one "], %0;" \
                         :                                                                \
                         : reg(static_cast<carrier>(v)), "l"(s), __VA_ARGS__              \
                         : "memory");                                                     \
  }
#define LW_FOUR(geometry, boundary, parameters, four, ...)                                        \
  LW_DEVICE void __lw_suld_##geometry##_##boundary(__lw_four<unsigned int>& v,                    \
                                                   cudaSurfaceObject_t s, LW_LIST parameters) {   \
    __asm__ __volatile__("suld.b." #geometry ".v4.b32." #boundary " {%0, %1, %2, %3}, [%4, " four \
                         "];"                                                                     \
                         : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w)                             \
                         : "l"(s), __VA_ARGS__                                                    \
                         : "memory");                                                             \
  }                                                                                               \
  LW_DEVICE void __lw_sust_##geometry##_##boundary(__lw_four<unsigned int> v,                     \
                                                   cudaSurfaceObject_t s, LW_LIST parameters) {   \
    __asm__ __volatile__("sust.b." #geometry ".v4.b32." #boundary " [%4, " four                   \
                         "], {%0, %1, %2, %3};"                                                   \
                         :                                                                        \
                         : "r"(v.x), "r"(v.y), "r"(v.z), "r"(v.w), "l"(s), __VA_ARGS__            \
                         : "memory");                                                             \
  }
#define LW_SIZES(geometry, boundary, parameters, one, four, ...)                                   \
  LW_ONE(geometry, boundary, "b8", unsigned char, unsigned short, "h", parameters, one,            \
         __VA_ARGS__)                                                                              \
  LW_ONE(geometry, boundary, "b16", unsigned short, unsigned short, "h", parameters, one,          \
         __VA_ARGS__)                                                                              \
  LW_ONE(geometry, boundary, "b32", unsigned int, unsigned int, "r", parameters, one, __VA_ARGS__) \
  LW_ONE(geometry, boundary, "b64", unsigned long long, unsigned long long, "l", parameters, one,  \
         __VA_ARGS__)                                                                              \
  LW_FOUR(geometry, boundary, parameters, four, __VA_ARGS__)

/* What programs call. `place` are the names of the parameters. */
#define LW_LIST(...) __VA_ARGS__
#define LW_BY_MODE(instruction, geometry, ...)                     \
  if (mode == cudaBoundaryModeClamp)                               \
    __lw_##instruction##_##geometry##_clamp(bits, s, __VA_ARGS__); \
  else if (mode == cudaBoundaryModeZero)                           \
    __lw_##instruction##_##geometry##_zero(bits, s, __VA_ARGS__);  \
  else                                                             \
    __lw_##instruction##_##geometry##_trap(bits, s, __VA_ARGS__);
#define LW_SURFACE(name, geometry, parameters, one, four, place, ...)               \
  LW_SIZES(geometry, trap, parameters, one, four, __VA_ARGS__)                      \
  LW_SIZES(geometry, clamp, parameters, one, four, __VA_ARGS__)                     \
  LW_SIZES(geometry, zero, parameters, one, four, __VA_ARGS__)                      \
  template <class T>                                                                \
  LW_DEVICE T name##read(cudaSurfaceObject_t s, LW_LIST parameters,                 \
                         cudaSurfaceBoundaryMode mode = cudaBoundaryModeTrap) {     \
    typename __lw_bits<sizeof(T)>::type bits;                                       \
    LW_BY_MODE(suld, geometry, LW_LIST place)                                       \
    T value;                                                                        \
    __builtin_memcpy(&value, &bits, sizeof value);                                  \
    return value;                                                                   \
  }                                                                                 \
  template <class T>                                                                \
  LW_DEVICE void name##read(T* to, cudaSurfaceObject_t s, LW_LIST parameters,       \
                            cudaSurfaceBoundaryMode mode = cudaBoundaryModeTrap) {  \
    *to = name##read<T>(s, LW_LIST place, mode);                                    \
  }                                                                                 \
  template <class T>                                                                \
  LW_DEVICE void name##write(T value, cudaSurfaceObject_t s, LW_LIST parameters,    \
                             cudaSurfaceBoundaryMode mode = cudaBoundaryModeTrap) { \
    typename __lw_bits<sizeof(T)>::type bits;                                       \
    __builtin_memcpy(&bits, &value, sizeof bits);                                   \
    LW_BY_MODE(sust, geometry, LW_LIST place)                                       \
  }
LW_SURFACE(surf1D, 1d, (int x), "{%2}", "{%5}", (x), "r"(x))
LW_SURFACE(surf2D, 2d, (int x, int y), "{%2, %3}", "{%5, %6}", (x, y), "r"(x), "r"(y))
LW_SURFACE(surf3D, 3d, (int x, int y, int z), "{%2, %3, %4, %4}", "{%5, %6, %7, %7}", (x, y, z),
           "r"(x), "r"(y), "r"(z))
LW_SURFACE(surf1DLayered, a1d, (int x, int layer), "{%3, %2}", "{%6, %5}", (x, layer), "r"(x),
           "r"(layer))
LW_SURFACE(surf2DLayered, a2d, (int x, int y, int layer), "{%4, %2, %3, %3}", "{%7, %5, %6, %6}",
           (x, y, layer), "r"(x), "r"(y), "r"(layer))
#undef LW_SURFACE
#undef LW_SIZES
#undef LW_FOUR
#undef LW_ONE
#undef LW_BY_MODE
#undef LW_LIST
