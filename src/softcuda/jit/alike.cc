// Registers that are written on several ways, but alike: compilers put the same instruction into
// both arms of a branch. Lanes that parted there hold what one of them would have.
#include <algorithm>

#include "softcuda/jit/analysis.h"

namespace longwire::softcuda::jit {
namespace {

using ir::Op;

// As many writes are looked at; more is no arm of a branch.
constexpr std::size_t kMostWrites = 8;

// Of equal operands the same result, whatever else there is: what a line may be made of.
bool is_plain(const Step& s) {
  if (s.kind != StepKind::kPlain || s.source == nullptr || s.guard != ir::kNone) return false;
  const ir::Instruction& i = *s.source;
  if (i.modifiers.carry_in || i.modifiers.carry_out || s.count[0] != 1) return false;
  return i.op <= Op::kShr || i.op == Op::kMov || i.op == Op::kCvt || i.op == Op::kCvta;
}

bool are_equal(const Slot& a, const Slot& b) {
  return a.offset == b.offset && a.base == b.base && a.bytes == b.bytes && a.present == b.present &&
         a.negated == b.negated && a.in_frame == b.in_frame && a.variable == b.variable &&
         a.displacement == b.displacement;
}

bool are_alike(const Step& a, const Step& b) {
  const ir::Instruction &i = *a.source, &j = *b.source;
  const ir::Modifiers &m = i.modifiers, &n = j.modifiers;
  if (a.run != b.run || i.op != j.op || i.type != j.type || i.type2 != j.type2 ||
      m.part != n.part || m.space != n.space || m.to_space != n.to_space ||
      m.rounding != n.rounding || m.saturate != n.saturate || a.operands != b.operands)
    return false;
  for (int k = 0; k < a.operands; ++k)
    if (a.count[k] != 1 || b.count[k] != 1 || !are_equal(a.slot(k), b.slot(k))) return false;
  return true;
}

}  // namespace

void Analysis::find_writes() {
  writes_.assign(registers(), {});
  for (std::uint32_t n = 0; n < program_.steps.size(); ++n)
    each_written(program_.steps[n], [&](RegisterId id) {
      if (writes_[id].size() <= kMostWrites) writes_[id].push_back(n);
    });
}

// All writes of a register on the ways from a branch are alike, and of what is not written there.
bool Analysis::writes_are_alike(RegisterId id, const std::vector<bool>& on_way) const {
  const std::vector<std::uint32_t>& all = writes_[id];
  if (all.size() < 2 || all.size() > kMostWrites) return false;
  const Step& first = program_.steps[all.front()];
  for (const std::uint32_t n : all) {
    const Step& s = program_.steps[n];
    if (!on_way[block_of_[n]] || !is_plain(s) || !are_alike(first, s)) return false;
  }
  bool kept = true;
  each_read(first, [&](RegisterId source) {
    const std::vector<std::uint32_t>& of_source = writes_[source];
    kept = kept && of_source.size() <= kMostWrites &&
           std::none_of(of_source.begin(), of_source.end(),
                        [&](std::uint32_t n) { return on_way[block_of_[n]]; });
  });
  return kept;
}

// Blocks at whose beginning a register has been written on every way from the branch of `head`.
std::vector<bool> Analysis::written_before(RegisterId id, std::uint32_t head,
                                           const std::vector<bool>& on_way,
                                           std::uint32_t meet) const {
  std::vector<bool> in(blocks_.size(), true), writes(blocks_.size(), false);
  for (const std::uint32_t n : writes_[id])
    writes[block_of_[n]] = true;
  for (bool changed = true; changed;) {
    changed = false;
    for (std::uint32_t b = 0; b < blocks_.size(); ++b) {
      const bool inside = on_way[b] && b != head;
      const bool written = inside && (in[b] || writes[b]);
      for (const std::uint32_t next : blocks_[b].successors) {
        if (written || !in[next] || (!on_way[next] && next != meet)) continue;
        in[next] = false;
        changed = true;
      }
    }
  }
  return in;
}

}  // namespace longwire::softcuda::jit
