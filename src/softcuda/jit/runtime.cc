#include "softcuda/jit/runtime.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "softcuda/interp/access.h"
#include "softcuda/interp/runner.h"

// Of the compiler's own library; only its address is taken.
extern "C" void __truncdfhf2();  // NOLINT

namespace longwire::softcuda::jit {
namespace {

using interp::NativeState;
using machine::MemoryView;

// How far to look for the end of what is allocated, in words of the allocation map (16 KiB each).
constexpr std::uint64_t kWordsToLookAt = 4096;

std::uint64_t word_at(const NativeState& state, std::uint64_t index) {
  return state.granules[index].load(std::memory_order_relaxed);
}

// All of the allocated granules around an address, as far as that is worth looking for.
void find_range(const NativeState& state, std::uint64_t address, NativeState::Range& range) {
  constexpr int kShift = MemoryView::kGranuleShift;
  constexpr std::uint64_t kBits = MemoryView::kWordBits, kFull = ~std::uint64_t{0};
  const std::uint64_t offset = address - state.memory_base;
  if (offset >= state.memory_bytes) return;
  const std::uint64_t count = state.memory_bytes >> kShift, at = offset >> kShift;
  auto is_set = [&](std::uint64_t n) {
    return (word_at(state, n / kBits) >> (n % kBits) & 1) != 0;
  };
  if (at >= count || !is_set(at)) return;
  std::uint64_t first = at, end = at + 1;
  const std::uint64_t least = at - std::min(at, kWordsToLookAt * kBits);
  const std::uint64_t most = std::min(count, at + kWordsToLookAt * kBits);
  while (first > least && is_set(first - 1))
    first -=
        first % kBits == 0 && first >= least + kBits && word_at(state, first / kBits - 1) == kFull
            ? kBits
            : 1;
  while (end < most && is_set(end))
    end +=
        end % kBits == 0 && end + kBits <= most && word_at(state, end / kBits) == kFull ? kBits : 1;
  range.begin = state.memory_base + (first << kShift);
  range.bytes = (end - first) << kShift;
}

}  // namespace

void run_step(NativeState& state, const interp::Step& step, interp::Mask lanes) {
  if (lanes == 0) return;
  if (state.context == nullptr) interp::Runner::start(state);
  interp::Context& context = *state.context;
  context.mask = lanes;
  step.run(context, step);
  if (context.strong_access) state.strong = 1;
}

void run_access(NativeState& state, const interp::Step& step, interp::Mask lanes,
                std::uint64_t reach) {
  if (lanes == 0) return;
  const ir::Op op = step.source->op;
  const int operand = op == ir::Op::kSt || op == ir::Op::kRed ? 0 : 1;
  const auto elements = op == ir::Op::kSt ? step.count[1] : op == ir::Op::kRed ? 1 : step.count[0];
  const auto size = static_cast<std::uint32_t>(ir::bits_of(step.source->type) / 8 * elements);
  if (state.context == nullptr) interp::Runner::start(state);
  // Of the first; a load may write to the register that it is in.
  const std::uint64_t address =
      interp::address_of(*state.context, step.slot(operand), std::countr_zero(lanes));
  run_step(state, step, lanes);
  const AccessReach looks = AccessReach::of(reach);
  NativeState::Range& found = state.ranges[looks.range];
  find_range(state, address, found);
  const std::uint64_t at_once = std::max(looks.span, size);
  found.places = found.bytes < at_once ? 0 : (found.bytes - at_once) / size + 1;
}

std::uint32_t run_barrier(NativeState& state, const interp::Step& step) {
  if (state.runner != nullptr) return state.runner->native_barrier(step) ? 1 : 0;
  // All lanes have come, as none has left the code.
  auto value = [&](int operand) {
    std::uint32_t value = 0;
    if (step.has(operand))
      std::memcpy(&value, state.constants + step.slot(operand).offset, sizeof value);
    return value;
  };
  const std::uint32_t id = value(0) < machine::kBarriers ? value(0) : machine::kNoBarrier;
  state.warp->barrier(id, value(1), state.live, step.source->modifiers.mode, 0, step.source->place);
  return 1;
}

const void* function_named(std::string_view name) noexcept {
  struct Named {
    std::string_view name;
    const void* address;
  };
  static const Named kAll[] = {
      {"__truncdfhf2", reinterpret_cast<const void*>(&__truncdfhf2)},
      {"memcpy", reinterpret_cast<const void*>(&std::memcpy)},
      {"memmove", reinterpret_cast<const void*>(&std::memmove)},
      {"memset", reinterpret_cast<const void*>(&std::memset)},
  };
  for (const Named& one : kAll)
    if (one.name == name) return one.address;
  return nullptr;
}

}  // namespace longwire::softcuda::jit
