/* How these headers define a function. __nv_… are C functions that clang's headers have declared;
   inline, so that only what is used is in the PTX. */
#pragma once

#define LW_C extern "C" inline __attribute__((device, always_inline))
#define LW_C_LARGE extern "C" inline __attribute__((device))
#define LW_DEVICE static inline __attribute__((device, always_inline))
