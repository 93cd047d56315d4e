/* The CUDA runtime API for C and C++: types and functions. */
#ifndef LONGWIRE_CUDA_RUNTIME_API_H
#define LONGWIRE_CUDA_RUNTIME_API_H
#define __CUDA_RUNTIME_API_H__ /* what programs ask for */

#include "driver_types.h"

struct cudaLaunchParams; /* of 12: launches on several devices at once */

/* Made of functions.def. */
#include "cudart_functions.h"

#endif
