#include "softcuda/machine/grid.h"

#include <algorithm>
#include <utility>

namespace longwire::softcuda::machine {
namespace {

// Registers of calls: address space, taken as it is touched.
constexpr std::size_t kFrameBytes = std::size_t{256} << 10;
constexpr std::size_t kRecursiveFrameBytes = std::size_t{16} << 20;
constexpr std::uint32_t kFrameAlignment = 64;
constexpr std::uint32_t kLocalAlignment = 64;
// Blocks are taken in so many turns by each core, as they may take different times, and at most so
// many at once: beyond that the taking costs nothing beside them.
constexpr std::uint32_t kTurnsOfACore = 32;
constexpr std::uint64_t kMostAtOnce = 32;

std::uint64_t round_up(std::uint64_t value, std::uint64_t step) {
  return (value + step - 1) / step * step;
}

struct Chain {
  std::uint64_t local = 0;
  std::uint64_t frames = 0;
};

// What the deepest chain of calls below a function takes. Without recursion a function calls only
// others, so the depth is at most their number.
class Chains {
 public:
  explicit Chains(const ir::Module& module) : module_(module), known_(module.functions.size()) {}

  Chain of(ir::FunctionId id) {
    if (known_[id].frames != 0) return known_[id];
    const ir::Function& function = module_.functions[id];
    Chain deepest;
    for (const ir::Instruction& instruction : function.instructions) {
      if (instruction.op != ir::Op::kCall) continue;
      const ir::Operand& callee = function.operands_of(instruction)[0];
      if (callee.kind != ir::OperandKind::kCallee) continue;
      const Chain below = of(callee.id);
      deepest.local = std::max(deepest.local, below.local);
      deepest.frames = std::max(deepest.frames, below.frames);
    }
    deepest.local += round_up(function.local_bytes, kCallBytes) + kCallBytes;
    deepest.frames += round_up(function.frame_bytes, kFrameAlignment) + kFrameAlignment;
    return known_[id] = deepest;
  }

 private:
  const ir::Module& module_;
  std::vector<Chain> known_;
};

}  // namespace

std::vector<WarpNeeds> needs_of(const ir::Module& module) {
  std::vector<WarpNeeds> all(module.functions.size());
  Chains chains(module);
  for (ir::FunctionId id = 0; id < all.size(); ++id) {
    const ir::Function& function = module.functions[id];
    if (!function.kernel) continue;
    const bool recursive = function.call_depth == ir::kNone;
    Chain chain{round_up(function.local_bytes, kCallBytes), kRecursiveFrameBytes};
    if (!recursive) {
      chain = chains.of(id);
      chain.frames = 2 * chain.frames + kFrameBytes;
    }
    const std::uint64_t local = std::min<std::uint64_t>(chain.local, kMaxLocalBytes);
    all[id] = {static_cast<std::uint32_t>(round_up(local, kLocalAlignment)), chain.frames,
               recursive};
  }
  return all;
}

Grid::Grid(const Launch& launch, std::shared_ptr<const Code> code, const WarpNeeds& needs,
           std::uint64_t id)
    : launch_(launch),
      code_(std::move(code)),
      needs_(needs),
      parameters_(launch.parameters.begin(), launch.parameters.end()),
      id_(id),
      blocks_(std::uint64_t{launch.grid.x} * launch.grid.y * launch.grid.z) {
  launch_.parameters = parameters_;
}

Dim3 Grid::index_of(std::uint64_t block) const noexcept {
  const std::uint64_t row = block / launch_.grid.x;
  return {static_cast<std::uint32_t>(block % launch_.grid.x),
          static_cast<std::uint32_t>(row % launch_.grid.y),
          static_cast<std::uint32_t>(row / launch_.grid.y)};
}

std::optional<Dim3> Grid::take_block() noexcept {
  if (!blocks_left()) return std::nullopt;
  const std::uint64_t block = next_.fetch_add(1, std::memory_order_relaxed);
  return block < blocks_ ? std::optional(index_of(block)) : std::nullopt;
}

Grid::Blocks Grid::take_blocks(std::uint32_t cores) noexcept {
  if (!blocks_left()) return {};
  const std::uint64_t share = blocks_ / (std::uint64_t{cores} * kTurnsOfACore);
  const std::uint64_t count = std::clamp<std::uint64_t>(share, 1, kMostAtOnce);
  const std::uint64_t first = next_.fetch_add(count, std::memory_order_relaxed);
  if (first >= blocks_) return {};
  return {first, std::min(first + count, blocks_), index_of(first)};
}

void Grid::step(Dim3& index) const noexcept {
  if (++index.x < launch_.grid.x) return;
  index.x = 0;
  if (++index.y < launch_.grid.y) return;
  index.y = 0;
  ++index.z;
}

void Grid::fail(Fault fault) {
  std::lock_guard lock(mutex_);
  if (!fault_) fault_ = std::move(fault);
  stopping_.store(true);
}

std::optional<Fault> Grid::take_fault() {
  std::lock_guard lock(mutex_);
  return std::exchange(fault_, std::nullopt);
}

}  // namespace longwire::softcuda::machine
