// How steps come to memory: a lane's address, looked at before it is used.
#pragma once

#include <cstdint>

#include "softcuda/interp/program.h"

namespace longwire::softcuda::interp {

inline std::uint64_t address_of(const Context& c, const Slot& slot, int lane) {
  const std::uint64_t base =
      slot.bytes == 4 ? c.at<std::uint32_t>(slot)[lane] : c.at<std::uint64_t>(slot)[lane];
  return base + static_cast<std::uint64_t>(slot.displacement) + (slot.in_frame ? c.local_base : 0);
}

// Where a lane's access goes; a fault where it may not.
inline std::byte* place_of(const Context& c, const Step& s, const Slot& slot, int lane,
                           ir::Space space, std::uint32_t bytes, machine::Access access) {
  const std::uint64_t address = address_of(c, slot, lane);
  const machine::BlockState& block = *c.block;
  if (!block.careful && address % bytes == 0) {
    if ((space == ir::Space::kGlobal || space == ir::Space::kGeneric) &&
        block.memory.covers(address, bytes))
      return reinterpret_cast<std::byte*>(address);
    if (space == ir::Space::kShared && address < block.shared_bytes &&
        bytes <= block.shared_bytes - address)
      return block.shared + address;
  }
  return c.warp->at(space, lane, address, bytes, access, s.source->place);
}

}  // namespace longwire::softcuda::interp
