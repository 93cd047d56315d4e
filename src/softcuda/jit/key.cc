#include "softcuda/jit/key.h"

#include <cstring>
#include <type_traits>

namespace longwire::softcuda::jit {
namespace {

using interp::Base;
using interp::KernelPrograms;
using interp::Program;
using interp::Slot;
using interp::Step;

class KeyWriter {
 public:
  template <class... T>
  void put(const T&... values) {
    (put_one(values), ...);
  }
  void text(std::string_view value) {
    put(std::uint64_t{value.size()});
    append(value.data(), value.size());
  }
  std::vector<std::byte> take() { return std::move(bytes_); }

 private:
  template <class T>
  void put_one(const T& value) {
    static_assert(std::is_arithmetic_v<T> || std::is_enum_v<T>, "it may have padding");
    append(&value, sizeof value);
  }
  void append(const void* from, std::size_t size) {
    const auto* begin = static_cast<const std::byte*>(from);
    bytes_.insert(bytes_.end(), begin, begin + size);
  }

  std::vector<std::byte> bytes_;
};

// Structured bindings: who adds a member to one of these must say here whether code depends on it.

void put(KeyWriter& out, const ir::Modifiers& m) {
  const auto& [rounding, compare, combine, atomic, part, space, to_space, order, scope, mode, shape,
               vector, ftz, saturate, approximate, full, relu, nan, xorsign_abs, wrap, uniform,
               carry_in, carry_out, transposed, is_volatile] = m;
  out.put(rounding, compare, combine, atomic, part, space, to_space, order, scope, mode, vector);
  for (const bool flag : {bool(ftz), bool(saturate), bool(approximate), bool(full), bool(relu),
                          bool(nan), bool(xorsign_abs), bool(wrap), bool(uniform), bool(carry_in),
                          bool(carry_out), bool(transposed), bool(is_volatile)})
    out.put(flag);
  const auto& [rows, columns, depth, count, a_column, b_row] = shape;
  out.put(rows, columns, depth, count, a_column, b_row);
}

// Operands are in the step's slots; the place in the text is for messages.
void put(KeyWriter& out, const ir::Instruction& i) {
  const auto& [op, type, type2, type3, type4, modifiers, guard, guard_negated, operand_count,
               first_operand, place] = i;
  out.put(op, type, type2, type3, type4, guard_negated, operand_count);
  put(out, modifiers);
  (void)guard, (void)first_operand, (void)place;
}

// Of constants the value, without the address that may be part of it.
void put(KeyWriter& out, const KernelPrograms& programs, const Slot& slot) {
  const auto& [offset, base, bytes, present, negated, in_frame, variable, displacement] = slot;
  const std::uint64_t address = variable == ir::kNone ? 0 : programs.variables[variable];
  out.put(base, bytes, present, negated, in_frame, variable);
  if (base != Base::kConstants) {
    out.put(offset, static_cast<std::uint64_t>(displacement) - address);
    return;
  }
  std::uint64_t value = 0;
  std::memcpy(&value, programs.constants.data() + offset, sizeof value);
  // It is part of one of the two: of the other nothing is taken away.
  const bool in_value = displacement == 0;
  out.put(value - (in_value ? address : 0),
          static_cast<std::uint64_t>(displacement) - (in_value ? 0 : address));
}

void put(KeyWriter& out, const KernelPrograms& programs, const Program& program, const Step& step) {
  const auto& [run, slots, source, target, guard, kind, guard_negated, operands, start, count] =
      step;
  out.put(target, guard, kind, guard_negated, operands, source != nullptr);
  if (source != nullptr) put(out, *source);
  for (int n = 0; n < operands; ++n) {
    out.put(start[n], count[n]);
    for (int e = 0; e < count[n]; ++e)
      put(out, programs, step.slot(n, e));
  }
  if (kind == interp::StepKind::kBranchIndexed) {
    const ir::Operand& blocks = program.function->operands_of(*source)[1];
    out.put(blocks.first, blocks.count);
  }
  (void)run, (void)slots;  // of this process
}

void put(KeyWriter& out, const Program& program) {
  const ir::Function& f = *program.function;
  out.put(f.kernel, f.frame_bytes, f.local_bytes, f.parameter_bytes, f.static_shared_bytes);
  out.put(std::uint64_t{f.registers.size()}, std::uint64_t{f.results.size()});
  for (const ir::Register& reg : f.registers)
    out.put(reg.bits, reg.offset);
  for (const ir::Parameter& result : f.results)
    out.put(result.reg);
  out.put(std::uint64_t{f.tables.size()}, program.entries,
          std::uint64_t{program.first_steps.size()}, std::uint64_t{program.steps.size()});
  for (const ir::BlockId block : f.tables)
    out.put(block);
  for (const std::uint32_t step : program.first_steps)
    out.put(step);
}

}  // namespace

std::vector<std::byte> key_of(const KernelPrograms& programs, std::string_view surroundings) {
  KeyWriter out;
  out.text(surroundings);
  const auto& [functions, kernel, constants, specials, variables, rows] = programs;
  out.put(rows, std::uint64_t{variables.size()}, std::uint64_t{specials.size()});
  for (const interp::SpecialUse& use : specials)
    out.put(use.special, use.wide, use.middle, use.narrow);
  for (const Program& program : functions) {
    if (program.function == nullptr) continue;  // not reached
    out.put(&program == &functions[kernel]);
    put(out, program);
    for (const Step& step : program.steps)
      put(out, programs, program, step);
  }
  (void)constants;  // where they are used
  return out.take();
}

}  // namespace longwire::softcuda::jit
