// LZ4 blocks and ZSTD frames, as fat binaries have them.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "softcuda/fatbin/fatbin.h"

namespace longwire::softcuda::fatbin {

// `bytes` is what should come out; memory grows with what does. kInvalidArgument: something else.
base::Result<std::string> decompress(std::span<const std::byte> packed, Compression compression,
                                     std::size_t bytes);
// REQUIRES: plain.size() <= kMaxPtxBytes.
std::vector<std::byte> compress(std::span<const std::byte> plain, Compression compression);

}  // namespace longwire::softcuda::fatbin
