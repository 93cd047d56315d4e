// What kernels.cl says in capitals, in CUDA C++.
#pragma once

#define KERNEL extern "C" __global__ void
#define FUNCTION static __device__
#define GLOBAL
#define SHARED __shared__
#define SHARED_POINTER
#define BARRIER() __syncthreads()
#define THREAD_X static_cast<int>(threadIdx.x)
#define THREAD_Y static_cast<int>(threadIdx.y)
#define GROUP_X static_cast<int>(blockIdx.x)
#define GROUP_Y static_cast<int>(blockIdx.y)
#define BLOCK_X static_cast<int>(blockDim.x)
#define GRID_X static_cast<int>(gridDim.x)
#define GLOBAL_X static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x)
#define GLOBAL_Y static_cast<int>(blockIdx.y * blockDim.y + threadIdx.y)
#define FLOAT4(x, y, z, w) make_float4(x, y, z, w)
#define ATOMIC_ADD(where, value) atomicAdd(where, static_cast<unsigned>(value))
#define MUL_HIGH(a, b) __umulhi(a, b)
#define FMAX(a, b) fmaxf(a, b)
#define EXP(x) expf(x)
#define LOG(x) logf(x)
#define SQRT(x) sqrtf(x)
#define RSQRT(x) rsqrtf(x)
#define ERFC(x) erfcf(x)
