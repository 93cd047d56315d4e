/* CUDA runtime API in C++: cudaCreateChannelDesc<float4>() and its like. */
#ifndef LONGWIRE_CUDART_CHANNELS_H
#define LONGWIRE_CUDART_CHANNELS_H

#include "array.h"
#include "vector_types.h"

template <class T>
inline struct cudaChannelFormatDesc cudaCreateChannelDesc() {
  return cudaCreateChannelDesc(0, 0, 0, 0, cudaChannelFormatKindNone);
}

#define LW_CHANNEL(type, bits, count, kind)                                            \
  template <>                                                                          \
  inline struct cudaChannelFormatDesc cudaCreateChannelDesc<type>() {                  \
    return cudaCreateChannelDesc(bits, (count) > 1 ? bits : 0, (count) > 2 ? bits : 0, \
                                 (count) > 3 ? bits : 0, kind);                        \
  }
#define LW_CHANNELS(scalar, vector, bits, kind) \
  LW_CHANNEL(scalar, bits, 1, kind)             \
  LW_CHANNEL(vector##1, bits, 1, kind)          \
  LW_CHANNEL(vector##2, bits, 2, kind)          \
  LW_CHANNEL(vector##4, bits, 4, kind)
LW_CHANNEL(char, 8, 1, cudaChannelFormatKindSigned)
LW_CHANNELS(signed char, char, 8, cudaChannelFormatKindSigned)
LW_CHANNELS(unsigned char, uchar, 8, cudaChannelFormatKindUnsigned)
LW_CHANNELS(short, short, 16, cudaChannelFormatKindSigned)
LW_CHANNELS(unsigned short, ushort, 16, cudaChannelFormatKindUnsigned)
LW_CHANNELS(int, int, 32, cudaChannelFormatKindSigned)
LW_CHANNELS(unsigned int, uint, 32, cudaChannelFormatKindUnsigned)
LW_CHANNELS(float, float, 32, cudaChannelFormatKindFloat)
#undef LW_CHANNELS
#undef LW_CHANNEL

#endif
