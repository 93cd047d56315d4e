/* The CUDA runtime API as CUDA C++ programs see it: functions that know their types, and in device
   code the built-in variables and functions. */
#ifndef LONGWIRE_CUDA_RUNTIME_H
#define LONGWIRE_CUDA_RUNTIME_H
#define __CUDA_RUNTIME_H__ /* what programs ask for */

#include "cuda_runtime_api.h"
#include "driver_functions.h"
#include "vector_functions.h"
#if defined(__CUDA__) && defined(__clang__)
#include "device_builtins.h"
#include "runtime/host_math.h"
#endif
#ifdef __cplusplus
#include "runtime/channels.h"
#include "runtime/templates.h"
#endif

#endif
