#include "softcuda/ir/linker.h"

#include <algorithm>

#include "softcuda/ir/initial.h"
#include "softcuda/ir/layout.h"
#include "softcuda/ir/link.h"
#include "softcuda/ir/lower.h"
#include "softcuda/ir/reach.h"

namespace longwire::softcuda::ir {
namespace {

using ptx::Linkage;
using ptx::quoted;

constexpr std::string_view kProvided[] = {"vprintf", "malloc", "free", "__assertfail",
                                          "cudaGraphSetConditional"};
constexpr std::size_t kMaxSources = 0xffff;  // Place::file
constexpr std::uint64_t kModuleAlignment = 256;

bool is_provided(std::string_view name) {
  return std::find(std::begin(kProvided), std::end(kProvided), name) != std::end(kProvided);
}

bool is_texture(const ptx::Variable& variable) {
  return variable.type == "texref" || variable.type == "samplerref" || variable.type == "surfref";
}

Space space_of(const ptx::Variable& variable) {
  if (variable.space.starts_with("shared")) return Space::kShared;
  return variable.space == "const" ? Space::kConst : Space::kGlobal;
}

}  // namespace

Linker::Linker(std::span<const std::unique_ptr<ptx::Source>> sources)
    : sources_(sources),
      module_(std::make_unique<Module>()),
      names_(sources.size()),
      initial_budget_(kMaxInitialBytes) {}

ModuleName& Linker::name_for(std::size_t source, std::string_view name, Linkage linkage,
                             ModuleName meant, bool& fresh) {
  const auto [own, is_new] = names_[source].emplace(name, meant);
  fresh = is_new;
  if (linkage == Linkage::kInternal) return own->second;
  // What the input has declared without a linkage before becomes known to the others now.
  const auto [shared, is_first] = global_.emplace(name, own->second);
  if (is_new) {
    fresh = is_first;
    own->second = shared->second;
  }
  return own->second;
}

void Linker::collect_function(std::size_t source, const ptx::Function& function) {
  bool fresh = false;
  const auto next = static_cast<FunctionId>(functions_.size());
  const ModuleName& name =
      name_for(source, function.name, function.linkage, {ModuleName::Kind::kFunction, next}, fresh);
  if (name.kind != ModuleName::Kind::kFunction) {
    return errors_.fail(*sources_[source], function.at,
                        quoted(function.name) + " is a variable elsewhere");
  }
  if (fresh) functions_.emplace_back();
  FunctionState& state = functions_[name.id];
  if (state.declaration != nullptr &&
      (state.declaration->kernel != function.kernel ||
       state.declaration->parameters.size() != function.parameters.size() ||
       state.declaration->results.size() != function.results.size())) {
    return errors_.fail(*sources_[source], function.at,
                        quoted(function.name) + " is declared differently elsewhere");
  }
  if (state.declaration == nullptr) {
    state.declaration = &function;
    state.source = source;
  }
  if (function.has_body) define_function(state, source, function);
}

// A strong definition takes the place of a weak one.
void Linker::define_function(FunctionState& state, std::size_t source,
                             const ptx::Function& function) {
  if (state.definition != nullptr && function.linkage == Linkage::kWeak) return;
  if (state.definition != nullptr && state.definition->linkage != Linkage::kWeak) {
    return errors_.fail(*sources_[source], function.at,
                        quoted(function.name) + " is defined twice");
  }
  state.definition = &function;
  state.source = source;
}

void Linker::collect_variable(std::size_t source, const ptx::Variable& variable) {
  if (variable.parameterised) {
    return errors_.fail(*sources_[source], variable.at, "parameterised names are for registers");
  }
  if (is_texture(variable)) return collect_texture(source, variable);
  bool fresh = false;
  const auto next = static_cast<VariableId>(variables_.size());
  const ModuleName& name =
      name_for(source, variable.name, variable.linkage, {ModuleName::Kind::kVariable, next}, fresh);
  if (name.kind != ModuleName::Kind::kVariable) {
    return errors_.fail(*sources_[source], variable.at,
                        quoted(variable.name) + " is something else elsewhere");
  }
  if (fresh) variables_.emplace_back();
  VariableState& state = variables_[name.id];
  if (state.declaration != nullptr && (space_of(*state.declaration) != space_of(variable))) {
    return errors_.fail(*sources_[source], variable.at,
                        quoted(variable.name) + " is declared differently elsewhere");
  }
  if (state.declaration == nullptr) {
    state.declaration = &variable;
    state.source = source;
  }
  if (variable.linkage != Linkage::kExtern) define_variable(state, source, variable);
}

void Linker::define_variable(VariableState& state, std::size_t source,
                             const ptx::Variable& variable) {
  const auto is_weak = [](const ptx::Variable& v) {
    return v.linkage == Linkage::kWeak || v.linkage == Linkage::kCommon;
  };
  if (state.definition != nullptr && is_weak(variable)) return;
  if (state.definition != nullptr && !is_weak(*state.definition)) {
    return errors_.fail(*sources_[source], variable.at,
                        quoted(variable.name) + " is defined twice");
  }
  state.definition = &variable;
  state.source = source;
}

void Linker::collect_texture(std::size_t source, const ptx::Variable& variable) {
  bool fresh = false;
  const auto next = static_cast<std::uint32_t>(module_->textures.size());
  name_for(source, variable.name, variable.linkage, {ModuleName::Kind::kTexture, next}, fresh);
  if (!fresh) {
    if (variable.linkage == Linkage::kExtern) return;
    return errors_.fail(*sources_[source], variable.at,
                        quoted(variable.name) + " is defined twice");
  }
  Texture texture;
  texture.name = variable.name;
  texture.kind = variable.type == "texref"       ? Texture::Kind::kTexture
                 : variable.type == "samplerref" ? Texture::Kind::kSampler
                                                 : Texture::Kind::kSurface;
  module_->textures.push_back(std::move(texture));
}

void Linker::collect_alias(std::size_t source, const ptx::Alias& alias) {
  const auto target = names_[source].find(alias.target);
  const bool fine =
      target != names_[source].end() && target->second.kind == ModuleName::Kind::kFunction;
  if (!fine) {
    return errors_.fail(*sources_[source], alias.at,
                        "there is no function " + quoted(alias.target));
  }
  const ModuleName meant = target->second;
  names_[source][alias.name] = meant;
  const auto declared = global_.find(alias.name);
  if (declared != global_.end()) declared->second = meant;
}

void Linker::collect(std::size_t source) {
  for (const auto* variable : sources_[source]->variables)
    collect_variable(source, *variable);
  for (const auto* function : sources_[source]->functions)
    collect_function(source, *function);
  for (const auto& alias : sources_[source]->aliases)
    collect_alias(source, alias);
}

void Linker::make_signatures() {
  for (const auto& state : functions_) {
    const auto& declared = state.definition != nullptr ? *state.definition : *state.declaration;
    Function made = signature_of(declared, *sources_[state.source], errors_);
    made.external = state.definition == nullptr && is_provided(made.name);
    module_->functions.push_back(std::move(made));
  }
  uses_.resize(functions_.size());
}

void Linker::make_variable(VariableId id) {
  const VariableState& state = variables_[id];
  const auto& declared = state.definition != nullptr ? *state.definition : *state.declaration;
  const auto& source = *sources_[state.source];
  Variable& made = module_->variables[id];
  const auto extent = extent_of(declared, source, errors_);
  if (!extent) return;
  made.name = declared.name;
  made.space = space_of(declared);
  made.type = extent->element;
  made.bytes = extent->bytes;
  made.alignment = extent->alignment;
  made.managed = declared.managed;
  made.visible = declared.linkage != Linkage::kInternal;
  if (made.space == Space::kShared) {
    if (declared.initial != nullptr)
      errors_.fail(source, declared.at, ".shared has no initialiser");
    if (state.definition == nullptr && declared.flexible) made.bytes = 0;
    return;
  }
  const auto& names = names_[state.source];
  initialise(declared, *extent,
             {source, errors_, initial_budget_,
              [&names](std::string_view name) -> std::optional<ModuleName> {
                const auto found = names.find(name);
                if (found == names.end()) return std::nullopt;
                return found->second;
              }},
             made);
}

void Linker::lower_bodies() {
  for (FunctionId id = 0; id < functions_.size() && errors_.ok(); ++id) {
    const FunctionState& state = functions_[id];
    if (state.definition == nullptr) continue;
    Function made = module_->functions[id];
    const Context context{*module_,
                          errors_,
                          opcodes_,
                          *sources_[state.source],
                          static_cast<std::uint16_t>(state.source),
                          initial_budget_,
                          names_[state.source]};
    FunctionLowering(context, *state.definition, made, uses_[id]).run();
    check_uses(uses_[id], *sources_[state.source]);
    module_->functions[id] = std::move(made);
  }
}

// Whatever a body names must be defined somewhere, or be the machine's.
void Linker::check_uses(const Uses& uses, const ptx::Source& source) {
  const auto check = [&](FunctionId id) {
    const auto& state = functions_[id];
    if (state.definition != nullptr || module_->functions[id].external) return;
    errors_.fail(source, state.declaration->at,
                 "unresolved extern function " + quoted(state.declaration->name),
                 base::ErrorCode::kNotFound);
  };
  std::for_each(uses.calls.begin(), uses.calls.end(), check);
  std::for_each(uses.addresses.begin(), uses.addresses.end(), check);
}

void Linker::check_defined() {
  for (VariableId id = 0; id < variables_.size(); ++id) {
    const auto& state = variables_[id];
    const bool dynamic = space_of(*state.declaration) == Space::kShared;
    if (state.definition != nullptr || dynamic) continue;
    errors_.fail(*sources_[state.source], state.declaration->at,
                 "unresolved extern variable " + quoted(state.declaration->name),
                 base::ErrorCode::kNotFound);
  }
}

void Linker::place_variables() {
  for (auto& variable : module_->variables) {
    if (variable.space == Space::kShared) continue;
    auto& used = variable.space == Space::kConst ? module_->const_bytes : module_->global_bytes;
    variable.offset = align_up(used, variable.alignment);
    used = variable.offset + variable.bytes;
    if (used > kMaxVariableBytes) {
      errors_.fail(base::Error(base::ErrorCode::kLimit, "the module's variables are too large"));
      return;
    }
  }
  module_->const_bytes = align_up(module_->const_bytes, kModuleAlignment);
  module_->global_bytes = align_up(module_->global_bytes, kModuleAlignment);
}

base::Result<std::unique_ptr<const Module>> Linker::run() {
  if (sources_.empty() || sources_.size() > kMaxSources) {
    return base::Error(base::ErrorCode::kLimit, "1 to 65535 inputs can be linked");
  }
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    module_->ptx_version = std::max(module_->ptx_version, sources_[i]->version);
    module_->target = std::max(module_->target, sources_[i]->target);
    collect(i);
  }
  if (!errors_.ok()) return errors_.take();
  check_defined();
  make_signatures();
  module_->variables.resize(variables_.size());
  for (VariableId id = 0; id < variables_.size(); ++id)
    make_variable(id);
  lower_bodies();
  place_variables();
  if (!errors_.ok()) return errors_.take();
  LW_TRY(place_shared(*module_, uses_));
  return std::unique_ptr<const Module>(std::move(module_));
}

base::Result<std::unique_ptr<const Module>> link(
    std::span<const std::unique_ptr<ptx::Source>> sources) {
  return Linker(sources).run();
}

}  // namespace longwire::softcuda::ir
