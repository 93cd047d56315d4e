// Regions: where lanes part and meet again without a loop, a barrier or a call between.
#include <algorithm>

#include "softcuda/jit/analysis.h"

namespace longwire::softcuda::jit {
namespace {

using ir::Op;

// Larger ones would be much code for few lanes.
constexpr std::size_t kMostBlocks = 12;
constexpr std::uint32_t kMostSteps = 400;

bool may_stand_in_region(const Step& s) {
  if (s.kind == StepKind::kBlockEnd || s.kind == StepKind::kBranch) return true;
  if (s.kind == StepKind::kNative) return true;
  return s.kind == StepKind::kPlain && (s.source == nullptr || s.source->op != Op::kActivemask);
}

}  // namespace

bool Analysis::fits_region(const Region& region) const {
  std::uint32_t steps = 0;
  for (std::uint32_t b : region.blocks) {
    steps += blocks_[b].end - blocks_[b].first;
    if (blocks_[b].successors.empty() || b <= region.head || b >= region.meet) return false;
    for (std::uint32_t next : blocks_[b].successors)
      if (next <= b) return false;
    for (std::uint32_t n = blocks_[b].first; n < blocks_[b].end; ++n) {
      const Step& s = program_.steps[n];
      const bool entry = s.kind == StepKind::kNative;
      if (!may_stand_in_region(s) || entry != (n == blocks_[b].first)) return false;
    }
  }
  return steps <= kMostSteps;
}

// Whether the branch at a block's end is the head of one.
bool Analysis::region_at(std::uint32_t head, Region& region) const {
  region = {head, meet_of(head), {}};
  if (region.meet == ir::kNone || region.meet <= head) return false;
  std::vector<bool> seen(blocks_.size(), false);
  for (std::uint32_t next : blocks_[head].successors) {
    const std::vector<bool> from = reached(next, region.meet);
    for (std::size_t n = 0; n < seen.size(); ++n)
      seen[n] = seen[n] || from[n];
  }
  seen[region.meet] = false;
  for (std::uint32_t b = 0; b < seen.size(); ++b)
    if (seen[b]) region.blocks.push_back(b);
  if (region.blocks.empty() || region.blocks.size() > kMostBlocks || !fits_region(region))
    return false;
  for (std::uint32_t b = 0; b < blocks_.size(); ++b)
    for (std::uint32_t next : blocks_[b].successors)
      if (seen[next] && !seen[b] && b != head) return false;
  return program_.steps[blocks_[region.meet].first].kind == StepKind::kNative;
}

const Region* Analysis::region_of_head(std::uint32_t block) const noexcept {
  for (const Region& region : regions_)
    if (region.head == block) return &region;
  return nullptr;
}

// A block that some lanes run before others come to another one must not write what those hold
// once for all.
bool Analysis::drop_in_region(std::uint32_t head) {
  Region region;
  if (!region_at(head, region)) return false;
  bool dropped = false;
  for (std::uint32_t w : region.blocks) {
    const std::vector<bool> after = reached(w, region.meet);
    for (std::uint32_t n : region.blocks) {
      if (n <= w || after[n]) continue;
      for (std::uint32_t at = blocks_[w].first; at < blocks_[w].end; ++at)
        each_written(program_.steps[at], [&](RegisterId id) {
          if (varying_[id] || !blocks_[n].live_in[id]) return;
          varying_[id] = dropped = true;
        });
    }
  }
  return dropped;
}

void Analysis::find_regions() {
  in_region_.assign(blocks_.size(), -1);
  if (blocks_.size() > kMaxBlocks) return;
  for (std::uint32_t b = 0; b < blocks_.size(); ++b) {
    if (in_region_[b] >= 0 || blocks_[b].successors.size() < 2) continue;
    bool parts = false;
    for (std::uint32_t n = blocks_[b].first; n < blocks_[b].end; ++n)
      parts = parts || (program_.steps[n].kind == StepKind::kBranch && parts_at(program_.steps[n]));
    Region region;
    if (!parts || !region_at(b, region)) continue;
    for (std::uint32_t n : region.blocks)
      in_region_[n] = static_cast<int>(regions_.size());
    regions_.push_back(std::move(region));
  }
}

bool Analysis::outlives(RegisterId id, const Region& region, std::uint32_t block) const noexcept {
  if (blocks_[block].live_out[id] || blocks_[region.meet].live_in[id]) return true;
  return std::any_of(region.blocks.begin(), region.blocks.end(),
                     [&](std::uint32_t b) { return b > block && blocks_[b].live_in[id]; });
}

}  // namespace longwire::softcuda::jit
