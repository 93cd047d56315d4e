// How registers' values go together: uniform, lines along rows of lanes, or any. First all is taken
// to be what its writes make of it at best; what that does not keep is given up, until nothing is.
#include <cstring>

#include "softcuda/jit/analysis.h"

namespace longwire::softcuda::jit {
namespace {

using interp::Base;
using ir::Op;
using Kind = Shape::Kind;

// Steps so long are no addresses of elements. Of 32-bit registers, and of 64-bit ones.
constexpr std::int64_t kMostStep = std::int64_t{1} << 24, kMostLongStep = std::int64_t{1} << 40;

// Of equal operands the same result for all lanes.
bool is_pure(const ir::Instruction& i) {
  const ir::Modifiers& m = i.modifiers;
  const bool carries = m.carry_in || m.carry_out;
  if (i.op <= Op::kShr) return !carries;  // integer, logic, shift
  if (i.op >= Op::kTestp && i.op <= Op::kSlct) return true;
  switch (i.op) {
    case Op::kMov:
    case Op::kPrmt:
    case Op::kCvt:
    case Op::kCvtPack:
    case Op::kMapa:
    case Op::kGetctarank:
      return true;
    case Op::kLd:
    case Op::kLdu:
      return m.space != ir::Space::kLocal && !m.volatile_ && m.order == ir::Order::kWeak;
    case Op::kIsspacep:
      return m.space != ir::Space::kLocal && m.space != ir::Space::kGlobal;
    case Op::kCvta:
      return m.space != ir::Space::kLocal && m.to_space != ir::Space::kLocal;
    default:
      return false;
  }
}

Shape joined(const Shape& a, const Shape& b) {
  if (a.kind == Kind::kUnknown) return b;
  if (b.kind == Kind::kUnknown) return a;
  if (!a.is_line() || !b.is_line() || a.step != b.step) return Shape::varying();
  return Shape::line(a.step, a.of_rows || b.of_rows);
}

bool is_plain(ir::Type type) {
  switch (type) {
    case ir::Type::kB32:
    case ir::Type::kU32:
    case ir::Type::kS32:
    case ir::Type::kB64:
    case ir::Type::kU64:
    case ir::Type::kS64:
      return true;
    default:
      return false;
  }
}

// A register is as wide as what is read from it or written to it.
bool is_as_wide(const Step& s, int n) {
  const ir::Instruction& i = *s.source;
  const Slot& slot = s.slot(n);
  if (slot.base != Base::kFrame) return true;
  int bits = ir::bits_of(n > 0 && i.op == Op::kCvt ? i.type2 : i.type);
  if (i.modifiers.part == ir::Part::kWide && (n == 0 || n == 3)) bits *= 2;
  return 8 * slot.bytes == bits;
}

// A line that is short enough to be kept as one.
Shape kept(std::int64_t step, bool of_rows, int bits) {
  const std::int64_t most = bits == 64 ? kMostLongStep : kMostStep;
  return step > most || step < -most ? Shape::varying() : Shape::line(step, of_rows);
}

}  // namespace

bool Analysis::is_uniform(const Slot& slot) const noexcept { return shape(slot).uniform(); }

Shape Analysis::special_shape(const Slot& slot) const noexcept {
  const ir::Special special = programs_.specials[slot.offset / interp::kPoolBytes].special;
  const bool lanes = special >= ir::Special::kLanemaskEq && special <= ir::Special::kLanemaskGt;
  if (lanes) return Shape::varying();
  if (special == ir::Special::kLaneid)
    return rows() == interp::kLanes ? Shape::line(1) : Shape::varying();
  if (special < ir::Special::kTidX || special > ir::Special::kTidZ) return Shape::line(0);
  if (rows() == 0) return Shape::varying();
  if (special == ir::Special::kTidX) return Shape::line(1);
  return Shape::line(0, rows() != interp::kLanes);
}

Shape Analysis::shape(const Slot& slot) const noexcept {
  switch (slot.base) {
    case Base::kFrame:
      return shapes_[register_of(slot)];
    case Base::kSpecials:
      return special_shape(slot);
    default:
      return Shape::line(0);
  }
}

// a * b of mul and mad, one of which is a constant, or one for all lanes.
Shape Analysis::product_shape(const Step& s) const noexcept {
  const ir::Modifiers& m = s.source->modifiers;
  const int bits = ir::bits_of(s.source->type);
  const bool wide = m.part == ir::Part::kWide;
  if (m.part != ir::Part::kLo && !(wide && bits == 32)) return Shape::varying();
  const bool first = shape(s.slot(1)).uniform();
  const Slot &factor = s.slot(first ? 1 : 2), &other = s.slot(first ? 2 : 1);
  const Shape a = shape(other);
  if (!shape(factor).uniform()) return Shape::varying();
  if (a.step == 0) return Shape::line(0, a.of_rows);
  if (factor.base != Base::kConstants) return Shape::varying();
  const std::int64_t by = constant(factor, bits, ir::is_signed(s.source->type));
  if (by > kMostStep || by < -kMostStep) return Shape::varying();
  return kept(a.step * by, a.of_rows, wide ? 2 * bits : bits);
}

std::int64_t Analysis::constant(const Slot& slot, int bits, bool with_sign) const noexcept {
  std::int64_t value = 0;
  std::memcpy(&value, programs_.constants.data() + slot.offset, sizeof value);
  if (bits == 64) return value;
  return with_sign ? static_cast<std::int32_t>(value)
                   : static_cast<std::int64_t>(static_cast<std::uint32_t>(value));
}

// Of operands that are lines, but not all uniform. The emitter's emit_line() has the same.
Shape Analysis::line_result(const Step& s) const noexcept {
  const ir::Instruction& i = *s.source;
  const ir::Modifiers& m = i.modifiers;
  const int bits = ir::bits_of(i.type);
  if (!is_plain(i.type) || m.saturate || m.carry_in || m.carry_out || s.count[0] != 1)
    return Shape::varying();
  for (int n = 0; n < s.operands; ++n)
    if (s.count[n] != 1 || s.slot(n).in_frame || !is_as_wide(s, n)) return Shape::varying();
  const Shape a = shape(s.slot(1));
  switch (i.op) {
    case Op::kMov:
      return a;
    case Op::kCvta:
      return bits == 64 && m.space != ir::Space::kLocal && m.to_space != ir::Space::kLocal
                 ? a
                 : Shape::varying();
    case Op::kCvt:
      return is_plain(i.type2) ? kept(a.step, a.of_rows, bits) : Shape::varying();
    case Op::kAdd:
    case Op::kSub: {
      const Shape b = shape(s.slot(2));
      const std::int64_t step = i.op == Op::kAdd ? a.step + b.step : a.step - b.step;
      return kept(step, a.of_rows || b.of_rows, bits);
    }
    case Op::kShl: {
      if (s.slot(2).base != Base::kConstants) return Shape::varying();
      const std::int64_t by = constant(s.slot(2), 32, false);
      return by >= 24 ? Shape::varying() : kept(a.step * (std::int64_t{1} << by), a.of_rows, bits);
    }
    case Op::kMul:
      return product_shape(s);
    case Op::kMad: {
      const Shape product = product_shape(s), c = shape(s.slot(3));
      if (!product.is_line()) return product;
      return kept(product.step + c.step, product.of_rows || c.of_rows,
                  m.part == ir::Part::kWide ? 2 * bits : bits);
    }
    default:
      return Shape::varying();
  }
}

Shape Analysis::result_shape(const Step& s) const noexcept {
  if (s.source == nullptr || !is_pure(*s.source)) return Shape::varying();
  bool uniform = true, known = true, line = true;
  auto look = [&](const Shape& a) {
    known = known && a.kind != Kind::kUnknown;
    uniform = uniform && a.uniform();
    line = line && a.is_line();
  };
  if (s.guard != ir::kNone) {
    const Shape& guard = shapes_[register_at_[s.guard / 2]];
    if (guard.kind != Kind::kUnknown && !guard.uniform()) return Shape::varying();
    look(guard);
  }
  for (int n = destinations(s); n < s.operands; ++n)
    for (int e = 0; e < s.count[n]; ++e)
      if (const Slot& slot = s.slot(n, e); slot.present) look(shape(slot));
  if (!known) return {};
  if (uniform) return Shape::line(0);
  return line ? line_result(s) : Shape::varying();
}

void Analysis::spread_shapes() {
  for (RegisterId id = 0; id < registers(); ++id)
    shapes_[id] = varying_[id] ? Shape::varying() : Shape{};
  settle_shapes();
  // What is only written where nothing comes is of no use.
  for (Shape& shape : shapes_)
    if (shape.kind == Kind::kUnknown) shape = Shape::line(0);
  settle_shapes();
}

void Analysis::settle_shapes() {
  for (bool changed = true; changed;) {
    changed = false;
    for (const Step& s : program_.steps) {
      const Shape shape = result_shape(s);
      each_written(s, [&](RegisterId id) {
        const Shape now = joined(shapes_[id], shape);
        changed = changed || !(now == shapes_[id]);
        shapes_[id] = now;
      });
    }
  }
}

void Analysis::find_shapes() {
  varying_.assign(registers(), blocks_.size() > kMaxBlocks);
  shapes_.assign(registers(), Shape::varying());
  numbers_.assign(registers(), false);
  if (blocks_.empty() || blocks_.size() > kMaxBlocks) return;
  for (RegisterId id = 0; id < registers(); ++id)
    if (blocks_[0].live_in[id]) varying_[id] = true;
  find_postdominators();
  find_writes();
  find_numbers();
  do
    spread_shapes();
  while (drop_joined());
}

}  // namespace longwire::softcuda::jit
