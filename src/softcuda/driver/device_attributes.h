// What a device answers to cuDeviceGetAttribute.
#pragma once

#include <optional>

#include "softcuda/driver/driver.h"

namespace longwire::softcuda::driver {

// std::nullopt: there is no such attribute.
std::optional<int> device_attribute(const Driver& driver, const Device& device,
                                    CUdevice_attribute attribute);

inline constexpr int kMaxBlocksPerMultiprocessor = 16;
inline constexpr int kMaxThreadsPerMultiprocessor = 2048;
inline constexpr int kRegistersPerBlock = 65536;
inline constexpr int kSharedBytesPerBlock = 48 << 10;  // without asking for more
inline constexpr int kConstantBytes = 64 << 10;

}  // namespace longwire::softcuda::driver
