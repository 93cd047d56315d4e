// Formats of arrays: the runtime describes channels by their bits, the driver by a format.
#pragma once

#include "cudart/api.h"

namespace longwire::cudart {

// Of one channel; 0 for formats of blocks and planes.
inline std::size_t bytes_of(CUarray_format format) noexcept {
  switch (format) {
    case CU_AD_FORMAT_UNSIGNED_INT8:
    case CU_AD_FORMAT_SIGNED_INT8:
      return 1;
    case CU_AD_FORMAT_UNSIGNED_INT16:
    case CU_AD_FORMAT_SIGNED_INT16:
    case CU_AD_FORMAT_HALF:
      return 2;
    case CU_AD_FORMAT_UNSIGNED_INT32:
    case CU_AD_FORMAT_SIGNED_INT32:
    case CU_AD_FORMAT_FLOAT:
      return 4;
    default:
      return 0;
  }
}

// 1, 2 or 4 channels of the same width.
inline bool to_driver(const cudaChannelFormatDesc& channels, CUarray_format& format,
                      unsigned int& count) noexcept {
  const int bits = channels.x;
  const int others[] = {channels.y, channels.z, channels.w};
  count = 1;
  while (count < 4 && others[count - 1] != 0) {
    if (others[count - 1] != bits) return false;
    ++count;
  }
  for (unsigned int i = count; i < 4; ++i)
    if (others[i - 1] != 0) return false;
  if (count == 3) return false;
  switch (channels.f) {
    case cudaChannelFormatKindSigned:
      format = bits == 8    ? CU_AD_FORMAT_SIGNED_INT8
               : bits == 16 ? CU_AD_FORMAT_SIGNED_INT16
                            : CU_AD_FORMAT_SIGNED_INT32;
      break;
    case cudaChannelFormatKindUnsigned:
      format = bits == 8    ? CU_AD_FORMAT_UNSIGNED_INT8
               : bits == 16 ? CU_AD_FORMAT_UNSIGNED_INT16
                            : CU_AD_FORMAT_UNSIGNED_INT32;
      break;
    case cudaChannelFormatKindFloat:
      format = bits == 16 ? CU_AD_FORMAT_HALF : CU_AD_FORMAT_FLOAT;
      break;
    default:
      return false;
  }
  return bytes_of(format) * 8 == static_cast<std::size_t>(bits);
}

inline cudaChannelFormatDesc to_runtime(CUarray_format format, unsigned int count) noexcept {
  const int bits = static_cast<int>(bytes_of(format)) * 8;
  cudaChannelFormatKind kind = cudaChannelFormatKindUnsigned;
  if (format == CU_AD_FORMAT_SIGNED_INT8 || format == CU_AD_FORMAT_SIGNED_INT16 ||
      format == CU_AD_FORMAT_SIGNED_INT32)
    kind = cudaChannelFormatKindSigned;
  if (format == CU_AD_FORMAT_HALF || format == CU_AD_FORMAT_FLOAT)
    kind = cudaChannelFormatKindFloat;
  return {bits, count > 1 ? bits : 0, count > 2 ? bits : 0, count > 3 ? bits : 0, kind};
}

}  // namespace longwire::cudart
