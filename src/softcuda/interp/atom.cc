// atom and red, each lane after the other. Strictly ordered, whatever the program asks for.
#include <cstring>
#include <mutex>

#include "softcuda/interp/access.h"
#include "softcuda/interp/half.h"
#include "softcuda/interp/integer_semantics.h"
#include "softcuda/interp/lanes.h"
#include "softcuda/interp/rounding.h"
#include "softcuda/interp/select.h"

namespace longwire::softcuda::interp {
namespace {

using ir::AtomicOp;
using ir::Type;
using machine::Access;
using std::uint16_t, std::uint32_t, std::uint64_t;

// Where operands stand: atom d [a] b c, red [a] b.
struct Operands {
  int result, address, value;
};
Operands operands_of(const Step& s) {
  return s.source->op == ir::Op::kAtom ? Operands{0, 1, 2} : Operands{-1, 0, 1};
}

// What a place holds after an operation: F(old, b), and for cas c where old is b.
template <class T, AtomicOp kOp>
T updated(T old, T b, T c) {
  using U = integer::Unsigned<T>;
  switch (kOp) {
    case AtomicOp::kAnd:
      return old & b;
    case AtomicOp::kOr:
      return old | b;
    case AtomicOp::kXor:
      return old ^ b;
    case AtomicOp::kCas:
      return old == b ? c : old;
    case AtomicOp::kExch:
      return b;
    case AtomicOp::kAdd:
      return integer::add(old, b);
    case AtomicOp::kInc:
      return static_cast<U>(old) >= static_cast<U>(b) ? 0 : integer::add(old, T{1});
    case AtomicOp::kDec:
      return old == 0 || static_cast<U>(old) > static_cast<U>(b) ? b : integer::sub(old, T{1});
    case AtomicOp::kMin:
      return integer::min(old, b);
    case AtomicOp::kMax:
      return integer::max(old, b);
    default:
      return old;
  }
}

template <class T, class F>
T exchange(std::byte* where, F f) {
  auto* place = reinterpret_cast<T*>(where);
  T old = __atomic_load_n(place, __ATOMIC_SEQ_CST);
  while (
      !__atomic_compare_exchange_n(place, &old, f(old), true, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
  }
  return old;
}

// cp.reduce.async.bulk: [dst] [src] size.
template <class T, T (*F)(T old, T b, T c)>
void reduce_bulk(Context& c, const Step& s) {
  constexpr uint32_t kUnit = 16;  // of sizes
  const ir::Modifiers& m = s.source->modifiers;
  c.strong_access = true;
  each_active(c, [&](int i) {
    const uint32_t size = c.at<uint32_t>(s.slot(2))[i];
    if (size % kUnit != 0)
      c.warp->fault(machine::FaultKind::kIllegalInstruction, i, 0, s.source->place,
                    "a bulk reduction of what is no multiple of 16 bytes");
    Slot to = s.slot(0), from = s.slot(1);
    for (uint32_t at = 0; at < size; at += sizeof(T)) {
      T value;
      std::memcpy(&value, place_of(c, s, from, i, m.space, sizeof(T), Access::kRead), sizeof(T));
      exchange<T>(place_of(c, s, to, i, m.to_space, sizeof(T), Access::kAtomic),
                  [&](T old) { return F(old, value, T{0}); });
      to.displacement += sizeof(T);
      from.displacement += sizeof(T);
    }
  });
}

// T is what the operation works on; all elements of a vector are on their own.
template <class T, T (*F)(T old, T b, T c)>
void atomic(Context& c, const Step& s) {
  if (s.source->op == ir::Op::kCpReduceBulk) return reduce_bulk<T, F>(c, s);
  const Operands at = operands_of(s);
  const int elements = s.count[at.value];
  const bool has_third = s.has(3) && s.source->modifiers.atomic == AtomicOp::kCas;
  const T* third = has_third ? c.at<T>(s.slot(3)) : nullptr;
  if (at.result >= 0) c.strong_access = true;
  each_active(c, [&](int i) {
    std::byte* place = place_of(c, s, s.slot(at.address), i, s.source->modifiers.space,
                                static_cast<uint32_t>(sizeof(T)) * static_cast<uint32_t>(elements),
                                Access::kAtomic);
    for (int n = 0; n < elements; ++n, place += sizeof(T)) {
      const T b = c.at<T>(s.slot(at.value, n))[i], last = third != nullptr ? third[i] : T{0};
      const T old = exchange<T>(place, [&](T value) { return F(value, b, last); });
      if (at.result >= 0) c.at<T>(s.slot(at.result, n))[i] = old;
    }
  });
}

template <class T>
Handler integer_handler(AtomicOp op) {
#define CASE(name)     \
  case AtomicOp::name: \
    return &atomic<T, &updated<T, AtomicOp::name>>;
  switch (op) {
    CASE(kAnd)
    CASE(kOr)
    CASE(kXor)
    CASE(kCas)
    CASE(kExch)
    CASE(kAdd)
    CASE(kInc)
    CASE(kDec)
    CASE(kMin)
    CASE(kMax)
    case AtomicOp::kNone:
      break;
  }
#undef CASE
  return nullptr;
}

// --- floating point, on the bits ---

// Single-precision sums in global memory flush subnormals on devices; those in shared do not. The
// ISA lets both be: kept here.
template <class B, class F>
B add_floats(B old, B b, B) {
  return std::bit_cast<B>(static_cast<F>(std::bit_cast<F>(old) + std::bit_cast<F>(b)));
}

enum class HalfKind : std::uint8_t { kF16, kBF16 };
template <HalfKind kKind, AtomicOp kOp>
uint16_t half_result(uint16_t old, uint16_t b, uint16_t) {
  constexpr bool kIsF16 = kKind == HalfKind::kF16;
  const double x = kIsF16 ? float_of_f16(old) : float_of_bf16(old);
  const double y = kIsF16 ? float_of_f16(b) : float_of_bf16(b);
  const double sum = kOp == AtomicOp::kAdd   ? add_to_odd(x, y)
                     : kOp == AtomicOp::kMin ? (y < x || x != x ? y : x)
                                             : (y > x || x != x ? y : x);
  return kIsF16 ? f16_of(sum) : bf16_of(sum);
}
template <HalfKind kKind, AtomicOp kOp>
uint32_t halves_result(uint32_t old, uint32_t b, uint32_t) {
  auto half = [](uint32_t x, uint32_t y) -> uint32_t {
    return half_result<kKind, kOp>(static_cast<uint16_t>(x), static_cast<uint16_t>(y), 0);
  };
  return half(old, b) | half(old >> 16, b >> 16) << 16;
}
template <HalfKind kKind>
Handler half_handler(AtomicOp op, bool packed) {
  switch (op) {
    case AtomicOp::kAdd:
      return packed ? &atomic<uint32_t, &halves_result<kKind, AtomicOp::kAdd>>
                    : &atomic<uint16_t, &half_result<kKind, AtomicOp::kAdd>>;
    case AtomicOp::kMin:
      return packed ? &atomic<uint32_t, &halves_result<kKind, AtomicOp::kMin>>
                    : &atomic<uint16_t, &half_result<kKind, AtomicOp::kMin>>;
    case AtomicOp::kMax:
      return packed ? &atomic<uint32_t, &halves_result<kKind, AtomicOp::kMax>>
                    : &atomic<uint16_t, &half_result<kKind, AtomicOp::kMax>>;
    default:
      return nullptr;
  }
}

// --- 128 bits: under a lock, as not every processor has an instruction ---

struct Bits128 {
  uint64_t low, high;
};
void atomic128(Context& c, const Step& s) {
  static std::mutex mutex;
  const bool cas = s.source->modifiers.atomic == AtomicOp::kCas;
  c.strong_access = true;
  each_active(c, [&](int i) {
    std::byte* where = place_of(c, s, s.slot(1), i, s.source->modifiers.space, 16, Access::kAtomic);
    auto* place = reinterpret_cast<Bits128*>(where);
    const Bits128 b = c.at<Bits128>(s.slot(2))[i];
    std::lock_guard lock(mutex);
    const Bits128 old = *place;
    const bool same = old.low == b.low && old.high == b.high;
    if (!cas) *place = b;
    if (cas && same) *place = c.at<Bits128>(s.slot(3))[i];
    c.at<Bits128>(s.slot(0))[i] = old;
  });
}

Handler handler(const ir::Instruction& i) {
  const AtomicOp op = i.modifiers.atomic;
  switch (i.type) {
    case Type::kB16:
      return op == AtomicOp::kCas ? integer_handler<uint16_t>(op) : nullptr;
    case Type::kB32:
    case Type::kU32:
      return integer_handler<uint32_t>(op);
    case Type::kS32:
      return integer_handler<std::int32_t>(op);
    case Type::kB64:
    case Type::kU64:
      return integer_handler<uint64_t>(op);
    case Type::kS64:
      return integer_handler<std::int64_t>(op);
    case Type::kF32:
      return op == AtomicOp::kAdd ? &atomic<uint32_t, &add_floats<uint32_t, float>> : nullptr;
    case Type::kF64:
      return op == AtomicOp::kAdd ? &atomic<uint64_t, &add_floats<uint64_t, double>> : nullptr;
    case Type::kF16:
      return half_handler<HalfKind::kF16>(op, false);
    case Type::kF16x2:
      return half_handler<HalfKind::kF16>(op, true);
    case Type::kBF16:
      return half_handler<HalfKind::kBF16>(op, false);
    case Type::kBF16x2:
      return half_handler<HalfKind::kBF16>(op, true);
    case Type::kB128:
      return i.op == ir::Op::kAtom && (op == AtomicOp::kCas || op == AtomicOp::kExch) ? &atomic128
                                                                                      : nullptr;
    default:
      return nullptr;
  }
}

}  // namespace

Handler select_Atom(const ir::Instruction& i) { return handler(i); }
Handler select_CpReduceBulk(const ir::Instruction& i) { return handler(i); }
Handler select_Red(const ir::Instruction& i) { return handler(i); }

}  // namespace longwire::softcuda::interp
