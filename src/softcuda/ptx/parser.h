// PTX text (ISA 6.0 to 9.0) to a syntax tree.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "softcuda/ptx/tree.h"

namespace longwire::softcuda::ptx {

inline constexpr std::size_t kMaxTextBytes = std::size_t{256} << 20;
inline constexpr int kMaxNesting = 32;  // of operands, initialisers, constant expressions
inline constexpr std::uint32_t kMinVersion = 60;
inline constexpr std::uint32_t kMaxVersion = 90;

// `name` is for messages: "ptx input 1". The first error ends it: its message has the line, the
// column and the text of the line.
base::Result<std::unique_ptr<Source>> parse(std::string name, std::string text);

}  // namespace longwire::softcuda::ptx
