/* cudaProfilerStart() and cudaProfilerStop(), a header of their own by tradition. */
#ifndef LONGWIRE_CUDA_PROFILER_API_H
#define LONGWIRE_CUDA_PROFILER_API_H

#include "cuda_runtime_api.h"

#endif
