// cvt and cvt.pack.
#include "softcuda/interp/convert_semantics.h"
#include "softcuda/interp/fp8.h"
#include "softcuda/interp/half.h"
#include "softcuda/interp/lanes.h"
#include "softcuda/interp/rounding.h"
#include "softcuda/interp/select.h"
#include "softcuda/interp/small_floats.h"

namespace longwire::softcuda::interp {
namespace {

using ir::Rounding;
using ir::Type;
using std::int32_t, std::int64_t, std::uint16_t, std::uint32_t, std::uint64_t;

void any(Context& c, const Step& s) {
  each_active(
      c, [&](int i) { put(c, s.slot(0), i, convert(*s.source, get<uint64_t>(c, s.slot(1), i))); });
}

// The usual ones, where registers are as wide as types.
template <class D, class S>
D plain(S v) {
  return static_cast<D>(v);
}
template <class D, class S>
void fast(Context& c, const Step& s) {
  const bool fits = s.slot(0).bytes == sizeof(D) &&
                    (s.slot(1).bytes == sizeof(S) || s.slot(1).base != Base::kFrame);
  if (!fits) return any(c, s);
  unary<D, S, &plain<D, S>>(c, s);
}

Handler fast_integers(const ir::Instruction& i) {
  if (i.modifiers.saturate) return nullptr;
  const int to = ir::bits_of(i.type), from = ir::bits_of(i.type2);
  const bool with_sign = ir::is_signed(i.type2);
  if (to == 64 && from == 32)
    return with_sign ? &fast<int64_t, int32_t> : &fast<uint64_t, uint32_t>;
  if (to == 32 && from == 64) return &fast<uint32_t, uint64_t>;
  if (to == 32 && from == 16)
    return with_sign ? &fast<int32_t, std::int16_t> : &fast<uint32_t, uint16_t>;
  if (to == 16 && from == 32) return &fast<uint16_t, uint32_t>;
  return nullptr;
}
Handler fast_floats(const ir::Instruction& i) {
  const bool nearest =
      i.modifiers.rounding == Rounding::kNearest && !i.modifiers.saturate && !i.modifiers.ftz;
  if (i.type == Type::kF32 && i.type2 == Type::kS32 && nearest) return &fast<float, int32_t>;
  if (i.type == Type::kF32 && i.type2 == Type::kU32 && nearest) return &fast<float, uint32_t>;
  if (i.type == Type::kF64 && i.type2 == Type::kS32 && nearest) return &fast<double, int32_t>;
  return nullptr;
}

bool is_scalar(Type type) {
  if (!ir::is_float(type))
    return ir::bits_of(type) >= 8 && ir::bits_of(type) <= 64 && type != Type::kNone;
  return type == Type::kF16 || type == Type::kBF16 || type == Type::kF32 || type == Type::kF64;
}
bool is_packed_integer(Type type) {
  return type == Type::kU16x2 || type == Type::kS16x2 || type == Type::kU8x4 || type == Type::kS8x4;
}

// d = {a, b}: a goes to the upper half.
template <class F, int kBits>
void pack_two(Context& c, const Step& s) {
  const auto *a = c.at<float>(s.slot(1)), *b = c.at<float>(s.slot(2));
  ir::Instruction one = *s.source;
  one.type = kBits == 16 && std::is_same_v<F, BF16> ? Type::kBF16 : Type::kF16;
  one.type2 = Type::kF32;
  auto half = [&](float v) {
    return static_cast<uint32_t>(convert(one, std::bit_cast<uint32_t>(v))) & 0xffff;
  };
  auto* d = c.at<uint32_t>(s.slot(0));
  each_active(c, [&](int i) { d[i] = half(a[i]) << 16 | half(b[i]); });
}

// --- cvt.pack.sat: d = c << n | a << n... | b, each saturated ---
uint32_t saturated(int64_t value, Type type) {
  const int bits = ir::bits_of(type);
  const int64_t most = (int64_t{1} << (bits - (ir::is_signed(type) ? 1 : 0))) - 1;
  const int64_t least = ir::is_signed(type) ? -(int64_t{1} << (bits - 1)) : 0;
  value = value < least ? least : value > most ? most : value;
  return static_cast<uint32_t>(value) & static_cast<uint32_t>((uint64_t{1} << bits) - 1);
}
void pack(Context& c, const Step& s) {
  const auto *a = c.at<int32_t>(s.slot(1)), *b = c.at<int32_t>(s.slot(2));
  const uint32_t* third = s.has(3) ? c.at<uint32_t>(s.slot(3)) : nullptr;
  auto* d = c.at<uint32_t>(s.slot(0));
  const Type type = s.source->type;
  const int bits = ir::bits_of(type);
  each_active(c, [&](int i) {
    const uint32_t two = saturated(a[i], type) << bits | saturated(b[i], type);
    d[i] = bits == 16 ? two : (third != nullptr ? third[i] << (2 * bits) : 0) | two;
  });
}

}  // namespace

Handler select_Cvt(const ir::Instruction& i) {
  if (auto small = select_small(i)) return small;
  if (i.type2 == Type::kF32 && i.type == Type::kF16x2) return &pack_two<F16, 16>;
  if (i.type2 == Type::kF32 && i.type == Type::kBF16x2) return &pack_two<BF16, 16>;
  if (i.type == Type::kTF32) return i.type2 == Type::kF32 ? &any : nullptr;
  if (auto narrow = select_fp8(i)) return narrow;
  if (!is_scalar(i.type) || !is_scalar(i.type2) || is_packed_integer(i.type)) return nullptr;
  const bool integers = !ir::is_float(i.type) && !ir::is_float(i.type2);
  if (Handler handler = integers ? fast_integers(i) : fast_floats(i)) return handler;
  return &any;
}
Handler select_CvtPack(const ir::Instruction& i) {
  const bool known = i.type == Type::kS16 || i.type == Type::kU16 || i.type == Type::kS8 ||
                     i.type == Type::kU8 || i.type == Type::kS4 || i.type == Type::kU4 ||
                     i.type == Type::kS2 || i.type == Type::kU2;
  return known && i.type2 == Type::kS32 ? &pack : nullptr;
}

}  // namespace longwire::softcuda::interp
