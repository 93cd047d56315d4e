// Table: what compiled code needs of this process, in 64-bit words that lie beside the code: the
// functions that it calls, the steps that it hands to them, and where the module's variables are.
// So the code itself has no address of anything, and may be made in one process and run in another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "softcuda/interp/decode.h"

namespace longwire::softcuda::jit {

inline constexpr const char* kTableName = "longwire_table";  // in the code's object

enum class Called : std::uint32_t { kStep, kAccess, kBarrier, kCount };  // runtime.h

class Table {
 public:
  explicit Table(const interp::KernelPrograms& programs);

  std::size_t size() const noexcept { return variables_ + programs_.variables.size(); }
  static constexpr std::size_t called(Called which) noexcept {
    return static_cast<std::size_t>(which);
  }
  std::size_t steps(const interp::Program& program) const;  // the address of the first
  std::size_t variable(std::uint32_t number) const noexcept { return variables_ + number; }

  std::vector<std::uint64_t> words() const;  // for this process

 private:
  const interp::KernelPrograms& programs_;
  std::vector<const interp::Program*> functions_;  // that are reached
  std::size_t variables_ = 0;
};

}  // namespace longwire::softcuda::jit
