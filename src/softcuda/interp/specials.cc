#include "softcuda/interp/specials.h"

#include "base/clock.h"

namespace longwire::softcuda::interp {
namespace {

using ir::Special;
using machine::Dim3;

std::uint64_t component(const Dim3& d, Special special, Special x) noexcept {
  const int which = static_cast<int>(special) - static_cast<int>(x);
  return which == 0 ? d.x : which == 1 ? d.y : d.z;
}

// Between two looks at a clock that counts them.
constexpr std::uint64_t kTickNs = 1000;

std::uint64_t clock_value(Special special, const machine::BlockState& block) noexcept {
  const bool of_day = special == Special::kGlobaltimer || special == Special::kGlobaltimerLo ||
                      special == Special::kGlobaltimerHi;
  const auto& clock = of_day ? base::wall_clock() : base::monotonic_clock();
  const auto now = block.clock != nullptr ? * block.clock += kTickNs
                                          : static_cast<std::uint64_t>(clock.now_ns());
  switch (special) {
    case Special::kClockHi:
    case Special::kGlobaltimerHi:
      return now >> 32;
    case Special::kClock:
    case Special::kGlobaltimerLo:
      return now & 0xffff'ffff;
    default:
      return now;
  }
}

bool between(Special special, Special first, Special last) noexcept {
  return special >= first && special <= last;
}

}  // namespace

std::uint32_t lane_value(Special special, std::uint32_t lane) noexcept {
  const std::uint32_t own = 1U << lane;
  switch (special) {
    case Special::kLaneid:
      return lane;
    case Special::kLanemaskEq:
      return own;
    case Special::kLanemaskLe:
      return own | (own - 1);
    case Special::kLanemaskLt:
      return own - 1;
    case Special::kLanemaskGe:
      return ~(own - 1);
    default:
      return ~(own | (own - 1));
  }
}

// What is the same for all lanes of a warp. A cluster is one block.
std::uint64_t warp_value(Special special, const machine::Warp& warp) noexcept {
  const machine::BlockState& block = warp.block();
  if (between(special, Special::kNtidX, Special::kNtidZ))
    return component(block.size, special, Special::kNtidX);
  if (between(special, Special::kCtaidX, Special::kCtaidZ))
    return component(block.index, special, Special::kCtaidX);
  if (between(special, Special::kNctaidX, Special::kNctaidZ))
    return component(block.grid_size, special, Special::kNctaidX);
  if (between(special, Special::kClusteridX, Special::kClusteridZ))
    return component(block.index, special, Special::kClusteridX);
  if (between(special, Special::kNclusteridX, Special::kNclusteridZ))
    return component(block.grid_size, special, Special::kNclusteridX);
  if (between(special, Special::kClusterNctaidX, Special::kClusterNctaidZ)) return 1;
  switch (special) {
    case Special::kClusterNctarank:
      return 1;
    case Special::kWarpid:
      return warp.number();
    case Special::kNwarpid:
      return warp.warps();
    case Special::kSmid:
      return block.core;
    case Special::kNsmid:
      return block.cores;
    case Special::kGridid:
      return block.grid_id;
    case Special::kTotalSmemSize:
    case Special::kAggrSmemSize:
      return block.shared_bytes;
    case Special::kDynamicSmemSize:
      return block.dynamic_shared_bytes;
    case Special::kEnvreg1:
      return block.workspace & 0xffff'ffff;
    case Special::kEnvreg2:
      return block.workspace >> 32;
    default:
      return 0;
  }
}

namespace {

void fill_thread(std::uint64_t* values, Special special, const machine::Warp& warp) noexcept {
  const Dim3& size = warp.block().size;
  Dim3 at = warp.thread(0);
  for (int i = 0; i < kLanes; ++i) {
    values[i] = component(at, special, Special::kTidX);
    if (++at.x < size.x) continue;
    at.x = 0;
    if (++at.y < size.y) continue;
    at.y = 0;
    ++at.z;
  }
}

void fill_lanes(std::uint64_t* values, Special special, const machine::Warp& warp) noexcept {
  if (between(special, Special::kTidX, Special::kTidZ)) return fill_thread(values, special, warp);
  if (special == Special::kLaneid || between(special, Special::kLanemaskEq, Special::kLanemaskGt)) {
    for (std::uint32_t i = 0; i < kLanes; ++i)
      values[i] = lane_value(special, i);
    return;
  }
  const std::uint64_t value = warp_value(special, warp);
  for (int i = 0; i < kLanes; ++i)
    values[i] = value;
}

}  // namespace

bool is_clock(Special special) noexcept {
  return between(special, Special::kClock, Special::kGlobaltimerHi);
}

bool is_special_supported(Special special) noexcept {
  return special != Special::kCurrentGraphExec;
}

void fill_pool(std::byte* pool, std::uint64_t value) noexcept {
  auto* wide = reinterpret_cast<std::uint64_t*>(pool);
  auto* middle = reinterpret_cast<std::uint32_t*>(pool + kWideBytes);
  auto* narrow = reinterpret_cast<std::uint16_t*>(pool + kWideBytes + kMiddleBytes);
  for (int i = 0; i < kLanes; ++i) {
    wide[i] = value;
    middle[i] = static_cast<std::uint32_t>(value);
    narrow[i] = static_cast<std::uint16_t>(value);
  }
}

void fill_special(std::byte* pool, const SpecialUse& use, const machine::Warp& warp) noexcept {
  auto* wide = reinterpret_cast<std::uint64_t*>(pool);
  auto* middle = reinterpret_cast<std::uint32_t*>(pool + kWideBytes);
  auto* narrow = reinterpret_cast<std::uint16_t*>(pool + kWideBytes + kMiddleBytes);
  std::uint64_t values[kLanes];
  fill_lanes(values, use.special, warp);
  for (int i = 0; use.middle && i < kLanes; ++i)
    middle[i] = static_cast<std::uint32_t>(values[i]);
  for (int i = 0; use.wide && i < kLanes; ++i)
    wide[i] = values[i];
  for (int i = 0; use.narrow && i < kLanes; ++i)
    narrow[i] = static_cast<std::uint16_t>(values[i]);
}

void refresh_clock(Context& c, const Step& s) {
  const Slot& slot = s.slot(0);
  fill_pool(reinterpret_cast<std::byte*>(c.at<std::uint64_t>(slot)),
            clock_value(static_cast<Special>(slot.displacement), *c.block));
}

}  // namespace longwire::softcuda::interp
