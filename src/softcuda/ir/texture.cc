// tex, tld4, suld, sust and queries: [texture {, sampler}, coordinates].
#include "softcuda/ir/lower.h"

namespace longwire::softcuda::ir {

using ptx::quoted;
using Written = ptx::Operand::Kind;

namespace {

std::size_t coordinate_count(Mode geometry) {
  switch (geometry) {
    case Mode::k1d:
      return 1;
    case Mode::k2d:
    case Mode::kArray1d:
      return 2;
    default:
      return 4;  // 3d, a2d, cube and acube; three may be given
  }
}

}  // namespace

// A handle in a register, or a .texref, .samplerref or .surfref.
Operand FunctionLowering::texture_name(const ptx::Operand& from) {
  if (from.kind == Written::kName) {
    const auto found = context_.names.find(from.name);
    if (found != context_.names.end() && found->second.kind == ModuleName::Kind::kTexture) {
      Operand made;
      made.kind = Kind::kTexture;
      made.id = found->second.id;
      return made;
    }
  }
  return source(from, {}, Type::kU64);
}

Operand FunctionLowering::coordinates(const ptx::Operand& from, Mode geometry, Type type) {
  const auto parts = elements_of(from);
  const auto wanted = coordinate_count(geometry);
  if (parts.size() != wanted && !(wanted == 4 && parts.size() == 3)) {
    fail(from.at, std::to_string(wanted) + " coordinates are wanted here");
    return {};
  }
  std::vector<Operand> elements;
  elements.reserve(parts.size());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const bool layer = i == 0 && (geometry == Mode::kArray1d || geometry == Mode::kArray2d ||
                                  geometry == Mode::kArrayCube);
    elements.push_back(source(parts[i], {}, layer ? Type::kU32 : type));
  }
  return keep_elements(elements, Kind::kVector);
}

// As many parts as the texture has dimensions, of which a fourth has no meaning.
Operand FunctionLowering::gradient(const ptx::Operand& from, Mode geometry) {
  const auto parts = elements_of(from);
  const bool one = geometry == Mode::k1d || geometry == Mode::kArray1d;
  const bool two = geometry == Mode::k2d || geometry == Mode::kArray2d;
  const std::size_t wanted = one ? 1 : two ? 2 : 4;
  if (parts.size() != wanted && !(wanted == 4 && parts.size() == 3)) {
    fail(from.at, "a gradient has " + std::to_string(wanted) + " parts here");
    return {};
  }
  std::vector<Operand> elements;
  elements.reserve(parts.size());
  for (const auto& part : parts)
    elements.push_back(source(part, {}, Type::kF32));
  return keep_elements(elements, Kind::kVector);
}

void FunctionLowering::texture(const ptx::Statement& statement, const Opcode& opcode) {
  const auto& from = statement.operands;
  const bool level = statement.name.find(".level.") != std::string_view::npos;
  const bool gradients = statement.name.find(".grad.") != std::string_view::npos;
  const std::size_t wanted = level ? 3 : gradients ? 4 : 2;
  const bool shaped = from.size() == wanted && from[1].kind == Written::kAddress &&
                      (from[1].parts.size() == 2 || from[1].parts.size() == 3);
  if (!shaped)
    return fail(statement.at, quoted(statement.name) + " takes d, [texture, coordinates]" +
                                  (level       ? ", level"
                                   : gradients ? ", gradient, gradient"
                                               : ""));
  Instruction made = begin(statement, opcode);
  vector_length_ = made.modifiers.vector;
  const bool sampler = from[1].parts.size() == 3;
  // f16 comes in registers of 16 bits, f16x2 in those of 32.
  operands_.push_back(vector(from[0], {}, made.type, true));
  operands_.push_back(texture_name(from[1].parts[0]));
  operands_.push_back(sampler ? texture_name(from[1].parts[1]) : Operand{});
  operands_.push_back(coordinates(from[1].parts.back(), made.modifiers.mode, made.type2));
  if (level) operands_.push_back(source(from[2], {}, made.type2));
  for (std::size_t i = 2; gradients && i < wanted; ++i)
    operands_.push_back(gradient(from[i], made.modifiers.mode));
  commit(made, operands_);
}

// suld: d [surface, coordinates]; sust: [surface, coordinates] value
void FunctionLowering::surface(const ptx::Statement& statement, const Opcode& opcode) {
  const auto& from = statement.operands;
  const bool loads = opcode.op == Op::kSuld;
  const bool shaped = from.size() == 2 && from[loads ? 1 : 0].kind == Written::kAddress &&
                      from[loads ? 1 : 0].parts.size() == 2;
  if (!shaped) return fail(statement.at, quoted(statement.name) + " takes [surface, coordinates]");
  Instruction made = begin(statement, opcode);
  vector_length_ = made.modifiers.vector;
  Slot value;
  value.relaxed = true;
  const auto& place = from[loads ? 1 : 0].parts;
  if (loads) operands_.push_back(vector(from[0], value, made.type, true));
  operands_.push_back(texture_name(place[0]));
  operands_.push_back(coordinates(place[1], made.modifiers.mode, Type::kS32));
  if (!loads) operands_.push_back(vector(from[1], value, made.type, false));
  commit(made, operands_);
}

// txq.width.b32 d, [texture]: what is asked for is in `modifiers.mode`.
void FunctionLowering::query(const ptx::Statement& statement, const Opcode& opcode) {
  const auto& from = statement.operands;
  const bool shaped = from.size() == 2 && from[1].kind == Written::kAddress &&
                      from[1].parts.empty() && from[1].constant.bits == 0;
  if (!shaped) return fail(statement.at, quoted(statement.name) + " takes d, [texture]");
  Instruction made = begin(statement, opcode);
  ptx::Operand name = from[1];
  name.kind = Written::kName;
  operands_.push_back(destination(from[0], {}, made.type));
  operands_.push_back(texture_name(name));
  commit(made, operands_);
}

}  // namespace longwire::softcuda::ir
