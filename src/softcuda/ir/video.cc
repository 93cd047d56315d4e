// Video instructions: operands of which a part is taken. PTX ISA, "Video Instructions".
#include "softcuda/ir/lower.h"

namespace longwire::softcuda::ir {

using ptx::quoted;
using Written = ptx::Operand::Kind;

namespace {

constexpr std::uint32_t kWord = 32;

// "vadd4" has four lanes, "vadd2" two.
int lanes_of(std::string_view opcode) {
  const auto word = opcode.substr(0, opcode.find('.'));
  return word.back() == '4' ? 4 : word.back() == '2' ? 2 : 1;
}

// Scalar: "b0" to "b3", "h0", "h1": the first bit, and how many << 8.
std::optional<std::uint32_t> part_of(std::string_view selector) {
  if (selector.empty()) return kWord << 8;
  const bool bytes = selector[0] == 'b';
  if (selector.size() != 2 || (!bytes && selector[0] != 'h')) return std::nullopt;
  const std::uint32_t width = bytes ? 8 : 16;
  const auto which = static_cast<std::uint32_t>(selector[1] - '0');
  if (selector[1] < '0' || which >= kWord / width) return std::nullopt;
  return which * width | width << 8;
}

// SIMD: "h10", "b3210": for each lane, the first from the right, which element of {b, a}.
std::optional<std::uint32_t> elements_of_lanes(std::string_view selector, int lanes) {
  const char kind = lanes == 4 ? 'b' : 'h';
  if (selector.size() != static_cast<std::size_t>(lanes) + 1 || selector[0] != kind)
    return std::nullopt;
  std::uint32_t elements = 0;
  for (const char digit : selector.substr(1)) {
    if (digit < '0' || digit >= '0' + 2 * lanes) return std::nullopt;
    elements = elements << 4 | static_cast<std::uint32_t>(digit - '0');
  }
  return elements;
}

// The lanes of the result: "h1", "b310", each once and from the highest on.
std::optional<std::uint32_t> mask_of(std::string_view selector, int lanes) {
  if (selector.empty()) return (1U << lanes) - 1;
  const char kind = lanes == 4 ? 'b' : 'h';
  if (selector.size() < 2 || selector[0] != kind) return std::nullopt;
  std::uint32_t mask = 0;
  int last = lanes;
  for (const char digit : selector.substr(1)) {
    if (digit < '0' || digit - '0' >= last) return std::nullopt;
    last = digit - '0';
    mask |= 1U << last;
  }
  return mask;
}

Operand immediate(std::uint32_t bits) {
  Operand made;
  made.kind = OperandKind::kImmediate;
  made.bits = bits;
  return made;
}

}  // namespace

// The operand without what it selects: "%r1.b0" is %r1, unless something has that name.
ptx::Operand FunctionLowering::selected(const ptx::Operand& from, std::string_view& selector) {
  ptx::Operand bare = from;
  selector = {};
  const auto dot = from.name.rfind('.');
  if (from.kind != Written::kName || dot == std::string_view::npos ||
      find_register(from.name) != kNone)
    return bare;
  selector = from.name.substr(dot + 1);
  bare.name = from.name.substr(0, dot);
  return bare;
}

void FunctionLowering::video(const ptx::Statement& statement, const Opcode& opcode) {
  const auto& from = statement.operands;
  Instruction made = begin(statement, opcode);
  const int lanes = lanes_of(statement.name);
  const bool adds_up = opcode.op == Op::kVmad, simd = lanes > 1;
  made.modifiers.shape.count = static_cast<std::uint8_t>(lanes);
  if (from.size() < 3 || from.size() > 4)
    return fail(statement.at, quoted(statement.name) + " takes 3 or 4 operands");
  std::string_view selectors[3];
  std::uint32_t negated = 0;
  for (std::size_t n = 0; n < from.size(); ++n) {
    const bool minus = from[n].kind == Written::kMinus && adds_up && n > 0 && !made.modifiers.wrap;
    if (minus) negated ^= n == 3 ? 2 : 1;
    std::string_view none;
    const ptx::Operand bare =
        selected(minus ? from[n].parts[0] : from[n], n < 3 ? selectors[n] : none);
    if (!none.empty()) fail(from[n].at, "nothing is selected of the third source");
    operands_.push_back(n == 0 ? destination(bare, {}, Type::kU32) : source(bare, {}, Type::kU32));
  }
  const bool needs_third =
      adds_up || simd || made.modifiers.atomic != AtomicOp::kNone || !selectors[0].empty();
  const bool both = !simd && made.modifiers.atomic != AtomicOp::kNone && !selectors[0].empty();
  if (needs_third != (from.size() == 4) || both || (adds_up && !selectors[0].empty()))
    return fail(statement.at, "the operands of " + quoted(statement.name) + " do not go together");
  if (!needs_third) operands_.emplace_back();
  for (std::size_t n = 0; n < 3; ++n) {
    const auto text = selectors[n];
    const auto chosen =
        !simd    ? part_of(text)
        : n == 0 ? mask_of(text, lanes)
        : !text.empty()
            ? elements_of_lanes(text, lanes)
            : elements_of_lanes(
                  lanes == 4 ? (n == 1 ? "b3210" : "b7654") : (n == 1 ? "h10" : "h32"), lanes);
    if (!chosen) return fail(from[n].at, quoted(text) + " selects nothing here");
    operands_.push_back(immediate(*chosen));
  }
  if (adds_up) operands_.push_back(immediate(negated));
  commit(made, operands_);
}

}  // namespace longwire::softcuda::ir
