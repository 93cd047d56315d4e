// Texture and surface objects, and the formats of their elements.
#pragma once

#include <optional>

#include "softcuda/driver/driver.h"
#include "softcuda/machine/texture.h"

namespace longwire::softcuda::driver {

// nullopt: a format that there is not.
std::optional<machine::TexelFormat> texel_format(CUarray_format format) noexcept;
constexpr bool is_channel_count(unsigned int channels) noexcept {
  return channels == 1 || channels == 2 || channels == 4;
}
// An element of a format that there is not is an error: CUDA_ERROR_INVALID_VALUE for what is no
// format, CUDA_ERROR_NOT_SUPPORTED for one that this device lacks.
CUresult element_bytes(CUarray_format format, unsigned int channels, std::size_t* bytes) noexcept;

void destroy_textures_of(Device& device, CUcontext context);

}  // namespace longwire::softcuda::driver
