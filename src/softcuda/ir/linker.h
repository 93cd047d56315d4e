// Names across inputs: what is declared where, what defines it.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "softcuda/ir/context.h"
#include "softcuda/ir/ir.h"

namespace longwire::softcuda::ir {

class Linker {
 public:
  explicit Linker(std::span<const std::unique_ptr<ptx::Source>> sources);
  base::Result<std::unique_ptr<const Module>> run();

 private:
  using Names = std::unordered_map<std::string_view, ModuleName>;

  struct FunctionState {
    const ptx::Function* definition = nullptr;
    const ptx::Function* declaration = nullptr;  // any one, for messages
    std::size_t source = 0;
  };
  struct VariableState {
    const ptx::Variable* definition = nullptr;
    const ptx::Variable* declaration = nullptr;
    std::size_t source = 0;
  };

  void collect(std::size_t source);
  void collect_function(std::size_t source, const ptx::Function& function);
  void collect_variable(std::size_t source, const ptx::Variable& variable);
  void collect_texture(std::size_t source, const ptx::Variable& variable);
  void collect_alias(std::size_t source, const ptx::Alias& alias);
  void define_function(FunctionState& state, std::size_t source, const ptx::Function& function);
  void define_variable(VariableState& state, std::size_t source, const ptx::Variable& variable);
  // The name's meaning in `source`, or a new one; `fresh` says which.
  ModuleName& name_for(std::size_t source, std::string_view name, ptx::Linkage linkage,
                       ModuleName meant, bool& fresh);
  void make_signatures();
  void make_variable(VariableId id);
  void lower_bodies();
  void check_defined();
  void check_uses(const Uses& uses, const ptx::Source& source);
  void place_variables();

  std::span<const std::unique_ptr<ptx::Source>> sources_;
  std::unique_ptr<Module> module_;
  Errors errors_;
  Opcodes opcodes_;
  std::vector<Names> names_;  // of each input
  Names global_;
  std::vector<FunctionState> functions_;
  std::vector<VariableState> variables_;
  std::vector<Uses> uses_;
  std::uint64_t initial_budget_;
};

}  // namespace longwire::softcuda::ir
