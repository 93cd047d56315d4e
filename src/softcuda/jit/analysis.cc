#include "softcuda/jit/analysis.h"

#include <algorithm>
#include <functional>

namespace longwire::softcuda::jit {
namespace {

using ir::Op;

bool writes_two(const Step& s) {
  const ir::Modifiers& m = s.source->modifiers;
  switch (s.source->op) {
    case Op::kSetp:
    case Op::kShfl:
    case Op::kElect:
      return true;
    case Op::kMatch:
      return m.mode == ir::Mode::kAll;
    case Op::kLop3:
      return m.combine != ir::Combine::kNone;
    default:
      return false;
  }
}

// Of those that came last.
bool tells_only(Op op) {
  switch (op) {
    case Op::kMbarrierExpectTx:
    case Op::kMbarrierCompleteTx:
    case Op::kCpAsyncArrive:
    case Op::kCpBulk:
    case Op::kCpReduceBulk:
    case Op::kStBulk:
    case Op::kSetmaxnreg:
    case Op::kStackrestore:
    case Op::kBarrierCluster:
      return true;
    default:
      return false;
  }
}

bool is_reduction(ir::Mode mode) {
  return mode == ir::Mode::kRedPopc || mode == ir::Mode::kRedAnd || mode == ir::Mode::kRedOr;
}

}  // namespace

int destinations(const Step& s) noexcept {
  if (s.source == nullptr || tells_only(s.source->op)) return 0;
  switch (s.source->op) {
    case Op::kBar:
    case Op::kBarrier:
      return is_reduction(s.source->modifiers.mode) ? 1 : 0;
    case Op::kSt:
    case Op::kRed:
    case Op::kBarWarp:
    case Op::kBra:
    case Op::kBrxIdx:
    case Op::kRet:
    case Op::kExit:
    case Op::kTrap:
    case Op::kBrkpt:
    case Op::kMembar:
    case Op::kFence:
    case Op::kPrefetch:
    case Op::kCpAsync:
    case Op::kCpAsyncCommit:
    case Op::kCpAsyncWait:
    case Op::kCpAsyncWaitAll:
    case Op::kStmatrix:
    case Op::kWmmaStore:
    case Op::kMbarrierInit:
    case Op::kMbarrierInval:
    case Op::kNanosleep:
    case Op::kPmevent:
    case Op::kGriddepcontrol:
    case Op::kSust:
    case Op::kCall:  // see each_written
      return 0;
    default:
      return writes_two(s) ? 2 : 1;
  }
}

Analysis::Analysis(const interp::KernelPrograms& programs, const Program& program)
    : programs_(programs), program_(program) {
  register_at_.assign(program.function->frame_bytes / 2 + 1, kNoRegister);
  for (RegisterId id = 0; id < registers(); ++id) {
    const ir::Register& reg = program.function->registers[id];
    usable_ = usable_ && reg.bits <= 64;
    register_at_[reg.offset / 2] = id;
  }
  if (!usable_) return;
  find_blocks();
  find_live();
  find_shapes();
  find_regions();
}

RegisterId Analysis::register_of(const Slot& slot) const noexcept {
  return slot.base == interp::Base::kFrame ? register_at_[slot.offset / 2] : kNoRegister;
}

void Analysis::find_blocks() {
  const auto& firsts = program_.first_steps;
  const auto steps = static_cast<std::uint32_t>(program_.steps.size());
  block_of_.resize(steps);
  auto index_of = [&](std::uint32_t step) {
    return static_cast<std::uint32_t>(std::upper_bound(firsts.begin(), firsts.end(), step) -
                                      firsts.begin() - 1);
  };
  // The step behind the last block, which returns, is of none.
  for (std::uint32_t b = 0; b < firsts.size(); ++b) {
    const std::uint32_t end = b + 1 < firsts.size() ? firsts[b + 1] : steps - 1;
    blocks_.push_back({firsts[b], end, {}, {}, {}});
    for (std::uint32_t n = firsts[b]; n < end; ++n) {
      const Step& s = program_.steps[n];
      block_of_[n] = b;
      auto& next = blocks_.back().successors;
      if (s.kind == StepKind::kBranch) next.push_back(index_of(s.target));
      if (s.kind == StepKind::kBlockEnd && b + 1 < firsts.size()) next.push_back(b + 1);
      if (s.kind != StepKind::kBranchIndexed) continue;
      const ir::Operand& table = program_.function->operands_of(*s.source)[1];
      for (std::uint32_t t = table.first; t < table.first + table.count; ++t)
        next.push_back(program_.function->tables[t]);
    }
  }
  for (Block& block : blocks_) {
    std::sort(block.successors.begin(), block.successors.end());
    block.successors.erase(std::unique(block.successors.begin(), block.successors.end()),
                           block.successors.end());
  }
}

void Analysis::step_back(RegisterSet& live, std::uint32_t step) const {
  const Step& s = program_.steps[step];
  // A step with a guard leaves what was there in some lanes; a call may not return to all.
  if (s.guard == ir::kNone && s.kind != StepKind::kCall)
    each_written(s, [&](RegisterId id) { live[id] = false; });
  each_read(s, [&](RegisterId id) { live[id] = true; });
  const bool leaves =
      s.guard == ir::kNone && (s.kind == StepKind::kReturn || s.kind == StepKind::kExit);
  if (!leaves) return;
  std::fill(live.begin(), live.end(), false);
  each_read(s, [&](RegisterId id) { live[id] = true; });
}

void Analysis::find_live() {
  for (Block& block : blocks_) {
    block.live_in.assign(registers(), false);
    block.live_out.assign(registers(), false);
  }
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t b = blocks_.size(); b-- > 0;) {
      Block& block = blocks_[b];
      for (std::uint32_t next : block.successors)
        for (RegisterId id = 0; id < registers(); ++id)
          if (blocks_[next].live_in[id]) block.live_out[id] = true;
      RegisterSet live = block.live_out;
      for (std::uint32_t n = block.end; n-- > block.first;)
        step_back(live, n);
      if (live == block.live_in) continue;
      block.live_in = std::move(live);
      changed = true;
    }
  }
}

RegisterSet Analysis::live_at(std::uint32_t step) const {
  const Block& block = blocks_[block_of_[step]];
  RegisterSet live = block.live_out;
  for (std::uint32_t n = block.end; n-- > step;)
    step_back(live, n);
  return live;
}

void Analysis::find_postdominators() {
  const std::size_t count = blocks_.size();
  postdominators_.assign(count, std::vector<bool>(count, true));
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t b = count; b-- > 0;) {
      std::vector<bool> set(count, !blocks_[b].successors.empty());
      for (std::uint32_t next : blocks_[b].successors)
        for (std::size_t n = 0; n < count; ++n)
          set[n] = set[n] && postdominators_[next][n];
      set[b] = true;
      if (set == postdominators_[b]) continue;
      postdominators_[b] = std::move(set);
      changed = true;
    }
  }
}

std::vector<bool> Analysis::reached(std::uint32_t from, std::uint32_t not_through) const {
  std::vector<bool> seen(blocks_.size(), false);
  std::vector<std::uint32_t> left{from};
  while (!left.empty()) {
    const std::uint32_t b = left.back();
    left.pop_back();
    if (seen[b]) continue;
    seen[b] = true;
    if (b == not_through) continue;
    for (std::uint32_t next : blocks_[b].successors)
      left.push_back(next);
  }
  return seen;
}

// Where all that leaves a block comes together first; kNone: nowhere.
std::uint32_t Analysis::meet_of(std::uint32_t block) const {
  std::uint32_t meet = ir::kNone;
  std::size_t most = 0;
  for (std::uint32_t n = 0; n < blocks_.size(); ++n) {
    if (n == block || !postdominators_[block][n]) continue;
    const auto size = static_cast<std::size_t>(
        std::count(postdominators_[n].begin(), postdominators_[n].end(), true));
    if (size > most) most = size, meet = n;
  }
  return meet;
}

// Lanes that part at the end of a block may hold different values where they meet again: of what
// was written on the way.
bool Analysis::drop_joined_after(std::uint32_t block) {
  const std::uint32_t meet = meet_of(block);
  std::vector<int> ways(blocks_.size(), 0);
  for (std::uint32_t next : blocks_[block].successors) {
    const std::vector<bool> seen = reached(next, meet);
    for (std::size_t n = 0; n < seen.size(); ++n)
      ways[n] += seen[n] ? 1 : 0;
  }
  RegisterSet written(registers(), false);
  for (std::size_t n = 0; n < blocks_.size(); ++n)
    for (std::uint32_t at = blocks_[n].first; ways[n] > 0 && n != meet && at < blocks_[n].end; ++at)
      each_written(program_.steps[at], [&](RegisterId id) { written[id] = true; });
  std::vector<bool> on_way(blocks_.size());
  for (std::size_t n = 0; n < blocks_.size(); ++n)
    on_way[n] = ways[n] > 0 && n != meet;
  bool dropped = false;
  for (RegisterId id = 0; id < registers(); ++id) {
    if (varying_[id] || !written[id]) continue;
    std::vector<bool> kept(blocks_.size(), false);
    if (writes_are_alike(id, on_way)) kept = written_before(id, block, on_way, meet);
    for (std::size_t n = 0; n < blocks_.size() && !varying_[id]; ++n)
      if (ways[n] > 1 && blocks_[n].live_in[id] && !kept[n]) varying_[id] = dropped = true;
  }
  return dropped;
}

// Whether lanes that are together may go different ways.
bool Analysis::parts_at(const Step& s) const noexcept {
  if (s.kind == StepKind::kBranch)
    return s.guard != ir::kNone && !is_uniform(register_at_[s.guard / 2]);
  return s.kind == StepKind::kBranchIndexed && !is_uniform(s.slot(0));
}

bool Analysis::drop_joined() {
  bool dropped = false;
  for (std::uint32_t b = 0; b < blocks_.size(); ++b) {
    if (blocks_[b].successors.size() < 2) continue;
    for (std::uint32_t n = blocks_[b].first; n < blocks_[b].end; ++n) {
      if (!parts_at(program_.steps[n])) continue;
      dropped = drop_joined_after(b) || dropped;
      dropped = drop_in_region(b) || dropped;
    }
  }
  return dropped;
}

}  // namespace longwire::softcuda::jit
