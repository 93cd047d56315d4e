// What is known of a function before it is compiled: which registers matter where, and how their
// values in the lanes go together.
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
// Where a function has more, its registers are taken to vary: what is done otherwise is quadratic.
inline constexpr std::size_t kMaxBlocks = 1500;

// How a register's values in the lanes of a warp go together. Lanes come in rows (runner_native.h);
// a line counts up by `step` along a row, from what is one value for the warp, or for each row.
struct Shape {
  enum class Kind : std::uint8_t { kUnknown, kLine, kVarying };
  Kind kind = Kind::kUnknown;
  bool of_rows = false;
  std::int64_t step = 0;

  bool is_line() const noexcept { return kind == Kind::kLine; }
  bool uniform() const noexcept { return is_line() && !of_rows && step == 0; }
  friend bool operator==(const Shape&, const Shape&) = default;
  static Shape varying() noexcept { return {Kind::kVarying, false, 0}; }
  static Shape line(std::int64_t step, bool of_rows = false) noexcept {
    return {Kind::kLine, of_rows, step};
  }
};

struct Block {
  std::uint32_t first = 0, end = 0;  // steps
  std::vector<std::uint32_t> successors;
  RegisterSet live_in, live_out;
};

// Blocks between a branch at which lanes may part and where all of them meet again: the code runs
// them one after the other, each for the lanes that come there. Either there is no loop, and the
// branch is before them; or they are a loop that lanes leave one by one, with the branch in it,
// which comes from elsewhere to one of them alone.
struct Region {
  std::uint32_t head = 0, meet = 0;
  std::vector<std::uint32_t> blocks;  // in their order
  bool loops = false;
  std::uint32_t entry = 0;  // of a loop
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
  bool is_uniform(RegisterId id) const noexcept { return shapes_[id].uniform(); }
  const Shape& shape(RegisterId id) const noexcept { return shapes_[id]; }
  Shape shape(const Slot& slot) const noexcept;
  // It holds results of f32 arithmetic alone: of NaNs any may stand for the one.
  bool is_number(RegisterId id) const noexcept { return numbers_[id]; }
  // Of the result of a step.
  Shape result_shape(const Step& s) const noexcept;
  int rows() const noexcept { return static_cast<int>(programs_.rows); }
  const std::vector<Block>& blocks() const noexcept { return blocks_; }
  std::uint32_t block_of(std::uint32_t step) const noexcept { return block_of_[step]; }
  // The region that a block is in, or is the head of; nullptr: none.
  const Region* region_in(std::uint32_t block) const noexcept {
    return in_region_[block] < 0 ? nullptr : &regions_[static_cast<std::size_t>(in_region_[block])];
  }
  const Region* region_of_head(std::uint32_t block) const noexcept;
  // Whether lanes that are not in a block of a region may yet need what a register holds: they wait
  // for a later one, or where all meet.
  bool outlives(RegisterId id, const Region& region, std::uint32_t block) const noexcept;
  // The same of any of its lanes.
  bool outlives(RegisterId id, const Region& region) const noexcept;
  // Registers that are read at this step or later before they are written.
  RegisterSet live_at(std::uint32_t step) const;

  // Whether an operand has one value for all lanes.
  bool is_uniform(const Slot& slot) const noexcept;

 private:
  void find_blocks();
  void find_live();
  void step_back(RegisterSet& live, std::uint32_t step) const;
  void find_shapes();
  void spread_shapes();
  void settle_shapes();
  Shape special_shape(const Slot& slot) const noexcept;
  Shape line_result(const Step& s) const noexcept;
  Shape product_shape(const Step& s) const noexcept;
  std::int64_t constant(const Slot& slot, int bits, bool with_sign) const noexcept;
  bool drop_joined();
  bool drop_joined_after(std::uint32_t block);
  void find_numbers();
  bool reads_number(const Slot& slot) const noexcept;
  bool gives_number(const Step& s) const noexcept;
  void find_writes();
  bool writes_are_alike(RegisterId id, const std::vector<bool>& on_way) const;
  std::vector<bool> written_before(RegisterId id, std::uint32_t head,
                                   const std::vector<bool>& on_way, std::uint32_t meet) const;
  bool drop_in_region(std::uint32_t head);
  std::vector<bool> reached_forward(const Region& region, std::uint32_t from) const;
  std::uint32_t meet_of(std::uint32_t block) const;
  bool region_at(std::uint32_t head, Region& region) const;
  bool fits_region(const Region& region) const;
  bool comes_to_one(const std::vector<bool>& inside, Region& region) const;
  void take_regions(bool loops);
  void find_regions();
  bool parts_at(const Step& s) const noexcept;
  std::vector<bool> reached(std::uint32_t from, std::uint32_t not_through) const;
  void find_postdominators();
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
  std::vector<std::vector<std::uint32_t>> writes_;  // steps, of each register
  std::vector<Region> regions_;
  std::vector<int> in_region_;  // by block
  std::vector<Shape> shapes_;
  RegisterSet numbers_;
  RegisterSet varying_;  // that lanes which parted may hold different values of
};

template <class F>
void Analysis::each_written(const Step& s, F f) const {
  int first = 0, end = destinations(s);
  if (s.kind == interp::StepKind::kCall) first = 1, end = 2;  // the results
  for (int n = first; n < end && n < s.operands; ++n)
    for (int e = 0; e < s.count[n]; ++e)
      if (const Slot& slot = s.slot(n, e); slot.present && slot.base == interp::Base::kFrame)
        f(register_of(slot));
}

template <class F>
void Analysis::each_read(const Step& s, F f) const {
  const int first = s.kind == interp::StepKind::kCall ? 0 : destinations(s);
  for (int n = first; n < s.operands; ++n)
    for (int e = 0; e < s.count[n]; ++e)
      if (const Slot& slot = s.slot(n, e); slot.present && slot.base == interp::Base::kFrame)
        f(register_of(slot));
  if (s.guard != ir::kNone) f(register_at_[s.guard / 2]);
  if (s.kind == interp::StepKind::kReturn && !program_.function->kernel)
    for (const ir::Parameter& result : program_.function->results)
      if (result.reg != ir::kNone) f(result.reg);
}

}  // namespace longwire::softcuda::jit
