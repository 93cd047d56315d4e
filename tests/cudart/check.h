// How these programs judge.
#pragma once

#include <cstdio>
#include <cstdlib>

#define CHECK(condition)                                                  \
  do {                                                                    \
    if (!(condition)) {                                                   \
      std::printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
      std::exit(1);                                                       \
    }                                                                     \
  } while (false)

#define EXPECT_ERROR(wanted, call)                                        \
  do {                                                                    \
    const cudaError_t error_ = (call);                                    \
    if (error_ != (wanted)) {                                             \
      std::printf("%s:%d: %s is %s, not %s\n", __FILE__, __LINE__, #call, \
                  cudaGetErrorName(error_), cudaGetErrorName(wanted));    \
      std::exit(1);                                                       \
    }                                                                     \
  } while (false)

#define OK(call) EXPECT_ERROR(cudaSuccess, call)
