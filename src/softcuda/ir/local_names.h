// Names inside a function, with blocks that shadow. Registers of a parameterised declaration
// (%r<1000>) come into being when they are first used.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "softcuda/ir/ir.h"

namespace longwire::softcuda::ir {

struct Symbol {
  enum class Kind : std::uint8_t {
    kRegister,         // id
    kRegisterVector,   // id: the first of `width`
    kFrame,            // id: offset in the local frame (.local, .param of functions and calls)
    kKernelParameter,  // id: offset in the parameter block
    kVariable,         // id: VariableId, of a function's own .shared, .global or .const
    kBranchTargets,    // id: of the function's lists of labels
    kCallTargets,      // id: the same of functions
    kPrototype,        // id: in Module::prototypes
  };
  Kind kind = Kind::kRegister;
  std::uint8_t width = 1;
  bool parameter = false;  // kFrame: .param
  Type type = Type::kNone;
  std::uint32_t id = 0;
  std::uint32_t bytes = 0;
};

struct RegisterRange {
  Type type = Type::kNone;
  std::uint64_t count = 0;
  std::uint32_t depth = 0;
  std::vector<RegisterId> low;  // kNone: not used yet
  std::unordered_map<std::uint64_t, RegisterId> high;

  RegisterId& at(std::uint64_t number);
};

class LocalNames {
 public:
  static constexpr std::uint32_t kMaxDepth = 256;

  std::uint32_t depth() const noexcept { return static_cast<std::uint32_t>(starts_.size()); }
  void open();
  void close();

  // False: the block has such a name already.
  bool declare(std::string_view name, const Symbol& symbol);
  bool declare_range(std::string_view prefix, Type type, std::uint64_t count);

  struct Found {
    const Symbol* symbol = nullptr;
    RegisterRange* range = nullptr;  // of which `number` is meant
    std::uint64_t number = 0;
  };
  Found find(std::string_view name);

 private:
  struct Entry {
    std::string_view name;
    std::uint32_t depth;
    Symbol symbol;
  };
  std::unordered_map<std::string_view, std::vector<Entry>> symbols_;
  std::unordered_map<std::string_view, std::vector<RegisterRange>> ranges_;
  std::vector<std::string_view> declared_;         // in order, to be undone
  std::vector<std::string_view> declared_ranges_;  // the same
  struct Start {
    std::size_t symbols, ranges;
  };
  std::vector<Start> starts_;
};

}  // namespace longwire::softcuda::ir
