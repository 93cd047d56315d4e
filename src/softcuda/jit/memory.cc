// ld and st. Addresses are looked at as machine::Warp::at does, all lanes' together: equal ones are
// one access, consecutive ones a line, others a gather or scatter. What is not found to be in order
// goes to the interpreter, which says what is wrong, if it is.
#include <cstddef>

#include "softcuda/jit/emitter.h"
#include "softcuda/jit/runtime.h"

namespace longwire::softcuda::jit {

using interp::Base;
using interp::kLanes;
using interp::NativeState;
using ir::Op;
using ir::Space;

struct Emitter::Access {
  const Step* s = nullptr;
  bool store = false;
  Space space = Space::kGeneric;
  int count = 1;            // elements
  int bits = 32;            // of each in memory
  std::uint64_t bytes = 4;  // of all
  LLVMValueRef lanes = nullptr;
  LLVMBasicBlockRef slow = nullptr, done = nullptr;
};

Value Emitter::address_of(const Slot& slot) {
  Value base = slot.base == Base::kConstants
                   ? constant_of(slot, 64)
                   : v_.resized(slot_value(slot, 8 * slot.bytes), 64, false);
  base = v_.add(base, v_.constant(64, static_cast<std::uint64_t>(slot.displacement)));
  if (!slot.in_frame) return base;
  const Value frame{load_field(v_.i32, offsetof(NativeState, local_base)), true};
  return v_.add(base, v_.resized(frame, 64, false));
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

LLVMValueRef Emitter::granule_bit(LLVMValueRef offset) {
  constexpr unsigned kShift = machine::MemoryView::kGranuleShift;
  LLVMValueRef granules = load_field(v_.ptr, offsetof(NativeState, granules));
  LLVMValueRef index = LLVMBuildLShr(v_.b, offset, LLVMConstInt(v_.i64, kShift, 0), "");
  LLVMValueRef word = LLVMBuildLShr(v_.b, index, LLVMConstInt(v_.i64, 6, 0), "");
  LLVMValueRef place = LLVMBuildGEP2(v_.b, v_.i64, granules, &word, 1, "");
  LLVMValueRef bits = LLVMBuildLoad2(v_.b, v_.i64, place, "");
  LLVMValueRef by = LLVMBuildAnd(v_.b, index, LLVMConstInt(v_.i64, 63, 0), "");
  return LLVMBuildLShr(v_.b, bits, by, "");
}

// All bytes from the first to the last, at most 256 of them, are allocated device memory.
void Emitter::need_allocated(const Access& a, LLVMValueRef first, LLVMValueRef last) {
  LLVMValueRef base = load_field(v_.i64, offsetof(NativeState, memory_base));
  LLVMValueRef bytes = load_field(v_.i64, offsetof(NativeState, memory_bytes));
  first = LLVMBuildSub(v_.b, first, base, "");
  last = LLVMBuildSub(v_.b, last, base, "");
  LLVMValueRef inside = LLVMBuildAnd(v_.b, LLVMBuildICmp(v_.b, LLVMIntULT, first, bytes, ""),
                                     LLVMBuildICmp(v_.b, LLVMIntULT, last, bytes, ""), "");
  need(a, inside);
  LLVMValueRef both = LLVMBuildAnd(v_.b, granule_bit(first), granule_bit(last), "");
  need(a, LLVMBuildTrunc(v_.b, both, v_.i1, ""));
}

// bytes - (size - 1), or 0: offsets below it are inside.
LLVMValueRef Emitter::limit_of(const Access& a, std::size_t field) {
  return v_.call_intrinsic("llvm.usub.sat", {v_.i64},
                           {load_field(v_.i64, field), LLVMConstInt(v_.i64, a.bytes - 1, 0)});
}

// --- one address for all lanes ---

void Emitter::transfer_uniform(const Access& a, Value address) {
  need_aligned(a, address);
  LLVMValueRef place = nullptr;
  if (a.space == Space::kShared) {
    Value limit{limit_of(a, offsetof(NativeState, shared_bytes)), true};
    need(a, v_.icmp(LLVMIntULT, address, limit).v);
    LLVMValueRef shared = load_field(v_.ptr, offsetof(NativeState, shared));
    place = LLVMBuildGEP2(v_.b, v_.i8, shared, &address.v, 1, "");
  } else {
    need_allocated(a, address.v, v_.add(address, v_.constant(64, a.bytes - 1)).v);
    place = v_.pointer_at(address.v);
  }
  LLVMValueRef last =
      v_.call_intrinsic("llvm.ctlz", {v_.i32}, {a.lanes, LLVMConstInt(v_.i1, 0, 0)});
  last = LLVMBuildSub(v_.b, LLVMConstInt(v_.i32, kLanes - 1, 0), last, "");
  for (int n = 0; n < a.count; ++n) {
    const auto step = static_cast<std::uint64_t>(n * a.bits / 8);
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

// --- a line: lane n's place is n elements after lane 0's ---

void Emitter::transfer_line(const Access& a, LLVMValueRef place) {
  LLVMTypeRef vector = v_.shaped(v_.integer_type(a.bits), false);
  LLVMValueRef lanes = active_lanes(*a.s);
  LLVMValueRef alignment = LLVMConstInt(v_.i32, static_cast<unsigned>(a.bits) / 8, 0);
  if (a.store) {
    v_.call_intrinsic("llvm.masked.store", {vector, v_.ptr},
                      {v_.splat(stored(a, 0)).v, place, alignment, lanes});
  } else {
    LLVMValueRef value = v_.call_intrinsic("llvm.masked.load", {vector, v_.ptr},
                                           {place, alignment, lanes, LLVMConstNull(vector)});
    put_loaded(a, 0, {value, false});
  }
  LLVMBuildBr(v_.b, a.done);
}

// Whether the active lanes' addresses are a line, and lane 0's.
LLVMValueRef Emitter::is_line(const Access& a, Value addresses, LLVMValueRef& first) {
  first = LLVMBuildExtractElement(v_.b, addresses.v, LLVMConstInt(v_.i32, 0, 0), "");
  const Value line = v_.add({first, true}, v_.lanes(64, a.bytes));
  return all_of(v_.icmp(LLVMIntEQ, addresses, line), a.lanes);
}

// --- anywhere ---

void Emitter::transfer_scattered(const Access& a, Value addresses) {
  LLVMTypeRef vector = v_.shaped(v_.integer_type(a.bits), false);
  LLVMTypeRef pointers = v_.shaped(v_.ptr, false);
  LLVMValueRef lanes = active_lanes(*a.s);
  LLVMValueRef alignment = LLVMConstInt(v_.i32, static_cast<unsigned>(a.bits) / 8, 0);
  addresses = v_.splat(addresses);
  for (int n = 0; n < a.count; ++n) {
    const Value step = v_.constant(64, static_cast<std::uint64_t>(n * a.bits / 8));
    LLVMValueRef places = LLVMBuildIntToPtr(v_.b, v_.add(addresses, step).v, pointers, "");
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

void Emitter::transfer_global(const Access& a, Value addresses) {
  LLVMBasicBlockRef line = new_block(), scattered = new_block();
  if (a.count == 1) {
    LLVMValueRef first = nullptr;
    branch_if(is_line(a, addresses, first), line, scattered);
    at(line);
    need_aligned(a, {first, true});
    LLVMValueRef no = LLVMConstInt(v_.i1, 0, 0);
    const Value below{v_.call_intrinsic("llvm.cttz", {v_.i32}, {a.lanes, no}), true};
    const Value above{v_.call_intrinsic("llvm.ctlz", {v_.i32}, {a.lanes, no}), true};
    const Value size = v_.constant(64, a.bytes);
    const Value begin = v_.add({first, true}, v_.mul(v_.resized(below, 64, false), size));
    const Value all = v_.constant(64, kLanes * a.bytes - 1);
    const Value end =
        v_.sub(v_.add({first, true}, all), v_.mul(v_.resized(above, 64, false), size));
    need_allocated(a, begin.v, end.v);
    transfer_line(a, v_.pointer_at(first));
  } else {
    LLVMBuildBr(v_.b, scattered);
    at(line);
    LLVMBuildUnreachable(v_.b);
  }
  at(scattered);
  const Value begin{load_field(v_.i64, offsetof(NativeState, range_begin)), true};
  const Value limit{limit_of(a, offsetof(NativeState, range_bytes)), true};
  need(a, all_of(v_.icmp(LLVMIntULT, v_.sub(addresses, begin), limit), a.lanes));
  need_aligned(a, addresses);
  transfer_scattered(a, addresses);
}

void Emitter::transfer_shared(const Access& a, Value offsets) {
  const Value limit{limit_of(a, offsetof(NativeState, shared_bytes)), true};
  need(a, all_of(v_.icmp(LLVMIntULT, offsets, limit), a.lanes));
  need_aligned(a, offsets);
  LLVMValueRef shared = load_field(v_.i64, offsetof(NativeState, shared));
  if (a.count == 1) {
    LLVMValueRef first = nullptr;
    LLVMBasicBlockRef line = new_block(), scattered = new_block();
    branch_if(is_line(a, offsets, first), line, scattered);
    at(line);
    transfer_line(a, v_.pointer_at(LLVMBuildAdd(v_.b, shared, first, "")));
    at(scattered);
  }
  transfer_scattered(a, v_.add(offsets, {shared, true}));
}

void Emitter::transfer_local(const Access& a, Value offsets) {
  const Value limit{limit_of(a, offsetof(NativeState, local_stride)), true};
  need(a, all_of(v_.icmp(LLVMIntULT, offsets, limit), a.lanes));
  need_aligned(a, offsets);
  transfer_scattered(a, v_.add(offsets, lane_base()));
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
    LLVMValueRef at_element =
        offset(parameters, place + static_cast<std::uint64_t>(n * a.bits / 8));
    LLVMValueRef value = LLVMBuildLoad2(v_.b, v_.integer_type(a.bits), at_element, "");
    LLVMSetAlignment(value, 1);
    put_loaded(a, n, {value, true});
  }
  return true;
}

void Emitter::emit_slow_access(const Access& a, Value address) {
  at(a.slow);
  for (int n = 0; n < a.s->operands; ++n)
    for (int e = 0; e < a.s->count[n]; ++e)
      if (const Slot& slot = a.s->slot(n, e); slot.present && slot.base == Base::kFrame)
        store_register(analysis_.register_of(slot));
  LLVMValueRef first =
      v_.call_intrinsic("llvm.cttz", {v_.i32}, {a.lanes, LLVMConstInt(v_.i1, 0, 0)});
  LLVMValueRef one =
      address.uniform ? address.v : LLVMBuildExtractElement(v_.b, address.v, first, "");
  LLVMTypeRef types[] = {v_.ptr, v_.ptr, v_.i32, v_.i64};
  LLVMValueRef arguments[] = {state_, v_.pointer(a.s), a.lanes, one};
  LLVMBuildCall2(v_.b, LLVMFunctionType(LLVMVoidTypeInContext(v_.context), types, 4, 0),
                 v_.pointer(reinterpret_cast<const void*>(&run_access)), arguments, 4, "");
  for (int e = 0; !a.store && e < a.s->count[0]; ++e)
    if (const Slot& slot = a.s->slot(0, e); slot.present && slot.base == Base::kFrame)
      load_register(analysis_.register_of(slot), nullptr);
  LLVMBuildBr(v_.b, a.done);
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
  a.slow = new_block();
  a.done = new_block();
  if (s.guard != ir::kNone) {
    LLVMBasicBlockRef some = new_block();
    branch_if(LLVMBuildICmp(v_.b, LLVMIntEQ, a.lanes, LLVMConstInt(v_.i32, 0, 0), ""), a.done,
              some);
    at(some);
  }
  const Value address = address_of(s.slot(a.store ? 0 : 1));
  if (a.space == Space::kLocal)
    transfer_local(a, v_.splat(address));
  else if (address.uniform)
    transfer_uniform(a, address);
  else if (a.space == Space::kShared)
    transfer_shared(a, address);
  else
    transfer_global(a, address);
  emit_slow_access(a, address);
  at(a.done);
  return true;
}

}  // namespace longwire::softcuda::jit
