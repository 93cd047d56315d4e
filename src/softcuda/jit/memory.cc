// ld and st. Addresses are looked at as machine::Warp::at does, all lanes' together: equal ones are
// one access, consecutive ones a line, others a gather or scatter. What is not found to be in order
// goes to the interpreter, which says what is wrong, if it is.
#include <bit>
#include <cstddef>

#include "softcuda/jit/access.h"
#include "softcuda/jit/runtime.h"

namespace longwire::softcuda::jit {

using interp::Base;
using interp::kLanes;
using interp::NativeState;
using ir::Op;
using ir::Space;

Value Emitter::address_of(const Slot& slot) {
  return v_.add(address_base(slot), address_displacement(slot));
}

Value Emitter::address_base(const Slot& slot) {
  if (slot.base != Base::kConstants) return v_.resized(slot_value(slot, 8 * slot.bytes), 64, false);
  return slot.in_frame ? constant_of(slot, 64) : v_.constant(64, 0);
}

// What is added to it, one for all lanes.
Value Emitter::address_displacement(const Slot& slot) {
  const Value known = relocated(static_cast<std::uint64_t>(slot.displacement), slot);
  if (!slot.in_frame) return known;
  const Value frame{load_field(v_.i32, offsetof(NativeState, local_base)), true};
  return v_.add(known, v_.resized(frame, 64, false));
}

Value Emitter::stored(const Access& a, int element) { return operand(*a.s, 1, a.bits, element); }

void Emitter::put_loaded(const Access& a, int element, Value value) {
  const Slot& slot = a.s->slot(0, element);
  if (!slot.present || slot.bytes == 0) return;
  const ir::Type type = a.s->source->type;
  const bool with_sign = ir::is_signed(type) && !ir::is_float(type);
  result_slot(*a.s, slot, v_.resized(value, 8 * slot.bytes, with_sign));
}

LLVMValueRef Emitter::offset(LLVMValueRef base, std::uint64_t bytes) {
  LLVMValueRef index = LLVMConstInt(v_.i64, bytes, 0);
  return LLVMBuildGEP2(v_.b, v_.i8, base, &index, 1, "");
}

// Goes on where a condition holds, else to the slow way.
void Emitter::need(const Access& a, LLVMValueRef condition) {
  LLVMBasicBlockRef next = new_block();
  branch_if(condition, next, a.slow);
  at(next);
}

void Emitter::need_aligned(const Access& a, Value address) {
  if (a.bytes == 1) return;
  const Value low = v_.both(address, v_.constant(64, a.bytes - 1));
  need(a, all_of(v_.icmp(LLVMIntEQ, low, v_.constant(64, 0)), a.lanes));
}

// Whether a place lies in memory of so many bytes, and `span` bytes with it.
Value Emitter::fits(Value offset, Value bytes, std::uint64_t span) {
  const Value limit{
      v_.call_intrinsic("llvm.usub.sat", {v_.i64}, {bytes.v, LLVMConstInt(v_.i64, span - 1, 0)}),
      true};
  return v_.icmp(LLVMIntULT, offset, limit);
}

Value Emitter::range_field(const Access& a, std::size_t offset) {
  LLVMValueRef index = LLVMConstInt(v_.i64, a.range * sizeof(NativeState::Range) + offset, 0);
  return {LLVMBuildLoad2(v_.b, v_.i64, LLVMBuildGEP2(v_.b, v_.i8, ranges_, &index, 1, ""), ""),
          true};
}

// How many places of the access's size there are in shared memory, with `span` bytes behind each.
LLVMValueRef Emitter::shared_places(const Access& a, std::uint64_t span) {
  LLVMValueRef bytes = v_.call_intrinsic("llvm.usub.sat", {v_.i64},
                                         {shared_bytes_, LLVMConstInt(v_.i64, span - 1, 0)});
  bytes = LLVMBuildAdd(v_.b, bytes, LLVMConstInt(v_.i64, a.bytes - 1, 0), "");
  return LLVMBuildLShr(v_.b, bytes, LLVMConstInt(v_.i64, a.shift(), 0), "");
}

// Whether a place that all lanes begin from, and `span` bytes with it, are there and aligned. One
// comparison: what is not aligned is far outside, as its low bits become the highest.
void Emitter::need_place(const Access& a, LLVMValueRef address, std::uint64_t span) {
  const bool shared = a.space == Space::kShared;
  if (!shared && !a.owns_range) {
    need_aligned(a, {address, true});
    return need(a, is_inside(a, {address, true}, span).v);
  }
  LLVMValueRef by = LLVMConstInt(v_.i64, a.shift(), 0);
  LLVMValueRef place = address, places = nullptr;
  if (shared) {
    places = shared_places(a, span);
  } else {
    place = LLVMBuildSub(v_.b, address, range_field(a, offsetof(NativeState::Range, begin)).v, "");
    places = range_field(a, offsetof(NativeState::Range, places)).v;
  }
  if (a.bytes > 1) place = v_.call_intrinsic("llvm.fshr", {v_.i64}, {place, place, by});
  need(a, LLVMBuildICmp(v_.b, LLVMIntULT, place, places, ""));
}

// The same of an address: of shared memory, or allocated memory as it was found last.
Value Emitter::is_inside(const Access& a, Value address, std::uint64_t span) {
  if (a.space == Space::kShared) return fits(address, {shared_bytes_, true}, span);
  if (a.space == Space::kLocal)
    return fits(address, {load_field(v_.i64, offsetof(NativeState, local_stride)), true}, span);
  const Value begin = range_field(a, offsetof(NativeState::Range, begin));
  return fits(v_.sub(address, begin), range_field(a, offsetof(NativeState::Range, bytes)), span);
}

LLVMValueRef Emitter::place_of(const Access& a, LLVMValueRef address) {
  if (a.space != Space::kShared) return v_.pointer_at(address);
  return LLVMBuildGEP2(v_.b, v_.i8, shared_, &address, 1, "");
}

// --- one address for all lanes ---

void Emitter::transfer_uniform(const Access& a, Value address) {
  need_place(a, address.v, a.bytes);
  LLVMValueRef place = place_of(a, address.v);
  LLVMValueRef last =
      v_.call_intrinsic("llvm.ctlz", {v_.i32}, {a.lanes, LLVMConstInt(v_.i1, 0, 0)});
  last = LLVMBuildSub(v_.b, LLVMConstInt(v_.i32, kLanes - 1, 0), last, "");
  for (int n = 0; n < a.count; ++n) {
    const std::uint64_t step = a.element_at(n);
    if (!a.store) {
      LLVMValueRef one = LLVMBuildLoad2(v_.b, v_.integer_type(a.bits), offset(place, step), "");
      put_loaded(a, n, {one, true});
      continue;
    }
    const Value value = stored(a, n);
    LLVMBuildStore(v_.b, value.uniform ? value.v : LLVMBuildExtractElement(v_.b, value.v, last, ""),
                   offset(place, step));
  }
  LLVMBuildBr(v_.b, a.done);
}

// --- lines ---

// Rows of lanes one after the other.
LLVMValueRef Emitter::joined_rows(std::vector<LLVMValueRef> rows) {
  while (rows.size() > 1) {
    const unsigned width = LLVMGetVectorSize(LLVMTypeOf(rows[0]));
    std::vector<LLVMValueRef> all(std::size_t{2} * width);
    for (unsigned n = 0; n < 2 * width; ++n)
      all[n] = LLVMConstInt(v_.i32, n, 0);
    for (std::size_t n = 0; n < rows.size() / 2; ++n)
      rows[n] = LLVMBuildShuffleVector(v_.b, rows[2 * n], rows[2 * n + 1],
                                       LLVMConstVector(all.data(), 2 * width), "");
    rows.resize(rows.size() / 2);
  }
  return rows[0];
}

LLVMValueRef Emitter::row_of(LLVMValueRef values, int row) {
  const int width = analysis_.rows();
  if (width == kLanes) return values;
  LLVMValueRef from[kLanes];
  for (int n = 0; n < width; ++n)
    from[n] = LLVMConstInt(v_.i32, static_cast<unsigned>(row * width + n), 0);
  return LLVMBuildShuffleVector(v_.b, values, LLVMGetPoison(LLVMTypeOf(values)),
                                LLVMConstVector(from, static_cast<unsigned>(width)), "");
}

// What lanes read that do not take part is not used.
void Emitter::load_rows(const Access& a, LLVMValueRef base, const Shape& shape) {
  const int width = analysis_.rows(), count = kLanes / width;
  LLVMTypeRef one = v_.integer_type(a.bits);
  LLVMTypeRef type = LLVMVectorType(one, static_cast<unsigned>(width));
  if (shape.step == 0) {
    for (int n = 0; n < a.count; ++n) {
      LLVMValueRef all = LLVMGetPoison(base_type(a.bits, true));
      for (int row = 0; row < count; ++row) {
        LLVMValueRef place = offset(place_of(a, of_row(base, row)), a.element_at(n));
        all = LLVMBuildInsertElement(v_.b, all, LLVMBuildLoad2(v_.b, one, place, ""),
                                     LLVMConstInt(v_.i32, static_cast<unsigned>(row), 0), "");
      }
      put_loaded(a, n, spread(all, Shape::line(0, true)));
    }
    return;
  }
  std::vector<LLVMValueRef> rows;
  for (int row = 0; row < count; ++row) {
    if (row > 0 && !shape.of_rows) {
      rows.push_back(rows[0]);
      continue;
    }
    rows.push_back(LLVMBuildLoad2(v_.b, type, place_of(a, of_row(base, row)), ""));
    LLVMSetAlignment(rows.back(), static_cast<unsigned>(a.bits) / 8);
  }
  put_loaded(a, 0, {joined_rows(std::move(rows)), false});
}

void Emitter::store_rows(const Access& a, LLVMValueRef base) {
  const int width = analysis_.rows();
  LLVMTypeRef type = LLVMVectorType(v_.integer_type(a.bits), static_cast<unsigned>(width));
  LLVMValueRef lanes = active_lanes(*a.s), values = v_.splat(stored(a, 0)).v;
  LLVMValueRef alignment = LLVMConstInt(v_.i32, static_cast<unsigned>(a.bits) / 8, 0);
  for (int row = 0; row < kLanes / width; ++row)
    v_.call_intrinsic(
        "llvm.masked.store", {type, v_.ptr},
        {row_of(values, row), place_of(a, of_row(base, row)), alignment, row_of(lanes, row)});
}

// Vectors of a few elements, one after the other: all lanes' as one.
void Emitter::transfer_packed(const Access& a, LLVMValueRef place) {
  const auto count = static_cast<unsigned>(a.count);
  LLVMTypeRef type = LLVMVectorType(v_.integer_type(a.bits), kLanes * count);
  std::vector<LLVMValueRef> from(std::size_t{kLanes} * count);
  if (a.store) {
    std::vector<LLVMValueRef> parts;
    for (unsigned n = 0; n < count; ++n)
      parts.push_back(v_.splat(stored(a, static_cast<int>(n))).v);
    LLVMValueRef all = joined_rows(std::move(parts));
    for (unsigned n = 0; n < kLanes * count; ++n)
      from[n] = LLVMConstInt(v_.i32, n % count * kLanes + n / count, 0);
    all = LLVMBuildShuffleVector(v_.b, all, LLVMGetPoison(type),
                                 LLVMConstVector(from.data(), kLanes * count), "");
    LLVMSetAlignment(LLVMBuildStore(v_.b, all, place), static_cast<unsigned>(a.bits) / 8);
    return;
  }
  LLVMValueRef all = LLVMBuildLoad2(v_.b, type, place, "");
  LLVMSetAlignment(all, static_cast<unsigned>(a.bits) / 8);
  for (unsigned n = 0; n < count; ++n) {
    for (unsigned lane = 0; lane < kLanes; ++lane)
      from[lane] = LLVMConstInt(v_.i32, lane * count + n, 0);
    put_loaded(a, static_cast<int>(n),
               {LLVMBuildShuffleVector(v_.b, all, LLVMGetPoison(type),
                                       LLVMConstVector(from.data(), kLanes), ""),
                false});
  }
}

// Places of rows that count up: all of them are looked at at once, whoever takes part.
void Emitter::transfer_line(Access& a, LLVMValueRef base, const Shape& shape) {
  const std::int64_t reach = shape.step * (analysis_.rows() - 1);
  LLVMValueRef low = moved(base, reach < 0 ? reach : 0);
  const auto span = static_cast<std::uint64_t>(reach < 0 ? -reach : reach) + a.bytes;
  a.span = static_cast<std::uint32_t>(span);
  const bool rows = LLVMGetTypeKind(LLVMTypeOf(base)) == LLVMVectorTypeKind;
  for (int row = 0; row < (rows ? kLanes / analysis_.rows() : 1); ++row)
    need_place(a, of_row(low, row), span);
  const bool next_to = shape.step == static_cast<std::int64_t>(a.bytes);
  const bool several = analysis_.rows() != kLanes;
  if (!a.store && ((a.count == 1 && next_to) || shape.step == 0)) {
    load_rows(a, base, shape);
  } else if (a.store && a.count == 1 && next_to && (rows || !several)) {
    store_rows(a, base);
  } else if (next_to && !several) {
    LLVMBasicBlockRef whole = new_block(), parts = new_block();
    LLVMValueRef all = LLVMConstInt(v_.i32, 0xffff'ffff, 0);
    branch_if(LLVMBuildICmp(v_.b, LLVMIntEQ, a.lanes, all, ""), whole, parts);
    at(whole);
    transfer_packed(a, place_of(a, base));
    LLVMBuildBr(v_.b, a.done);
    at(parts);
    return transfer_at(a, spread(base, shape));
  } else {
    return transfer_at(a, spread(base, shape));
  }
  LLVMBuildBr(v_.b, a.done);
}

// --- anywhere ---

void Emitter::transfer_at(const Access& a, Value addresses) {
  if (a.space == Space::kShared) return transfer_scattered(a, shared_, addresses);
  addresses = v_.splat(addresses);
  transfer_scattered(a, LLVMBuildIntToPtr(v_.b, addresses.v, v_.shaped(v_.ptr, false), ""),
                     v_.constant(64, 0));
}

// At places that are so far from another, or each from its own.
void Emitter::transfer_scattered(const Access& a, LLVMValueRef from, Value offsets) {
  LLVMTypeRef vector = v_.shaped(v_.integer_type(a.bits), false);
  LLVMTypeRef pointers = v_.shaped(v_.ptr, false);
  LLVMValueRef lanes = active_lanes(*a.s);
  LLVMValueRef alignment = LLVMConstInt(v_.i32, static_cast<unsigned>(a.bits) / 8, 0);
  // Those of shared memory are small: half as many instructions gather them.
  if (a.space == Space::kShared) offsets = v_.resized(offsets, 32, false);
  for (int n = 0; n < a.count; ++n) {
    LLVMValueRef places = offset(from, a.element_at(n));
    places = LLVMBuildGEP2(v_.b, v_.i8, places, &offsets.v, 1, "");
    if (a.store) {
      v_.call_intrinsic("llvm.masked.scatter", {vector, pointers},
                        {v_.splat(stored(a, n)).v, places, alignment, lanes});
    } else {
      LLVMValueRef value = v_.call_intrinsic("llvm.masked.gather", {vector, pointers},
                                             {places, alignment, lanes, LLVMConstNull(vector)});
      put_loaded(a, n, {value, false});
    }
  }
  LLVMBuildBr(v_.b, a.done);
}

void Emitter::transfer_anywhere(const Access& a, const Slot& slot, Value base) {
  const bool shared = a.space == Space::kShared;
  if (!shared && (!a.owns_range || a.space == Space::kLocal)) {
    Value addresses = v_.splat(v_.add(base, address_displacement(slot)));
    need(a, all_of(is_inside(a, addresses, a.bytes), a.lanes));
    need_aligned(a, addresses);
    if (a.space == Space::kLocal) addresses = v_.add(addresses, lane_base());
    return transfer_at(a, addresses);
  }
  // As need_place, of each lane's.
  Value displacement = address_displacement(slot), places;
  LLVMValueRef from = shared_;
  if (shared) {
    places = {shared_places(a, a.bytes), true};
  } else {
    const Value begin = range_field(a, offsetof(NativeState::Range, begin));
    displacement = v_.sub(displacement, begin);
    places = range_field(a, offsetof(NativeState::Range, places));
    from = v_.pointer_at(begin.v);
  }
  const Value offsets = v_.splat(v_.add(base, displacement));
  Value turned = offsets;
  if (a.bytes > 1) turned = v_.intrinsic("llvm.fshr", {turned, turned, v_.constant(64, a.shift())});
  need(a, all_of(v_.icmp(LLVMIntULT, turned, places), a.lanes));
  transfer_scattered(a, from, offsets);
}

// The parameters of a kernel, at a place that is known.
bool Emitter::load_parameter(const Step& s) {
  const ir::Instruction& i = *s.source;
  const Slot& from = s.slot(1);
  const auto place = static_cast<std::uint64_t>(from.displacement);
  const auto bytes = static_cast<std::uint64_t>(ir::bits_of(i.type) / 8) * s.count[0];
  const std::uint64_t all = programs_.functions[programs_.kernel].function->parameter_bytes;
  if (from.base != Base::kConstants || place % bytes != 0 || place + bytes > all || place > all)
    return false;
  Access a;
  a.s = &s;
  a.bits = ir::bits_of(i.type);
  LLVMValueRef parameters = load_field(v_.ptr, offsetof(NativeState, parameters));
  for (int n = 0; n < s.count[0]; ++n) {
    LLVMValueRef at_element = offset(parameters, place + a.element_at(n));
    LLVMValueRef value = LLVMBuildLoad2(v_.b, v_.integer_type(a.bits), at_element, "");
    LLVMSetAlignment(value, 1);
    put_loaded(a, n, {value, true});
  }
  return true;
}

void Emitter::emit_slow_access(const Access& a) {
  at(a.slow);
  // What lanes of the group hold that take no part is to come back; there are none without a guard.
  const bool all = a.s->guard == ir::kNone && region_ == nullptr;
  for (int n = all ? destinations(*a.s) : 0; n < a.s->operands; ++n)
    for (int e = 0; e < a.s->count[n]; ++e)
      if (const Slot& slot = a.s->slot(n, e); slot.present && slot.base == Base::kFrame)
        store_register(analysis_.register_of(slot));
  LLVMValueRef reach = LLVMConstInt(v_.i64, AccessReach{a.range, a.span}.packed(), 0);
  LLVMValueRef call_of = call(Called::kAccess, LLVMVoidTypeInContext(v_.context),
                              {place_of_step(*a.s), a.lanes, reach});
  LLVMAddCallSiteAttribute(call_of, static_cast<LLVMAttributeIndex>(LLVMAttributeFunctionIndex),
                           attribute("cold"));
  for (int e = 0; !a.store && e < a.s->count[0]; ++e)
    if (const Slot& slot = a.s->slot(0, e); slot.present && slot.base == Base::kFrame)
      load_register(analysis_.register_of(slot), nullptr);
  LLVMBuildBr(v_.b, a.done);
}

void Emitter::begin_access(Access& a) {
  constexpr std::uint32_t kOwned = interp::kOwnedRanges;
  a.owns_range = next_range_ < kOwned;
  a.range = a.owns_range ? next_range_
                         : kOwned + next_range_ % (interp::kNativeRanges - interp::kOwnedRanges);
  ++next_range_;
  a.slow = new_block();
  a.done = new_block();
  if (a.s->guard == ir::kNone) return;
  LLVMBasicBlockRef some = new_block();
  branch_if(LLVMBuildICmp(v_.b, LLVMIntEQ, a.lanes, LLVMConstInt(v_.i32, 0, 0), ""), a.done, some);
  at(some);
}

bool Emitter::emit_memory(const Step& s) {
  const ir::Instruction& i = *s.source;
  const ir::Modifiers& m = i.modifiers;
  Access a;
  a.store = i.op == Op::kSt;
  if (!a.store && i.op != Op::kLd && i.op != Op::kLdu) return false;
  if (m.volatile_ || m.order != ir::Order::kWeak || ir::bits_of(i.type) > 64) return false;
  if (m.space == Space::kParam) return !a.store && load_parameter(s);
  a.s = &s;
  a.space = m.space;
  a.count = s.count[a.store ? 1 : 0];
  a.bits = ir::bits_of(i.type);
  a.bytes = static_cast<std::uint64_t>(a.count * a.bits / 8);
  a.lanes = lanes_of(s);
  if ((a.bytes & (a.bytes - 1)) != 0) return false;
  a.address_operand = a.store ? 0 : 1;
  begin_access(a);
  const Slot& slot = s.slot(a.address_operand);
  const Shape shape = analysis_.shape(slot);
  const bool line = shape.is_line() && !shape.uniform() && slot.bytes == 8 &&
                    slot.variable == ir::kNone && a.space != Space::kLocal &&
                    shape.step % static_cast<std::int64_t>(a.bytes) == 0;
  if (line) {
    transfer_line(a, moved(line_base(slot, 64), slot.displacement), shape);
  } else {
    const Value base = address_base(slot);
    if (base.uniform && a.space != Space::kLocal)
      transfer_uniform(a, v_.add(base, address_displacement(slot)));
    else
      transfer_anywhere(a, slot, base);
  }
  emit_slow_access(a);
  at(a.done);
  return true;
}

}  // namespace longwire::softcuda::jit
