// alloca, stacksave and stackrestore: a lane's local memory, from its end downwards. Frames of
// functions come from below.
#include <algorithm>
#include <bit>

#include "softcuda/interp/lanes.h"
#include "softcuda/interp/select.h"

namespace longwire::softcuda::interp {
namespace {

using std::uint32_t, std::uint64_t;

constexpr uint64_t kLeastAlignment = 8;

// Where the stack of a lane ends: an offset in its local memory.
uint64_t end_of(Context& c, int lane) {
  if (!c.allocates) std::fill_n(c.taken, kLanes, 0U);
  c.allocates = true;
  return c.warp->local_stride() - c.taken[lane];
}
void set_end(Context& c, const Step& s, int lane, uint64_t end) {
  const uint64_t stride = c.warp->local_stride();
  if (end < c.local_top || end > stride)
    c.warp->fault(machine::FaultKind::kStackOverflow, lane, 0, s.source->place,
                  "the stack of the thread is full (cudaLimitStackSize)");
  c.taken[lane] = static_cast<uint32_t>(stride - end);
}

void allocate(Context& c, const Step& s) {
  const uint64_t wanted = s.has(2) ? c.at<uint32_t>(s.slot(2))[0] : kLeastAlignment;
  const uint64_t alignment = std::max(std::bit_ceil(wanted), kLeastAlignment);
  each_active(c, [&](int i) {
    const auto bytes = get<uint64_t>(c, s.slot(1), i);
    const uint64_t end = end_of(c, i);
    // What is more than there is comes out below every frame.
    const uint64_t begin = bytes > end ? 0 : (end - bytes) & ~(alignment - 1);
    set_end(c, s, i, bytes > end ? c.warp->local_stride() + 1 : begin);
    put(c, s.slot(0), i, begin);
  });
}

void save(Context& c, const Step& s) {
  each_active(c, [&](int i) { put(c, s.slot(0), i, end_of(c, i)); });
}
void restore(Context& c, const Step& s) {
  each_active(c, [&](int i) {
    end_of(c, i);
    set_end(c, s, i, get<uint64_t>(c, s.slot(0), i));
  });
}

}  // namespace

Handler select_Alloca(const ir::Instruction&) { return &allocate; }
Handler select_Stacksave(const ir::Instruction&) { return &save; }
Handler select_Stackrestore(const ir::Instruction&) { return &restore; }

}  // namespace longwire::softcuda::interp
