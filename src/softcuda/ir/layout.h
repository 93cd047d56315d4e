// Sizes and places of variables and parameters.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "softcuda/ir/context.h"
#include "softcuda/ir/ir.h"
#include "softcuda/ptx/tree.h"

namespace longwire::softcuda::ir {

inline constexpr std::uint64_t kMaxVariableBytes = std::uint64_t{1} << 36;
inline constexpr std::uint32_t kMaxAlignment = 1 << 16;
inline constexpr std::uint32_t kMaxLocalBytes = 512 << 10;    // of a thread, as CUDA has it
inline constexpr std::uint32_t kMaxParameterBytes = 32764;    // of a kernel, the same
inline constexpr std::size_t kMaxParameters = 4096;           // of a function
inline constexpr std::uint64_t kMaxFrameBytes = 64 << 20;     // registers of a warp
inline constexpr std::size_t kMaxBranchTargets = 1 << 22;     // of brx.idx, in a function
inline constexpr std::uint64_t kMaxInitialBytes = 256 << 20;  // of one link

constexpr std::uint64_t align_up(std::uint64_t value, std::uint64_t alignment) noexcept {
  return (value + alignment - 1) / alignment * alignment;
}

struct Extent {
  Type element = Type::kB8;
  std::uint64_t bytes = 0;
  std::uint32_t alignment = 1;
};

// Of a variable in memory; nullopt after an error (its type, size or alignment is impossible).
std::optional<Extent> extent_of(const ptx::Variable& variable, const ptx::Source& source,
                                Errors& errors);

// A register's type: nullopt after an error.
std::optional<Type> register_type(const ptx::Variable& variable, const ptx::Source& source,
                                  Errors& errors);
std::uint8_t register_bits(Type type) noexcept;

// The bits of a constant as an operand or element of `type`; nullopt: it does not fit its kind.
std::optional<std::uint64_t> bits_as(const ptx::Constant& constant, Type type) noexcept;

}  // namespace longwire::softcuda::ir
