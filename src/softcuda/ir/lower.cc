#include "softcuda/ir/lower.h"

#include <algorithm>

#include "softcuda/ir/initial.h"
#include "softcuda/ir/layout.h"

namespace longwire::softcuda::ir {

using ptx::quoted;

FunctionLowering::FunctionLowering(Context context, const ptx::Function& declared, Function& out,
                                   Uses& uses)
    : context_(context), declared_(declared), out_(out), uses_(uses) {}

void FunctionLowering::fail(ptx::At at, std::string_view message) {
  context_.errors.fail(context_.source, at, message);
}

void FunctionLowering::unsupported(ptx::At at, std::string_view message) {
  context_.errors.fail(context_.source, at, message, base::ErrorCode::kUnsupported);
}

Place FunctionLowering::place_of(ptx::At at) noexcept {
  const auto place = context_.source.line_of(at);
  return {place.line, static_cast<std::uint16_t>(std::min<std::uint32_t>(place.column, 0xffff)),
          context_.file};
}

void FunctionLowering::run() {
  find_labels();
  local_.open();
  declare_parameters();
  local_.open();  // a body may shadow its parameters
  out_.blocks.emplace_back();
  text_block_ = 0;
  next_text_block_ = 1;
  for (const auto& statement : declared_.body) {
    if (!context_.errors.ok()) return;
    this->statement(statement);
  }
  if (!context_.errors.ok()) return;
  end_function();
  resolve_labels();
  place_registers();
}

RegisterId FunctionLowering::new_register(std::string name, Type type) {
  Register made;
  made.name = std::move(name);
  made.bits = register_bits(type);
  out_.registers.push_back(std::move(made));
  register_types_.push_back(type);
  return static_cast<RegisterId>(out_.registers.size() - 1);
}

RegisterId FunctionLowering::temporary(Type type) {
  return new_register("%longwire" + std::to_string(out_.registers.size()), type);
}

std::uint32_t FunctionLowering::take_frame(std::uint64_t bytes, std::uint32_t alignment,
                                           ptx::At at) {
  const auto offset = align_up(frame_used_, alignment);
  if (bytes > kMaxLocalBytes || offset + bytes > kMaxLocalBytes) {
    context_.errors.fail(context_.source, at, "over 512 KiB of local memory",
                         base::ErrorCode::kLimit);
    return 0;
  }
  frame_used_ = static_cast<std::uint32_t>(offset + bytes);
  out_.local_bytes = std::max(out_.local_bytes, frame_used_);
  out_.local_alignment = std::max(out_.local_alignment, alignment);
  return static_cast<std::uint32_t>(offset);
}

void FunctionLowering::declare_name(std::string_view name, ptx::At at, const Symbol& symbol) {
  if (!local_.declare(name, symbol)) fail(at, quoted(name) + " is declared twice");
}

void FunctionLowering::declare_parameters() {
  const auto all = [&](std::span<const ptx::Variable> variables, std::vector<Parameter>& places) {
    for (std::size_t i = 0; i < variables.size(); ++i)
      declare_parameter(variables[i], places[i]);
  };
  all(declared_.results, out_.results);
  all(declared_.parameters, out_.parameters);
  frame_used_ = out_.local_bytes;
}

void FunctionLowering::declare_parameter(const ptx::Variable& variable, Parameter& parameter) {
  Symbol symbol;
  symbol.type = parameter.type;
  symbol.bytes = parameter.bytes;
  symbol.parameter = true;
  symbol.id = parameter.offset;
  symbol.kind = out_.kernel ? Symbol::Kind::kKernelParameter : Symbol::Kind::kFrame;
  if (variable.space == "reg") {
    symbol.kind = Symbol::Kind::kRegister;
    symbol.id = parameter.reg = new_register(std::string(variable.name), parameter.type);
  }
  declare_name(variable.name, variable.at, symbol);
}

void FunctionLowering::declare(const ptx::Variable& variable) {
  if (variable.space == "reg") {
    const auto type = register_type(variable, context_.source, context_.errors);
    if (type) declare_registers(variable, *type);
  } else if (variable.space == "local" || variable.space == "param") {
    declare_frame(variable, variable.space == "param");
  } else if (variable.space.starts_with("shared")) {
    declare_module_variable(variable, Space::kShared);
  } else if (variable.space == "global" || variable.space == "const") {
    declare_module_variable(variable, variable.space == "global" ? Space::kGlobal : Space::kConst);
  } else {
    unsupported(variable.at, "variables in ." + std::string(variable.space) + " are not supported");
  }
}

void FunctionLowering::declare_registers(const ptx::Variable& variable, Type type) {
  if (variable.parameterised) {
    if (variable.vector != 1) return unsupported(variable.at, "parameterised vectors of registers");
    if (!local_.declare_range(variable.name, type, variable.count)) {
      fail(variable.at, quoted(variable.name) + " is declared twice");
    }
    return;
  }
  Symbol symbol;
  symbol.type = type;
  symbol.width = variable.vector;
  symbol.kind = symbol.width == 1 ? Symbol::Kind::kRegister : Symbol::Kind::kRegisterVector;
  symbol.id = static_cast<std::uint32_t>(out_.registers.size());
  for (int i = 0; i < symbol.width; ++i)
    new_register(std::string(variable.name), type);
  declare_name(variable.name, variable.at, symbol);
}

void FunctionLowering::declare_frame(const ptx::Variable& variable, bool parameter) {
  if (variable.parameterised || variable.initial != nullptr) {
    return unsupported(variable.at, "parameterised or initialised variables here");
  }
  const auto extent = extent_of(variable, context_.source, context_.errors);
  if (!extent) return;
  Symbol symbol;
  symbol.kind = Symbol::Kind::kFrame;
  symbol.parameter = parameter;
  symbol.type = extent->element;
  symbol.bytes = static_cast<std::uint32_t>(std::min<std::uint64_t>(extent->bytes, kMaxLocalBytes));
  symbol.id = take_frame(extent->bytes, extent->alignment, variable.at);
  declare_name(variable.name, variable.at, symbol);
}

// A function's own variable in a space of the module: it lives as long as the module.
void FunctionLowering::declare_module_variable(const ptx::Variable& variable, Space space) {
  if (variable.parameterised) return unsupported(variable.at, "parameterised variables");
  const auto extent = extent_of(variable, context_.source, context_.errors);
  if (!extent) return;
  Variable made;
  made.name = variable.name;
  made.space = space;
  made.type = extent->element;
  made.bytes = extent->bytes;
  made.alignment = extent->alignment;
  made.managed = variable.managed;
  if (space == Space::kShared) {
    if (variable.initial != nullptr) fail(variable.at, ".shared has no initialiser");
  } else {
    const auto find = [this](std::string_view name) { return find_module_name(name); };
    initialise(variable, *extent, {context_.source, context_.errors, context_.initial_budget, find},
               made);
  }
  Symbol symbol;
  symbol.kind = Symbol::Kind::kVariable;
  symbol.type = extent->element;
  symbol.id = static_cast<std::uint32_t>(context_.module.variables.size());
  context_.module.variables.push_back(std::move(made));
  declare_name(variable.name, variable.at, symbol);
}

// For initialisers: the function's own variables, then the module's.
std::optional<ModuleName> FunctionLowering::find_module_name(std::string_view name) {
  const auto own = local_.find(name);
  if (own.symbol != nullptr && own.symbol->kind == Symbol::Kind::kVariable) {
    return ModuleName{ModuleName::Kind::kVariable, own.symbol->id};
  }
  const auto found = context_.names.find(name);
  if (found == context_.names.end()) return std::nullopt;
  return found->second;
}

}  // namespace longwire::softcuda::ir
