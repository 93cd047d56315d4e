#include "softcuda/ir/reach.h"

#include <algorithm>

#include "softcuda/ir/layout.h"

namespace longwire::softcuda::ir {
namespace {

constexpr std::uint32_t kDynamicAlignment = 16;

class Reach {
 public:
  Reach(Module& module, std::span<const Uses> uses) : module_(module), uses_(uses) {}

  base::Status run() {
    find_addresses();
    find_depths();
    users_.resize(module_.variables.size());
    for (FunctionId id = 0; id < module_.functions.size(); ++id) {
      if (module_.functions[id].kernel) LW_TRY(visit(id));
    }
    return place();
  }

 private:
  void find_addresses() {
    std::vector<bool> known(module_.functions.size());
    const auto add = [&](FunctionId id) {
      if (!known[id]) addresses_.push_back(id);
      known[id] = true;
    };
    for (const auto& uses : uses_)
      std::for_each(uses.addresses.begin(), uses.addresses.end(), add);
    for (const auto& variable : module_.variables) {
      for (const auto& relocation : variable.relocations) {
        if (relocation.function) add(relocation.id);
      }
    }
  }

  // Depth first with a stack of our own: a hostile text calls as deep as it is long.
  void find_depths() {
    enum : std::uint8_t { kNew, kOpen, kDone };
    std::vector<std::uint8_t> states(module_.functions.size(), kNew);
    std::vector<std::pair<FunctionId, std::size_t>> stack;
    for (FunctionId root = 0; root < states.size(); ++root) {
      if (states[root] != kNew) continue;
      stack.emplace_back(root, 0);
      states[root] = kOpen;
      while (!stack.empty()) {
        auto& [id, next] = stack.back();
        auto& depth = module_.functions[id].call_depth;
        if (next == 0 && uses_[id].indirect) depth = kNone;
        if (next == uses_[id].calls.size()) {
          states[id] = kDone;
          stack.pop_back();
          continue;
        }
        const FunctionId callee = uses_[id].calls[next];
        if (states[callee] == kNew) {
          states[callee] = kOpen;
          stack.emplace_back(callee, 0);
          continue;  // and look at it again when it is done
        }
        ++next;
        const auto below = states[callee] == kOpen ? kNone : module_.functions[callee].call_depth;
        depth = depth == kNone || below == kNone ? kNone : std::max(depth, below + 1);
      }
    }
  }

  // Everything that `kernel` may run, and the shared variables of it.
  base::Status visit(FunctionId kernel) {
    std::vector<bool> seen(module_.functions.size());
    std::vector<FunctionId> pending = {kernel};
    seen[kernel] = true;
    bool indirect = false;
    const auto add = [&](FunctionId id) {
      if (!seen[id]) pending.push_back(id);
      seen[id] = true;
    };
    steps_ += seen.size() / 64;
    while (!pending.empty()) {
      const auto& uses = uses_[pending.back()];
      pending.pop_back();
      steps_ += 1 + uses.calls.size() + uses.shared.size();
      if (steps_ > kMaxReachSteps) {
        return base::Error(base::ErrorCode::kLimit, "the call graph of the module is too large");
      }
      for (const auto variable : uses.shared) {
        auto& users = users_[variable];
        if (users.empty() || users.back() != kernel) users.push_back(kernel);
      }
      std::for_each(uses.calls.begin(), uses.calls.end(), add);
      if (!uses.indirect || indirect) continue;
      indirect = true;
      std::for_each(addresses_.begin(), addresses_.end(), add);
    }
    return {};
  }

  // Variables that no kernel reaches together may lie in the same place.
  base::Status place() {
    std::vector<std::uint64_t> used(module_.functions.size());
    for (VariableId id = 0; id < module_.variables.size(); ++id) {
      auto& variable = module_.variables[id];
      if (variable.space != Space::kShared || variable.bytes == 0) continue;
      for (const auto kernel : users_[id])
        variable.offset = std::max(variable.offset, used[kernel]);
      variable.offset = align_up(variable.offset, variable.alignment);
      const auto end = variable.offset + variable.bytes;
      if (end > kMaxSharedBytes) {
        return base::Error(base::ErrorCode::kLimit,
                           "too much shared memory: variable '" + variable.name + "'");
      }
      for (const auto kernel : users_[id])
        used[kernel] = end;
    }
    std::vector<std::uint32_t> alignments(module_.functions.size(), kDynamicAlignment);
    for (VariableId id = 0; id < module_.variables.size(); ++id) {
      const auto& variable = module_.variables[id];
      if (variable.space != Space::kShared || variable.bytes != 0) continue;
      for (const auto kernel : users_[id]) {
        alignments[kernel] = std::max(alignments[kernel], variable.alignment);
      }
    }
    for (FunctionId id = 0; id < module_.functions.size(); ++id) {
      module_.functions[id].static_shared_bytes =
          static_cast<std::uint32_t>(align_up(used[id], alignments[id]));
    }
    return {};
  }

  Module& module_;
  std::span<const Uses> uses_;
  std::vector<FunctionId> addresses_;
  std::vector<std::vector<FunctionId>> users_;  // kernels, of each variable
  std::uint64_t steps_ = 0;
};

}  // namespace

base::Status place_shared(Module& module, std::span<const Uses> uses) {
  return Reach(module, uses).run();
}

}  // namespace longwire::softcuda::ir
