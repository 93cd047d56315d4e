#include <algorithm>

#include "softcuda/ir/layout.h"
#include "softcuda/ir/lower.h"

namespace longwire::softcuda::ir {
namespace {

constexpr std::uint32_t kMaxFunctionParameter = 0xffff;  // bytes: Operand::count

Parameter parameter_of(const ptx::Variable& variable, const ptx::Source& source, Errors& errors) {
  Parameter made;
  made.name = variable.name;
  if (variable.parameterised || variable.initial != nullptr) {
    errors.fail(source, variable.at, "malformed parameter " + ptx::quoted(variable.name));
    return made;
  }
  if (variable.space == "reg") {
    const auto type = register_type(variable, source, errors);
    made.type = type.value_or(Type::kB32);
    made.bytes = static_cast<std::uint32_t>(std::max(bits_of(made.type), 8)) / 8;
    made.reg = 0;  // in a register: which one, the body says
    return made;
  }
  const auto extent = extent_of(variable, source, errors);
  if (!extent) return made;
  if (extent->bytes > kMaxFunctionParameter) {
    errors.fail(source, variable.at, "parameter " + ptx::quoted(variable.name) + " is too large",
                base::ErrorCode::kLimit);
    return made;
  }
  made.bytes = static_cast<std::uint32_t>(extent->bytes);
  made.alignment = extent->alignment;
  const bool scalar = variable.dimensions.empty() && variable.vector == 1;
  made.type = scalar ? extent->element : Type::kNone;
  return made;
}

// One after another; how far they reach.
std::uint32_t place(std::vector<Parameter>& parameters, std::uint32_t offset) {
  for (auto& parameter : parameters) {
    if (parameter.reg != kNone) continue;
    parameter.offset = static_cast<std::uint32_t>(align_up(offset, parameter.alignment));
    offset = parameter.offset + parameter.bytes;
    if (offset > (1U << 30)) return offset;  // refused by the caller
  }
  return offset;
}

LaunchLimits limits_of(const ptx::LaunchLimits& from) {
  LaunchLimits limits;
  std::copy(std::begin(from.max_threads), std::end(from.max_threads), limits.max_threads);
  std::copy(std::begin(from.required_threads), std::end(from.required_threads),
            limits.required_threads);
  limits.max_registers = from.max_registers;
  limits.min_blocks = from.min_blocks;
  return limits;
}

}  // namespace

Function signature_of(const ptx::Function& declared, const ptx::Source& source, Errors& errors) {
  Function made;
  made.name = declared.name;
  made.kernel = declared.kernel;
  made.limits = limits_of(declared.limits);
  const auto all = [&](std::span<const ptx::Variable> variables, std::vector<Parameter>& to) {
    for (const auto& variable : variables)
      to.push_back(parameter_of(variable, source, errors));
  };
  if (declared.results.size() > kMaxParameters || declared.parameters.size() > kMaxParameters) {
    errors.fail(source, declared.at, "over 4096 parameters", base::ErrorCode::kLimit);
    return made;
  }
  all(declared.results, made.results);
  all(declared.parameters, made.parameters);
  const std::uint32_t after_results = place(made.results, 0);
  made.parameter_bytes = place(made.parameters, after_results);
  const std::uint32_t limit = made.kernel ? kMaxParameterBytes : kMaxLocalBytes;
  if (made.parameter_bytes > limit) {
    errors.fail(source, declared.at, "too many bytes of parameters", base::ErrorCode::kLimit);
  }
  if (!made.kernel) made.local_bytes = made.parameter_bytes;
  for (const auto& parameter : made.parameters) {
    if (!made.kernel) made.local_alignment = std::max(made.local_alignment, parameter.alignment);
    if (made.kernel && parameter.reg != kNone) {
      errors.fail(source, declared.at, "a kernel's parameters cannot be in registers");
    }
  }
  for (const auto& result : made.results) {
    made.local_alignment = std::max(made.local_alignment, result.alignment);
  }
  return made;
}

}  // namespace longwire::softcuda::ir
