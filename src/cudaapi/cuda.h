/* The CUDA driver API, version 13.0, in our own declarations: names, values and layouts are those
   of the API reference, so that programs compile with this or with a toolkit's header alike. */
#ifndef LONGWIRE_CUDA_H
#define LONGWIRE_CUDA_H
#define __cuda_cuda_h__ /* what programs ask for */

#define CUDA_VERSION 13000

#ifndef CUDAAPI
#define CUDAAPI
#endif
#ifndef CUDA_CB
#define CUDA_CB
#endif

#include "cuda_device.h"
#include "cuda_graph.h"
#include "cuda_tools.h"
/* Made of functions.def: prototypes, and names without version to the newest symbol. */
#include "cudaapi/cuda_functions.h"

#endif
