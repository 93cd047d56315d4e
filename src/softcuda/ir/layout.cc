#include "softcuda/ir/layout.h"

#include <algorithm>
#include <bit>

#include "softcuda/ir/form.h"
#include "softcuda/ptx/constant.h"

namespace longwire::softcuda::ir {
namespace {

using ptx::quoted;

// What variables may be made of. PTX ISA, "Fundamental Types".
bool is_fundamental(Type type) {
  return (type >= Type::kPred && type <= Type::kS64) || type == Type::kF16 ||
         type == Type::kF16x2 || type == Type::kBF16 || type == Type::kBF16x2 ||
         type == Type::kF32 || type == Type::kF64;
}

std::optional<std::uint64_t> element_count(const ptx::Variable& variable) {
  std::uint64_t count = variable.vector;
  for (const auto dimension : variable.dimensions) {
    if (dimension != 0 && count > kMaxVariableBytes / dimension) return std::nullopt;
    count *= dimension;
  }
  return count;
}

// Round to nearest even; what is too large becomes infinite.
std::uint16_t half_of(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000);
  const std::uint32_t magnitude = bits & 0x7fff'ffff;
  if (magnitude > 0x7f80'0000) return static_cast<std::uint16_t>(sign | 0x7fff);
  if (magnitude >= 0x4780'0000) return static_cast<std::uint16_t>(sign | 0x7c00);
  if (magnitude < 0x3880'0000) {  // subnormal in f16: in units of 2^-24
    const float scaled = std::bit_cast<float>(magnitude) * 16777216.0F;
    auto units = static_cast<std::uint32_t>(scaled);
    const float rest = scaled - static_cast<float>(units);
    if (rest > 0.5F || (rest == 0.5F && (units & 1) != 0)) ++units;
    return static_cast<std::uint16_t>(sign | units);
  }
  const std::uint32_t rounded = magnitude + 0xfff + ((magnitude >> 13) & 1);
  return static_cast<std::uint16_t>(sign | ((rounded - 0x3800'0000) >> 13));
}

std::uint64_t real_bits(const ptx::Constant& constant, Type type) {
  const double value = ptx::real_value(constant);
  const auto single = static_cast<float>(value);
  switch (type) {
    case Type::kF64:
      return std::bit_cast<std::uint64_t>(value);
    case Type::kF16:
      return half_of(single);
    case Type::kBF16: {
      const auto bits = std::bit_cast<std::uint32_t>(single);
      return (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
    }
    default:
      if (constant.kind == ptx::Constant::Kind::kF32) return constant.bits;  // NaNs stay as written
      return std::bit_cast<std::uint32_t>(single);
  }
}

}  // namespace

std::uint8_t register_bits(Type type) noexcept {
  const int bits = bits_of(type);
  return static_cast<std::uint8_t>(bits == 8 ? 16 : bits);
}

std::optional<Type> register_type(const ptx::Variable& variable, const ptx::Source& source,
                                  Errors& errors) {
  const Type type = type_of_name(variable.type);
  if (is_fundamental(type) && variable.dimensions.empty()) return type;
  errors.fail(source, variable.at,
              variable.dimensions.empty()
                  ? "a register cannot have the type " + quoted(variable.type)
                  : "registers are no arrays: " + quoted(variable.name));
  return std::nullopt;
}

std::optional<Extent> extent_of(const ptx::Variable& variable, const ptx::Source& source,
                                Errors& errors) {
  Extent extent;
  extent.element = type_of_name(variable.type);
  if (!is_fundamental(extent.element) || extent.element == Type::kPred) {
    errors.fail(source, variable.at,
                "a variable in memory cannot have the type " + quoted(variable.type));
    return std::nullopt;
  }
  const auto element_bytes = static_cast<std::uint32_t>(bits_of(extent.element)) / 8;
  const auto count = element_count(variable);
  if (!count || *count > kMaxVariableBytes / element_bytes) {
    errors.fail(source, variable.at, "variable " + quoted(variable.name) + " is too large",
                base::ErrorCode::kLimit);
    return std::nullopt;
  }
  extent.bytes = *count * element_bytes;
  const std::uint64_t natural = std::uint64_t{element_bytes} * variable.vector;
  const std::uint64_t alignment = variable.alignment == 0 ? natural : variable.alignment;
  if (!std::has_single_bit(alignment) || alignment > kMaxAlignment) {
    errors.fail(source, variable.at,
                "alignment " + std::to_string(alignment) + " is not a power of two up to 65536");
    return std::nullopt;
  }
  extent.alignment = static_cast<std::uint32_t>(alignment);
  return extent;
}

std::optional<std::uint64_t> bits_as(const ptx::Constant& constant, Type type) noexcept {
  const int bits = bits_of(type);
  const std::uint64_t mask = bits >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
  if (type == Type::kPred) {
    if (constant.is_real()) return std::nullopt;
    return constant.bits != 0 ? 1 : 0;
  }
  if (!constant.is_real()) {
    // A pattern of a half is written as an integer; those of f32 and f64 are 0f and 0d.
    if (type == Type::kF32 || type == Type::kF64) return std::nullopt;
    return constant.bits & mask;
  }
  if (type == Type::kF16 || type == Type::kBF16 || type == Type::kF32 || type == Type::kF64) {
    return real_bits(constant, type);
  }
  const bool single = constant.kind == ptx::Constant::Kind::kF32;
  if (type == Type::kB32 && single) return constant.bits;
  if (type == Type::kB32) return real_bits(constant, Type::kF32);
  if (type == Type::kB64) return real_bits(constant, Type::kF64);
  return std::nullopt;
}

}  // namespace longwire::softcuda::ir
