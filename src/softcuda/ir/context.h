// What lowering a function must know of the modules around it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "softcuda/ir/ir.h"
#include "softcuda/ir/opcode.h"
#include "softcuda/ptx/error.h"
#include "softcuda/ptx/tree.h"

namespace longwire::softcuda::ir {

// A name at module level.
struct ModuleName {
  enum class Kind : std::uint8_t { kFunction, kVariable, kTexture };
  Kind kind = Kind::kFunction;
  std::uint32_t id = 0;
};

// What lower() notes beside the function itself: for placing shared memory and depths of calls.
struct Uses {
  std::vector<FunctionId> calls;
  std::vector<FunctionId> addresses;  // of functions that were taken
  std::vector<VariableId> shared;     // variables in shared memory
  bool indirect = false;
};

// The first error of a link is kept; what comes after it does not matter.
class Errors {
 public:
  bool ok() const noexcept { return !first_; }
  void fail(const ptx::Source& source, ptx::At at, std::string_view message,
            base::ErrorCode code = base::ErrorCode::kInvalidArgument) {
    if (!first_) first_ = ptx::error_at(source, at, message, code);
  }
  void fail(base::Error error) {
    if (!first_) first_ = std::move(error);
  }
  base::Error&& take() { return std::move(*first_); }

 private:
  std::optional<base::Error> first_;
};

struct Context {
  Module& module;
  Errors& errors;
  Opcodes& opcodes;
  const ptx::Source& source;
  std::uint16_t file;
  std::uint64_t& initial_budget;  // bytes of initialisers that the link may still make
  const std::unordered_map<std::string_view, ModuleName>& names;  // of this input
};

}  // namespace longwire::softcuda::ir
