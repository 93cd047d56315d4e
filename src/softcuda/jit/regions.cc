// Regions: where lanes part and meet again without a barrier or a call between.
#include <algorithm>

#include "softcuda/jit/analysis.h"

namespace longwire::softcuda::jit {
namespace {

using ir::Op;

// Larger ones would be much code for few lanes.
constexpr std::size_t kMostBlocks = 12;
constexpr std::uint32_t kMostSteps = 400;
// Of loops there is the code in any case. Their lanes are left at any of the blocks.
constexpr std::size_t kMostLoopBlocks = interp::NativeState::kMostApart - 2;
constexpr std::uint32_t kMostLoopSteps = 2000;

bool may_stand_in_region(const Step& s) {
  if (s.kind == StepKind::kBlockEnd || s.kind == StepKind::kBranch) return true;
  if (s.kind == StepKind::kNative) return true;
  if (s.kind != StepKind::kPlain) return false;
  // What looks at who else is there: shfl and vote without a mask, too.
  const Op op = s.source == nullptr ? Op::kMov : s.source->op;
  return op != Op::kActivemask && op != Op::kShfl && op != Op::kVote;
}

}  // namespace

bool Analysis::fits_region(const Region& region) const {
  std::uint32_t steps = 0;
  for (std::uint32_t b : region.blocks) {
    steps += blocks_[b].end - blocks_[b].first;
    if (blocks_[b].successors.empty() || b >= region.meet) return false;
    if (!region.loops && b <= region.head) return false;
    for (std::uint32_t next : blocks_[b].successors)
      if (next <= b && !region.loops) return false;
    for (std::uint32_t n = blocks_[b].first; n < blocks_[b].end; ++n) {
      const Step& s = program_.steps[n];
      const bool entry = s.kind == StepKind::kNative;
      if (!may_stand_in_region(s) || entry != (n == blocks_[b].first)) return false;
    }
  }
  return region.loops ? region.blocks.size() <= kMostLoopBlocks && steps <= kMostLoopSteps
                      : region.blocks.size() <= kMostBlocks && steps <= kMostSteps;
}

// Whether all that leads to a region from elsewhere leads to its entry, or from its head.
bool Analysis::comes_to_one(const std::vector<bool>& inside, Region& region) const {
  std::uint32_t entry = ir::kNone;
  for (std::uint32_t b = 0; b < blocks_.size(); ++b) {
    if (inside[b] || (b == region.head && !region.loops)) continue;
    for (std::uint32_t next : blocks_[b].successors) {
      if (!inside[next]) continue;
      if (!region.loops || (entry != ir::kNone && entry != next)) return false;
      entry = next;
    }
  }
  region.entry = entry;
  return !region.loops || (entry != ir::kNone && !inside[0]);
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
  region.loops = seen[head];
  for (std::uint32_t b = 0; b < seen.size(); ++b)
    if (seen[b]) region.blocks.push_back(b);
  return !region.blocks.empty() && fits_region(region) && comes_to_one(seen, region) &&
         program_.steps[blocks_[region.meet].first].kind == StepKind::kNative;
}

const Region* Analysis::region_of_head(std::uint32_t block) const noexcept {
  for (const Region& region : regions_)
    if (region.head == block && !region.loops) return &region;
  return nullptr;
}

// Blocks of a region that come behind one of them, in the same round of its loops.
std::vector<bool> Analysis::reached_forward(const Region& region, std::uint32_t from) const {
  std::vector<bool> seen(blocks_.size(), false);
  seen[from] = true;
  for (std::uint32_t b : region.blocks)
    for (std::uint32_t next : blocks_[b].successors)
      if (seen[b] && next > b) seen[next] = true;
  return seen;
}

// A block that some lanes run before others come to another one must not write what those hold
// once for all.
bool Analysis::drop_in_region(std::uint32_t head) {
  Region region;
  if (!region_at(head, region)) return false;
  bool dropped = false;
  for (std::uint32_t w : region.blocks) {
    const std::vector<bool> after = reached_forward(region, w);
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
  take_regions(true);
  take_regions(false);
}

// Of loops the largest first, as others may be within it.
void Analysis::take_regions(bool loops) {
  std::vector<Region> found;
  for (std::uint32_t b = 0; b < blocks_.size(); ++b) {
    if (in_region_[b] >= 0 || blocks_[b].successors.size() < 2) continue;
    bool parts = false;
    for (std::uint32_t n = blocks_[b].first; n < blocks_[b].end; ++n)
      parts = parts || (program_.steps[n].kind == StepKind::kBranch && parts_at(program_.steps[n]));
    Region region;
    if (parts && region_at(b, region) && region.loops == loops) found.push_back(std::move(region));
  }
  if (loops)
    std::stable_sort(found.begin(), found.end(), [](const Region& a, const Region& b) {
      return a.blocks.size() > b.blocks.size();
    });
  for (Region& region : found) {
    auto is_taken = [&](std::uint32_t b) { return in_region_[b] >= 0; };
    if (std::any_of(region.blocks.begin(), region.blocks.end(), is_taken) || is_taken(region.head))
      continue;
    for (std::uint32_t n : region.blocks)
      in_region_[n] = static_cast<int>(regions_.size());
    regions_.push_back(std::move(region));
  }
}

bool Analysis::outlives(RegisterId id, const Region& region, std::uint32_t block) const noexcept {
  return blocks_[region.meet].live_in[id] ||
         std::any_of(region.blocks.begin(), region.blocks.end(),
                     [&](std::uint32_t b) { return b > block && blocks_[b].live_in[id]; });
}

bool Analysis::outlives(RegisterId id, const Region& region) const noexcept {
  return outlives(id, region, region.blocks.front()) || blocks_[region.blocks.front()].live_in[id];
}

}  // namespace longwire::softcuda::jit
