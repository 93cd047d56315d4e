// Video instructions.
#include "softcuda/interp/video_semantics.h"

#include "softcuda/interp/lanes.h"
#include "softcuda/interp/select.h"

namespace longwire::softcuda::interp {
namespace {

using std::uint32_t;

enum class Kind : std::uint8_t { kScalar, kSimd, kMad };

template <Kind kKind>
void run(Context& c, const Step& s) {
  const auto *a = c.at<uint32_t>(s.slot(1)), *b = c.at<uint32_t>(s.slot(2));
  const uint32_t* third = s.has(3) ? c.at<uint32_t>(s.slot(3)) : nullptr;
  uint32_t selectors[3];
  for (int n = 0; n < 3; ++n)
    selectors[n] = c.at<uint32_t>(s.slot(4 + n))[0];
  const uint32_t negated = kKind == Kind::kMad ? c.at<uint32_t>(s.slot(7))[0] : 0;
  auto* d = c.at<uint32_t>(s.slot(0));
  const ir::Instruction& i = *s.source;
  each_active(c, [&](int lane) {
    const uint32_t with = third != nullptr ? third[lane] : 0;
    if constexpr (kKind == Kind::kScalar)
      d[lane] = video::scalar(i, a[lane], b[lane], with, selectors);
    else if constexpr (kKind == Kind::kSimd)
      d[lane] = video::simd(i, a[lane], b[lane], with, selectors);
    else
      d[lane] = video::mad(i, a[lane], b[lane], with, selectors, negated);
  });
}

Handler either(const ir::Instruction& i) {
  return i.modifiers.shape.count > 1 ? &run<Kind::kSimd> : &run<Kind::kScalar>;
}

}  // namespace

Handler select_Vadd(const ir::Instruction& i) { return either(i); }
Handler select_Vsub(const ir::Instruction& i) { return either(i); }
Handler select_Vabsdiff(const ir::Instruction& i) { return either(i); }
Handler select_Vmin(const ir::Instruction& i) { return either(i); }
Handler select_Vmax(const ir::Instruction& i) { return either(i); }
Handler select_Vavrg(const ir::Instruction& i) { return either(i); }
Handler select_Vshl(const ir::Instruction& i) { return either(i); }
Handler select_Vshr(const ir::Instruction& i) { return either(i); }
Handler select_Vset(const ir::Instruction& i) { return either(i); }
Handler select_Vmad(const ir::Instruction&) { return &run<Kind::kMad>; }

}  // namespace longwire::softcuda::interp
