// What is known of a function before it is compiled: which registers matter where, and which hold
// one value for all lanes that are together.
#pragma once

#include <cstdint>
#include <vector>

#include "softcuda/interp/decode.h"

namespace longwire::softcuda::jit {

using interp::Program;
using interp::Slot;
using interp::Step;
using interp::StepKind;

using RegisterId = std::uint32_t;
using RegisterSet = std::vector<bool>;

inline constexpr RegisterId kNoRegister = ~RegisterId{0};

struct Block {
  std::uint32_t first = 0, end = 0;  // steps
  std::vector<std::uint32_t> successors;
  RegisterSet live_in, live_out;
};

// How many operands of a step, from the first on, it writes to.
int destinations(const Step& s) noexcept;

class Analysis {
 public:
  Analysis(const interp::KernelPrograms& programs, const Program& program);

  // False: no code can be made of it (128-bit registers).
  bool usable() const noexcept { return usable_; }
  std::size_t registers() const noexcept { return program_.function->registers.size(); }
  RegisterId register_of(const Slot& slot) const noexcept;
  bool is_uniform(RegisterId id) const noexcept { return uniform_[id]; }
  const std::vector<Block>& blocks() const noexcept { return blocks_; }
  std::uint32_t block_of(std::uint32_t step) const noexcept { return block_of_[step]; }
  // Registers that are read at this step or later before they are written.
  RegisterSet live_at(std::uint32_t step) const;

  // Whether an operand has one value for all lanes.
  bool is_uniform(const Slot& slot) const noexcept;

 private:
  void find_blocks();
  void find_live();
  void step_back(RegisterSet& live, std::uint32_t step) const;
  void find_uniform();
  bool drop_varying();
  bool drop_joined();
  bool drop_joined_after(std::uint32_t block);
  std::vector<bool> reached(std::uint32_t from, std::uint32_t not_through) const;
  void find_postdominators();
  bool result_is_uniform(const Step& s) const noexcept;
  template <class F>
  void each_written(const Step& s, F f) const;
  template <class F>
  void each_read(const Step& s, F f) const;

  const interp::KernelPrograms& programs_;
  const Program& program_;
  bool usable_ = true;
  std::vector<std::uint32_t> block_of_;
  std::vector<Block> blocks_;
  std::vector<RegisterId> register_at_;  // by offset in the frame / 2
  std::vector<std::vector<bool>> postdominators_;
  RegisterSet uniform_;
};

}  // namespace longwire::softcuda::jit
