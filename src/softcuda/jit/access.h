// An access to memory while its code is made.
#pragma once

#include <bit>
#include <cstdint>

#include "softcuda/jit/emitter.h"

namespace longwire::softcuda::jit {

struct Emitter::Access {
  const Step* s = nullptr;
  bool store = false;
  ir::Space space = ir::Space::kGeneric;
  int count = 1;            // elements
  int bits = 32;            // of each in memory
  std::uint64_t bytes = 4;  // of all
  LLVMValueRef lanes = nullptr;
  int address_operand = 0;
  std::uint32_t range = 0;  // its number in NativeState::ranges
  bool owns_range = false;  // that no other access uses
  std::uint32_t span = 0;   // what is looked at at once, from an address on; 0: each lane's place
  LLVMBasicBlockRef slow = nullptr, done = nullptr;

  std::uint64_t shift() const { return static_cast<std::uint64_t>(std::countr_zero(bytes)); }
  std::uint64_t element_at(int n) const { return static_cast<std::uint64_t>(n * bits / 8); }
};

}  // namespace longwire::softcuda::jit
