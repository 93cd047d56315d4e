// What kernels.cl says in capitals, in OpenCL C. It is put before that text as it stands.
#define KERNEL __kernel void
#define FUNCTION
#define GLOBAL __global
#define SHARED __local
#define SHARED_POINTER __local
#define BARRIER() barrier(CLK_LOCAL_MEM_FENCE)
#define THREAD_X ((int)get_local_id(0))
#define THREAD_Y ((int)get_local_id(1))
#define GROUP_X ((int)get_group_id(0))
#define GROUP_Y ((int)get_group_id(1))
#define BLOCK_X ((int)get_local_size(0))
#define GRID_X ((int)get_num_groups(0))
#define GLOBAL_X ((int)get_global_id(0))
#define GLOBAL_Y ((int)get_global_id(1))
#define FLOAT4(x, y, z, w) ((float4)(x, y, z, w))
#define ATOMIC_ADD(where, value) atomic_add(where, value)
#define MUL_HIGH(a, b) mul_hi(a, b)
#define FMAX(a, b) fmax(a, b)
#define EXP(x) exp(x)
#define LOG(x) log(x)
#define SQRT(x) sqrt(x)
#define RSQRT(x) rsqrt(x)
#define ERFC(x) erfc(x)
