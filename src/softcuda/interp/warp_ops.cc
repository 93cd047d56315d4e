// Instructions by which the lanes of a warp look at each other. Those that execute have come
// together (Runner); values of others are what their registers hold.
#include "softcuda/interp/float_semantics.h"
#include "softcuda/interp/integer_semantics.h"
#include "softcuda/interp/lanes.h"
#include "softcuda/interp/select.h"

namespace longwire::softcuda::interp {
namespace {

using std::int32_t, std::uint32_t, std::uint64_t;

struct ShuffleSource {
  int lane;
  bool inside;
};

ShuffleSource shuffle_source(ir::Mode mode, int lane, uint32_t b, uint32_t c) {
  const int by = static_cast<int>(b & 31), clamp = static_cast<int>(c & 31),
            segment = static_cast<int>(c >> 8 & 31);
  const int first = lane & segment, last = first | (clamp & ~segment);
  int source = lane;
  bool inside = false;
  switch (mode) {
    case ir::Mode::kUp:
      source = lane - by;
      inside = source >= last;
      break;
    case ir::Mode::kDown:
      source = lane + by;
      inside = source <= last;
      break;
    case ir::Mode::kBfly:
      source = lane ^ by;
      inside = source <= last;
      break;
    default:
      source = first | (by & ~segment);
      inside = source <= last;
      break;
  }
  return {inside ? source : lane, inside};
}

void shfl(Context& c, const Step& s) {
  const auto *a = c.at<uint32_t>(s.slot(2)), *b = c.at<uint32_t>(s.slot(3)),
             *range = c.at<uint32_t>(s.slot(4));
  uint32_t result[kLanes];
  Mask inside = 0;
  for (int i = 0; i < kLanes; ++i) {
    const ShuffleSource source = shuffle_source(s.source->modifiers.mode, i, b[i], range[i]);
    const int lane = source.lane & 31;  // of which nothing is known where it takes no part: 0
    result[i] = c.has(lane) ? a[lane] : 0;
    inside |= static_cast<Mask>(source.inside ? 1 : 0) << i;
  }
  each(c, c.at<uint32_t>(s.slot(0)), [&](int i) { return result[i]; });
  if (s.has(1)) c.set_predicate(s.slot(1), inside);
}

void vote(Context& c, const Step& s) {
  const Mask p = c.predicate(s.slot(1)) & c.mask;
  bool result = false;
  switch (s.source->modifiers.mode) {
    case ir::Mode::kBallot:
      return each(c, c.at<uint32_t>(s.slot(0)), [p](int) { return p; });
    case ir::Mode::kAll:
      result = p == c.mask;
      break;
    case ir::Mode::kAny:
      result = p != 0;
      break;
    default:
      result = p == 0 || p == c.mask;
      break;
  }
  c.set_predicate(s.slot(0), result ? kAllLanes : 0);
}

template <class T>
void match_any(Context& c, const Step& s) {
  const T* a = c.at<T>(s.slot(1));
  uint32_t result[kLanes];
  for (int i = 0; i < kLanes; ++i)
    result[i] = mask_of([=](int j) { return a[i] == a[j]; }) & c.mask;
  each(c, c.at<uint32_t>(s.slot(0)), [&](int i) { return result[i]; });
}
template <class T>
void match_all(Context& c, const Step& s) {
  const T* a = c.at<T>(s.slot(2));
  const T first = a[std::countr_zero(c.mask)];
  const bool same = (mask_of([=](int i) { return a[i] == first; }) & c.mask) == c.mask;
  const Mask value = same ? c.mask : 0;
  each(c, c.at<uint32_t>(s.slot(0)), [value](int) { return value; });
  if (s.has(1)) c.set_predicate(s.slot(1), same ? kAllLanes : 0);
}

template <class T>
T reduced(ir::AtomicOp op, T x, T y) {
  if constexpr (std::is_integral_v<T>) {
    switch (op) {
      case ir::AtomicOp::kAdd:
        return integer::add(x, y);
      case ir::AtomicOp::kMin:
        return integer::min(x, y);
      case ir::AtomicOp::kMax:
        return integer::max(x, y);
      case ir::AtomicOp::kAnd:
        return x & y;
      case ir::AtomicOp::kOr:
        return x | y;
      default:
        return x ^ y;
    }
  } else {
    return op == ir::AtomicOp::kMin ? floating::min(x, y) : floating::max(x, y);
  }
}
template <class T>
void redux(Context& c, const Step& s) {
  const T* a = c.at<T>(s.slot(1));
  const auto& m = s.source->modifiers;
  bool first = true, nan = false;
  T result{};
  each_active(c, [&](int i) {
    T value = a[i];
    if constexpr (std::is_floating_point_v<T>) {
      if (m.xorsign_abs) value = std::fabs(value);
      nan = nan || value != value;
    }
    result = first ? value : reduced(m.atomic, result, value);
    first = false;
  });
  if constexpr (std::is_floating_point_v<T>)
    result = nan && m.nan ? std::bit_cast<float>(floating::kNaN32) : floating::canonical(result);
  each(c, c.at<T>(s.slot(0)), [=](int) { return result; });
}

void activemask(Context& c, const Step& s) {
  const Mask mask = c.mask;
  each(c, c.at<uint32_t>(s.slot(0)), [mask](int) { return mask; });
}

void elect(Context& c, const Step& s) {
  const auto leader = static_cast<uint32_t>(std::countr_zero(c.mask));
  each(c, c.at<uint32_t>(s.slot(0)), [leader](int) { return leader; });
  if (s.has(1)) c.set_predicate(s.slot(1), Mask{1} << leader);
}

}  // namespace

Handler select_Shfl(const ir::Instruction& i) {
  return ir::bits_of(i.type) == 32 ? &shfl : nullptr;
}
Handler select_Vote(const ir::Instruction&) { return &vote; }
Handler select_Match(const ir::Instruction& i) {
  const bool all = i.modifiers.mode == ir::Mode::kAll;
  if (ir::bits_of(i.type) == 32) return all ? &match_all<uint32_t> : &match_any<uint32_t>;
  if (ir::bits_of(i.type) == 64) return all ? &match_all<uint64_t> : &match_any<uint64_t>;
  return nullptr;
}
Handler select_Activemask(const ir::Instruction&) { return &activemask; }
Handler select_Redux(const ir::Instruction& i) {
  switch (i.type) {
    case ir::Type::kB32:
    case ir::Type::kU32:
      return &redux<uint32_t>;
    case ir::Type::kS32:
      return &redux<int32_t>;
    case ir::Type::kF32:
      return &redux<float>;
    default:
      return nullptr;
  }
}
Handler select_Elect(const ir::Instruction&) { return &elect; }

}  // namespace longwire::softcuda::interp
