// Copies and stores of many bytes, which are done at once, and what of clusters is answered here.
#include <cstring>

#include "softcuda/interp/access.h"
#include "softcuda/interp/lanes.h"
#include "softcuda/interp/select.h"

namespace longwire::softcuda::interp {
namespace {

using machine::Access;
using std::uint32_t, std::uint64_t;

// As the ISA wants sizes and addresses.
constexpr uint32_t kCopyUnit = 16, kStoreUnit = 8;

void check_size(Context& c, const Step& s, int lane, uint64_t size, uint32_t unit) {
  if (size % unit != 0)
    c.warp->fault(machine::FaultKind::kIllegalInstruction, lane, 0, s.source->place,
                  unit == kCopyUnit ? "a bulk copy of what is no multiple of 16 bytes"
                                    : "st.bulk of what is no multiple of 8 bytes");
}

std::byte* unit_at(Context& c, const Step& s, int operand, int lane, ir::Space space, uint64_t at,
                   uint32_t unit, Access access) {
  Slot slot = s.slot(operand);
  slot.displacement += static_cast<std::int64_t>(at);
  return place_of(c, s, slot, lane, space, unit, access);
}

void copy(Context& c, const Step& s) {
  const ir::Modifiers& m = s.source->modifiers;
  c.strong_access = true;
  each_active(c, [&](int i) {
    const uint32_t size = c.at<uint32_t>(s.slot(2))[i];
    check_size(c, s, i, size, kCopyUnit);
    for (uint64_t at = 0; at < size; at += kCopyUnit) {
      const std::byte* from = unit_at(c, s, 1, i, m.space, at, kCopyUnit, Access::kRead);
      std::memmove(unit_at(c, s, 0, i, m.to_space, at, kCopyUnit, Access::kWrite), from, kCopyUnit);
    }
  });
}

void store(Context& c, const Step& s) {
  each_active(c, [&](int i) {
    const auto size = get<uint64_t>(c, s.slot(1), i);
    check_size(c, s, i, size, kStoreUnit);
    for (uint64_t at = 0; at < size; at += kStoreUnit)
      std::memset(unit_at(c, s, 0, i, s.source->modifiers.space, at, kStoreUnit, Access::kWrite), 0,
                  kStoreUnit);
  });
}

// Of a response that says that nothing was cancelled: false, and no block.
void query(Context& c, const Step& s) {
  if (s.source->type == ir::Type::kPred) return c.set_predicate(s.slot(0), 0);
  for (int n = 0; n < s.count[0]; ++n)
    if (s.slot(0, n).present) each(c, c.at<uint32_t>(s.slot(0, n)), [](int) { return 0U; });
}

void nothing(Context&, const Step&) {}

}  // namespace

Handler select_CpBulk(const ir::Instruction&) { return &copy; }
Handler select_StBulk(const ir::Instruction&) { return &store; }
Handler select_QueryCancel(const ir::Instruction&) { return &query; }
Handler select_Setmaxnreg(const ir::Instruction&) { return &nothing; }

}  // namespace longwire::softcuda::interp
