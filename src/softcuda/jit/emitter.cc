#include "softcuda/jit/emitter.h"

#include <cstddef>
#include <cstring>
#include <utility>

#include "softcuda/interp/specials.h"

namespace longwire::softcuda::jit {

using interp::Base;
using interp::kLanes;
using interp::NativeState;

Emitter::Emitter(Values& values, const interp::KernelPrograms& programs, const Table& table,
                 const Program& program, const Analysis& analysis, Counts& counts)
    : v_(values),
      programs_(programs),
      table_(table),
      program_(program),
      analysis_(analysis),
      counts_(counts) {}

LLVMValueRef Emitter::field(std::size_t offset) {
  LLVMValueRef index = LLVMConstInt(v_.i64, offset, 0);
  return LLVMBuildGEP2(v_.b, v_.i8, state_, &index, 1, "");
}
LLVMValueRef Emitter::load_field(LLVMTypeRef type, std::size_t offset) {
  return LLVMBuildLoad2(v_.b, type, field(offset), "");
}

void Emitter::add_attributes(LLVMValueRef function) {
  auto text = [&](const char* key, const char* value) {
    LLVMAddAttributeAtIndex(
        function, static_cast<LLVMAttributeIndex>(LLVMAttributeFunctionIndex),
        LLVMCreateStringAttribute(v_.context, key, static_cast<unsigned>(std::strlen(key)), value,
                                  static_cast<unsigned>(std::strlen(value))));
  };
  text("prefer-vector-width", "512");
  text("min-legal-vector-width", "512");
  LLVMAddAttributeAtIndex(function, static_cast<LLVMAttributeIndex>(LLVMAttributeFunctionIndex),
                          attribute("nounwind"));
}

LLVMAttributeRef Emitter::attribute(const char* kind) {
  const unsigned id = LLVMGetEnumAttributeKindForName(kind, std::strlen(kind));
  return LLVMCreateEnumAttribute(v_.context, id, 0);
}

void Emitter::begin(const std::string& name) {
  LLVMTypeRef parameters[] = {v_.ptr, v_.i32, v_.i32};
  function_ = LLVMAddFunction(v_.module, name.c_str(), LLVMFunctionType(v_.i32, parameters, 3, 0));
  add_attributes(function_);
  state_ = LLVMGetParam(function_, 0);
  whole_ = group_ = LLVMGetParam(function_, 2);
  at(new_block());
  for (RegisterId id = 0; id < analysis_.registers(); ++id)
    places_.push_back(LLVMBuildAlloca(v_.b, stored_type(id), ""));
  for (RegisterId id = 0; id < analysis_.registers(); ++id)
    LLVMBuildStore(v_.b, LLVMConstNull(stored_type(id)), places_[id]);
  for (LLVMValueRef& place : scratch_) {
    place = LLVMBuildAlloca(v_.b, v_.shaped(v_.i64, false), "");
    LLVMSetAlignment(place, kScratchAlignment);
  }
  whole_lanes_ = group_lanes_ = v_.condition_of(group_).v;
  frame_ = load_field(v_.ptr, offsetof(NativeState, frame));
  specials_ = load_field(v_.ptr, offsetof(NativeState, specials));
  join_ = load_field(v_.i32, offsetof(NativeState, join));
  stopping_ = load_field(v_.ptr, offsetof(NativeState, stopping));
  shared_ = load_field(v_.ptr, offsetof(NativeState, shared));
  shared_bytes_ = load_field(v_.i64, offsetof(NativeState, shared_bytes));
  ranges_ = load_field(v_.ptr, offsetof(NativeState, ranges));
}

void Emitter::emit(const std::string& name) {
  begin(name);
  LLVMBasicBlockRef start = LLVMGetInsertBlock(v_.b);
  refused_ = new_block();
  for (std::size_t n = 0; n < analysis_.blocks().size(); ++n)
    starts_.push_back(new_block());
  for (std::uint32_t n = 0; n < analysis_.blocks().size(); ++n)
    bodies_.push_back(analysis_.region_in(n) == nullptr ? nullptr : new_block());
  std::vector<LLVMBasicBlockRef> entries;
  for (const Step& s : program_.steps)
    if (s.kind == StepKind::kNative) entries.push_back(new_block());
  LLVMValueRef choice =
      LLVMBuildSwitch(v_.b, LLVMGetParam(function_, 1), refused_, program_.entries);
  for (std::uint32_t n = 0; n < program_.steps.size(); ++n) {
    const Step& s = program_.steps[n];
    if (s.kind != StepKind::kNative) continue;
    entries_[n] = entries[s.target];
    LLVMAddCase(choice, LLVMConstInt(v_.i32, s.target, 0), entries[s.target]);
  }
  if (program_.function->kernel)
    LLVMAddCase(choice, LLVMConstInt(v_.i32, interp::kStart, 0), starts_.front());
  (void)start;
  at(refused_);
  LLVMBuildRet(v_.b, LLVMConstInt(v_.i32, interp::kNotEntered, 0));
  for (std::uint32_t block = 0; block < analysis_.blocks().size(); ++block)
    emit_block(block);
}

// --- registers ---

LLVMTypeRef Emitter::stored_type(RegisterId id) const {
  const int bits = program_.function->registers[id].bits;
  const Shape& shape = analysis_.shape(id);
  return shape.is_line() ? base_type(bits, shape.of_rows) : v_.shaped(v_.integer_type(bits), false);
}

LLVMValueRef Emitter::frame_at(RegisterId id) {
  LLVMValueRef index = LLVMConstInt(v_.i64, program_.function->registers[id].offset, 0);
  return LLVMBuildGEP2(v_.b, v_.i8, frame_, &index, 1, "");
}

// A predicate as a condition, else an integer as wide as the register.
Value Emitter::read(RegisterId id) {
  const Value value = read_raw(id);
  return analysis_.is_number(id) ? v_.to_integer(canonical(v_.to_float(value))) : value;
}

Value Emitter::read_raw(RegisterId id) {
  LLVMValueRef value = LLVMBuildLoad2(v_.b, stored_type(id), places_[id], "");
  const Shape& shape = analysis_.shape(id);
  if (shape.is_line() && !shape.uniform()) return spread(value, shape);
  return {value, shape.uniform()};
}

void Emitter::write(RegisterId id, Value value) {
  const Shape& shape = analysis_.shape(id);
  value = v_.resized(v_.to_integer(value), program_.function->registers[id].bits, false);
  keep_others(id, value);
  if (!shape.is_line()) value = v_.splat(value);
  LLVMBuildStore(v_.b, shape.of_rows ? of_rows(value.v) : value.v, places_[id]);
}

void Emitter::store_register(RegisterId id) {
  if (++counts_.moves > kMaxMoves) return;
  Value value = read(id);
  const int bits = program_.function->registers[id].bits;
  LLVMValueRef place = frame_at(id);
  if (bits == 1) {
    const Value old{LLVMBuildLoad2(v_.b, v_.shaped(v_.i1, false), place, ""), false};
    LLVMBuildStore(v_.b, v_.select({whole_lanes_, false}, value, old).v, place);
    return;
  }
  value = v_.splat(value);
  v_.call_intrinsic(
      "llvm.masked.store", {LLVMTypeOf(value.v), v_.ptr},
      {value.v, place, LLVMConstInt(v_.i32, static_cast<unsigned>(bits) / 8, 0), whole_lanes_});
}

// From the frame. A register that is held once must have one value in all of the group's lanes,
// which is looked at where there is a way out.
void Emitter::load_register(RegisterId id, LLVMBasicBlockRef refused) {
  if (++counts_.moves > kMaxMoves) return;
  const int bits = program_.function->registers[id].bits;
  const bool uniform = analysis_.is_uniform(id);
  LLVMTypeRef type = bits == 1 && uniform ? v_.i32 : v_.shaped(v_.integer_type(bits), false);
  LLVMValueRef value = LLVMBuildLoad2(v_.b, type, frame_at(id), "");
  if (bits != 1) LLVMSetAlignment(value, static_cast<unsigned>(bits) / 8);
  if (!analysis_.shape(id).is_line()) {
    LLVMBuildStore(v_.b, value, places_[id]);
    return;
  }
  LLVMValueRef equal = nullptr, one = nullptr;
  if (bits == 1) {
    value = LLVMBuildAnd(v_.b, value, group_, "");
    one = LLVMBuildICmp(v_.b, LLVMIntNE, value, LLVMConstInt(v_.i32, 0, 0), "");
    LLVMValueRef all = LLVMBuildICmp(v_.b, LLVMIntEQ, value, group_, "");
    equal = LLVMBuildOr(v_.b, all, LLVMBuildNot(v_.b, one, ""), "");
  } else {
    one = found_base(value, analysis_.shape(id));
    equal = all_of(v_.icmp(LLVMIntEQ, {value, false}, spread(one, analysis_.shape(id))), group_);
  }
  LLVMBuildStore(v_.b, one, places_[id]);
  if (refused == nullptr) return;
  LLVMBasicBlockRef next = new_block();
  branch_if(equal, next, refused);
  at(next);
}

// Whether a condition holds for all of some lanes.
LLVMValueRef Emitter::all_of(Value condition, LLVMValueRef lanes) {
  LLVMValueRef missing =
      LLVMBuildAnd(v_.b, lanes, LLVMBuildNot(v_.b, v_.mask_of(condition), ""), "");
  return LLVMBuildICmp(v_.b, LLVMIntEQ, missing, LLVMConstInt(v_.i32, 0, 0), "");
}

// --- operands ---

Value Emitter::constant_of(const Slot& slot, int bits) const {
  std::uint64_t value = 0;
  std::memcpy(&value, programs_.constants.data() + slot.offset, sizeof value);
  if (slot.variable == ir::kNone) return v_.constant(bits, value);
  return v_.resized(relocated(value, slot), bits, false);
}

Value Emitter::relocated(std::uint64_t number, const Slot& slot) const {
  if (slot.variable == ir::kNone) return v_.constant(64, number);
  const Value address{v_.table_word(v_.i64, table_.variable(slot.variable)), true};
  return v_.add(address, v_.constant(64, number - programs_.variables[slot.variable]));
}

Value Emitter::special_of(const Slot& slot, int bits) {
  const std::size_t n = slot.offset / interp::kPoolBytes;
  const ir::Special special = programs_.specials[n].special;
  if (interp::is_clock(special)) return clock_of(slot, bits);
  const Shape shape = analysis_.shape(slot);
  const bool thread = special >= ir::Special::kTidX && special <= ir::Special::kTidZ;
  if (thread && !shape.is_line()) return thread_of(special, bits);
  if (thread && shape.uniform()) return v_.resized({thread_base(special), true}, bits, false);
  if (shape.uniform()) {
    LLVMValueRef value =
        load_field(v_.i64, offsetof(NativeState, values) + n * sizeof(NativeState::values[0]));
    return v_.resized({value, true}, bits, false);
  }
  if (shape.is_line()) return spread(line_base(slot, bits), shape);
  LLVMValueRef lanes[kLanes];
  for (unsigned i = 0; i < kLanes; ++i)
    lanes[i] = LLVMConstInt(v_.i32, interp::lane_value(special, i), 0);
  return v_.resized({LLVMConstVector(lanes, kLanes), false}, bits, false);
}

// %tid of each lane.
Value Emitter::thread_of(ir::Special special, int bits) {
  const auto which =
      static_cast<std::size_t>(special) - static_cast<std::size_t>(ir::Special::kTidX);
  LLVMValueRef value = load_field(v_.shaped(v_.i32, false),
                                  offsetof(NativeState, tid) + which * sizeof(NativeState::tid[0]));
  LLVMSetAlignment(value, 4);
  return v_.resized({value, false}, bits, false);
}

// The pool has the clock's value in the width in which it is read.
Value Emitter::clock_of(const Slot& slot, int bits) {
  const std::uint32_t part = bits == 64   ? 0
                             : bits == 32 ? interp::kWideBytes
                                          : interp::kWideBytes + interp::kMiddleBytes;
  const bool uniform = analysis_.is_uniform(slot);
  LLVMValueRef index = LLVMConstInt(v_.i64, slot.offset + part, 0);
  LLVMValueRef place = LLVMBuildGEP2(v_.b, v_.i8, specials_, &index, 1, "");
  LLVMValueRef value = LLVMBuildLoad2(v_.b, v_.shaped(v_.integer_type(bits), uniform), place, "");
  LLVMSetAlignment(value, 2);
  return {value, uniform};
}

Value Emitter::slot_value(const Slot& slot, int bits) {
  switch (slot.base) {
    case Base::kFrame:
      return v_.resized(read(analysis_.register_of(slot)), bits, false);
    case Base::kSpecials:
      return special_of(slot, bits);
    case Base::kConstants:
      return constant_of(slot, bits);
    default:
      return v_.constant(bits, 0);
  }
}

Value Emitter::operand(const Step& s, int n, int bits, int element) {
  return slot_value(s.slot(n, element), bits);
}

Value Emitter::raw_operand(const Step& s, int n, int bits) {
  const Slot& slot = s.slot(n);
  if (slot.base != Base::kFrame) return slot_value(slot, bits);
  return v_.resized(read_raw(analysis_.register_of(slot)), bits, false);
}

Value Emitter::condition(const Step& s, int n) {
  const Slot& slot = s.slot(n);
  Value value;
  if (slot.base == Base::kFrame)
    value = read(analysis_.register_of(slot));
  else
    value = v_.icmp(LLVMIntNE, constant_of(slot, 64), v_.constant(64, 0));
  return slot.negated ? v_.inverted(value) : value;
}

Value Emitter::guard_of(const Step& s) {
  if (s.guard == ir::kNone) return {};
  Slot slot;
  slot.base = Base::kFrame;
  slot.offset = s.guard;
  const Value value = read(analysis_.register_of(slot));
  return s.guard_negated ? v_.inverted(value) : value;
}

LLVMValueRef Emitter::lanes_of(const Step& s) {
  if (s.guard == ir::kNone) return group_;
  return v_.mask_of({active_lanes(s), false});
}

LLVMValueRef Emitter::active_lanes(const Step& s) {
  if (s.guard == ir::kNone) return group_lanes_;
  return v_.both({group_lanes_, false}, guard_).v;
}

void Emitter::result_slot(const Step& s, const Slot& slot, Value value) {
  if (!slot.present || slot.base != Base::kFrame) return;
  const RegisterId id = analysis_.register_of(slot);
  if (s.guard != ir::kNone && analysis_.shape(id).of_rows) {  // of one value, under one condition
    LLVMValueRef old = LLVMBuildLoad2(v_.b, stored_type(id), places_[id], "");
    value = v_.resized(v_.to_integer(value), program_.function->registers[id].bits, false);
    LLVMBuildStore(v_.b, LLVMBuildSelect(v_.b, guard_.v, of_rows(value.v), old, ""), places_[id]);
    return;
  }
  if (s.guard != ir::kNone) {
    const Value old = read_raw(id);
    if (program_.function->registers[id].bits != 1)
      value = v_.resized(v_.to_integer(value), program_.function->registers[id].bits, false);
    value = v_.select(guard_, value, old);
  }
  write(id, value);
}

void Emitter::result(const Step& s, int n, Value value, int element) {
  result_slot(s, s.slot(n, element), value);
}

void Emitter::condition_result(const Step& s, int n, Value value) {
  if (s.has(n)) result_slot(s, s.slot(n), value);
}

// --- steps ---

void Emitter::emit_entry(std::uint32_t step) {
  LLVMBasicBlockRef body = LLVMGetInsertBlock(v_.b);
  at(entries_[step]);
  LLVMValueRef lanes = std::exchange(group_, whole_);
  const RegisterSet live = analysis_.live_at(step);
  for (RegisterId id = 0; id < live.size(); ++id)
    if (live[id]) load_register(id, refused_);
  group_ = lanes;
  if (region_ != nullptr) {
    none_waiting(*region_);
    set_waiting(block_, whole_lanes_);
    if (region_->loops)
      branch_if(others_wait_in(*region_), refused_, bodies_[block_]);
    else
      LLVMBuildBr(v_.b, bodies_[block_]);
    return at(body);
  }
  LLVMBasicBlockRef next = new_block();
  LLVMBuildBr(v_.b, next);
  at(body);
  if (LLVMGetBasicBlockTerminator(body) == nullptr) LLVMBuildBr(v_.b, next);
  at(next);
}

void Emitter::emit_block(std::uint32_t block) {
  at(starts_[block]);
  block_ = block;
  region_ = analysis_.region_in(block);
  if (region_ != nullptr) begin_region_block();
  const Block& what = analysis_.blocks()[block];
  for (std::uint32_t n = what.first; n < what.end; ++n)
    emit_step(n);
  if (LLVMGetBasicBlockTerminator(LLVMGetInsertBlock(v_.b)) == nullptr)
    LLVMBuildBr(v_.b, exit_at(what.end - 1));
  region_ = nullptr;
  group_ = whole_;
  group_lanes_ = whole_lanes_;
}

void Emitter::emit_step(std::uint32_t step) {
  const Step& s = program_.steps[step];
  if (s.kind == StepKind::kNative) return emit_entry(step);
  // What follows a jump that is always taken, but for entries, is not reached.
  if (LLVMGetBasicBlockTerminator(LLVMGetInsertBlock(v_.b)) != nullptr) at(new_block());
  guard_ = guard_of(s);
  now_ = step;
  switch (s.kind) {
    case StepKind::kBlockEnd:
      if (region_ == nullptr) return go(step, step + 1);
      end_region_block(step);
      return region_next(*region_, block_);
    case StepKind::kBranch:
      return emit_branch(step);
    case StepKind::kReturn:
    case StepKind::kExit:
    case StepKind::kCall:
    case StepKind::kBranchIndexed:
      return emit_leave(step);
    case StepKind::kBarrier:
      return emit_barrier(step);
    case StepKind::kWarpSync:
      return emit_warp_sync(step);
    default:
      break;
  }
  if (emit_line(step) || emit_atomic(step) || emit_native(s))
    ++counts_.compiled;
  else
    call_step(s, lanes_of(s));
}

bool Emitter::emit_native(const Step& s) {
  if (s.source == nullptr) return false;
  return emit_integer(s) || emit_bits(s) || emit_logic(s) || emit_shift(s) || emit_float(s) ||
         emit_compare(s) || emit_select(s) || emit_move(s) || emit_convert(s) || emit_memory(s);
}

}  // namespace longwire::softcuda::jit
