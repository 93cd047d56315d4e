#include "softcuda/machine/races.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace longwire::softcuda::machine {

bool Races::reset(std::uint32_t shared_bytes) noexcept {
  const std::size_t bytes = std::size_t{shared_bytes} * sizeof(Cell);
  if (bytes != 0 && !cells_.ensure(bytes)) return false;
  if (bytes != 0) std::memset(cells_.data(), 0, bytes);
  for (std::uint32_t warp = 0; warp < kWarps; ++warp) {
    warps_[warp].fill(0);
    warps_[warp][warp] = 1;
  }
  barriers_.fill(Clock{});
  atomics_.fill(0);
  return true;
}

void Races::join(Clock& into, const Clock& from) noexcept {
  for (std::uint32_t warp = 0; warp < kWarps; ++warp)
    into[warp] = std::max(into[warp], from[warp]);
}

void Races::arrive(std::uint32_t warp, std::uint32_t barrier) noexcept {
  join(barriers_[barrier], warps_[warp]);
  ++warps_[warp][warp];
}

void Races::release(std::uint32_t warps, std::uint32_t barrier) noexcept {
  for (std::uint32_t left = warps; left != 0; left &= left - 1)
    join(warps_[static_cast<std::size_t>(std::countr_zero(left))], barriers_[barrier]);
  barriers_[barrier].fill(0);
}

std::string Races::conflict(std::uint32_t warp, std::uint32_t offset, Access access) const {
  const Cell& cell = reinterpret_cast<const Cell*>(cells_.data())[offset];
  auto with = [&](const char* what, std::uint32_t other) {
    return std::string(access == Access::kRead ? "reads" : "writes") + " byte " +
           std::to_string(offset) + " of shared memory, which warp " + std::to_string(other) +
           what + " with no barrier between them";
  };
  const bool both_atomic = access == Access::kAtomic && cell.atomic;
  if (!both_atomic && cell.write_clock != 0 && unordered(warp, cell.writer, cell.write_clock))
    return with(" wrote", cell.writer);
  for (std::uint32_t other = 0; access != Access::kRead && other < kWarps; ++other)
    if (unordered(warp, other, cell.reads[other])) return with(" read", other);
  return {};
}

std::string Races::access(std::uint32_t warp, std::uint32_t offset, std::uint32_t bytes,
                          Access access) {
  if (access == Access::kAtomic) {
    join(warps_[warp], atomics_);
    join(atomics_, warps_[warp]);
  }
  for (std::uint32_t at = offset; at < offset + bytes; ++at) {
    std::string found = conflict(warp, at, access);
    if (!found.empty()) return found;
    Cell& cell = reinterpret_cast<Cell*>(cells_.data())[at];
    if (access == Access::kRead) {
      cell.reads[warp] = warps_[warp][warp];
    } else {
      cell.write_clock = warps_[warp][warp];
      cell.writer = static_cast<std::uint16_t>(warp);
      cell.atomic = access == Access::kAtomic;
    }
  }
  if (access == Access::kAtomic) ++warps_[warp][warp];
  return {};
}

}  // namespace longwire::softcuda::machine
