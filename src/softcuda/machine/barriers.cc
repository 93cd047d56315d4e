#include "softcuda/machine/barriers.h"

namespace longwire::softcuda::machine {

void Barriers::reset(std::uint32_t warps) noexcept {
  for (std::uint32_t left = used_; left != 0; left &= left - 1)
    barriers_[static_cast<std::size_t>(std::countr_zero(left))] = Barrier{};
  used_ = 0;
  running_ = warps;
}

}  // namespace longwire::softcuda::machine
