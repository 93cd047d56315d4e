/* What device code may call, for clang's CUDA C++ without a toolkit. The names come from clang's
   own headers (its resource folder); what those expect of NVIDIA's libdevice and headers is here.
 */
#ifndef LONGWIRE_DEVICE_BUILTINS_H
#define LONGWIRE_DEVICE_BUILTINS_H
#if defined(__CUDA__) && defined(__clang__)

/* Must come before <cmath>: device overloads of its functions. */
#include <__clang_cuda_math_forward_declares.h>
#ifndef __CUDACC__
#define __CUDACC__ 1
#endif

#include <climits>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>

/* libstdc++'s take names from std, so that they cannot come after what is added there. */
#include <math.h>
#include <stdlib.h>

#include "vector_functions.h"

#include <__clang_cuda_builtin_vars.h>

/* clang's headers ask which toolkit they complete: of 9.1 they call libdevice for the SIMD
   functions, of later ones they write video instructions, which no processor has any more. */
#pragma push_macro("CUDA_VERSION")
#undef CUDA_VERSION
#define CUDA_VERSION 9010

#include <__clang_cuda_libdevice_declares.h>

#include <__clang_cuda_device_functions.h>
#include <__clang_cuda_math.h>

#include "device/addresses.h"
#include "device/system_calls.h"

#include <new>

#define LW_BUILTIN_VARIABLE(type)                                                              \
  __device__ inline __cuda_builtin_##type##_t::operator dim3() const { return dim3(x, y, z); } \
  __device__ inline __cuda_builtin_##type##_t::operator uint3() const { return {x, y, z}; }
LW_BUILTIN_VARIABLE(threadIdx)
LW_BUILTIN_VARIABLE(blockIdx)
LW_BUILTIN_VARIABLE(blockDim)
LW_BUILTIN_VARIABLE(gridDim)
#undef LW_BUILTIN_VARIABLE

#include <__clang_cuda_cmath.h>

#undef CUDA_VERSION
#define CUDA_VERSION 13000
typedef unsigned int cuuint32_t;

/* clang 19 calls these with the mask first; they take it last. */
#if __clang_major__ < 20
#define __nvvm_redux_sync_add(mask, value) __nvvm_redux_sync_add(value, mask)
#define __nvvm_redux_sync_min(mask, value) __nvvm_redux_sync_min(value, mask)
#define __nvvm_redux_sync_max(mask, value) __nvvm_redux_sync_max(value, mask)
#define __nvvm_redux_sync_umin(mask, value) __nvvm_redux_sync_umin(value, mask)
#define __nvvm_redux_sync_umax(mask, value) __nvvm_redux_sync_umax(value, mask)
#define __nvvm_redux_sync_and(mask, value) __nvvm_redux_sync_and(value, mask)
#define __nvvm_redux_sync_or(mask, value) __nvvm_redux_sync_or(value, mask)
#define __nvvm_redux_sync_xor(mask, value) __nvvm_redux_sync_xor(value, mask)
#endif
#include <__clang_cuda_intrinsics.h>
#undef __nvvm_redux_sync_add
#undef __nvvm_redux_sync_min
#undef __nvvm_redux_sync_max
#undef __nvvm_redux_sync_umin
#undef __nvvm_redux_sync_umax
#undef __nvvm_redux_sync_and
#undef __nvvm_redux_sync_or
#undef __nvvm_redux_sync_xor

#pragma pop_macro("CUDA_VERSION") /* it is for cuda.h to say */

#include "device/arithmetic.h"
#include "device/atomics.h"
#include "device/conversions.h"
#include "device/memory_access.h"
#include "device/overloads.h"
#include "device/rounding.h"
#include "device/surfaces.h"
#include "device/textures.h"

/* Of what is above. */
#include "device/dynamic_programming.h"
#include "device/elementary_float.h"
#include "device/error_function.h"
#include "device/ordered_atomics.h"
#include "device/parts.h"
#include "device/simd.h"

#endif
#endif
