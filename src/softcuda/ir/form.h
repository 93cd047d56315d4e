// What instructions look like: the table of forms (forms.cc), in nearly the notation of the PTX
// ISA, compiled to what matching an opcode and checking its operands needs.
//
// A form is an opcode pattern and its operands:
//   "add{.rn|rz|rm|rp}{.ftz}{.sat}.f32"  {...} may be missing, | are alternatives, $set names a set
//   "d,a,b"                              operands, see below
//
// Operands, separated by commas:
//   d            a register that is written         a  b  c  x..   a register or constant that is
//   read p|q          two operands, the second optional  [a]      an address {d} {a}      a vector
//   *        after d or a: a vector if .v2 .v4 .v8 a%           a constant !        after a: a
//   predicate, may be negated a?           may be missing                     _        after d: may
//   be "_" ~            after d or a: the register may be wider than the type (ld, st, cvt) :2 :3
//   :4     of the second, third, fourth type of the opcode; without it the first :w           of
//   the first type, doubled (mul.wide) :u32 ...     of a type -a           read, checked and
//   dropped: cache policies and hints of time
// What needs more than this is written as "..." and lowered by code (special.cc).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "softcuda/ir/op.h"
#include "softcuda/ir/type.h"

namespace longwire::softcuda::ir {

struct FormLine {
  Op op;
  const char* pattern;
  const char* operands;
};

// The table, grouped by the first word of the pattern.
std::span<const FormLine> form_lines() noexcept;

struct TypeRef {
  std::uint8_t slot = 1;  // of the opcode's types, 1 to 4; 0: `fixed`
  bool doubled = false;
  Type fixed = Type::kNone;
};

struct Slot {
  enum class Kind : std::uint8_t { kDestination, kSource, kConstant, kAddress };
  Kind kind = Kind::kSource;
  TypeRef type;
  bool optional = false;
  bool may_be_vector = false;   // *
  bool must_be_vector = false;  // {}
  bool may_be_sink = false;     // _
  bool relaxed = false;         // ~
  bool negatable = false;       // !
  bool second_of_pair = false;  // the q of p|q
  bool dropped = false;         // -
};

struct Element {
  bool optional = false;
  bool is_type = false;
  std::vector<std::string_view> alternatives;
};

struct Form {
  Op op = Op::kMov;
  bool special = false;  // "..."
  std::vector<Element> elements;
  std::vector<Slot> slots;
};

// All forms whose pattern begins with `word`; empty: there is no such instruction.
std::span<const Form> forms_of(std::string_view word);

// What "$name" stands for in patterns, as "a|b|c".
struct FormSet {
  std::string_view name;
  std::string_view alternatives;
};
std::span<const FormSet> form_sets() noexcept;

Type type_of_name(std::string_view name) noexcept;  // kNone: not a type

}  // namespace longwire::softcuda::ir
