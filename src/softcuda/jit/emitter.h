// Emitter: the code of one function. It has an entry for each kNative step; registers live in
// LLVM's values between them, and in the frame (interp/program.h) outside. Lanes of the group stay
// together: where they part, or something is to be done that concerns other lanes, the registers
// that are still of use go to the frame and the Runner goes on from that step.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <string>
#include <vector>

#include "softcuda/jit/analysis.h"
#include "softcuda/jit/table.h"
#include "softcuda/jit/values.h"

namespace longwire::softcuda::jit {

struct Counts {
  std::uint64_t compiled = 0;  // instructions in code of their own
  std::uint64_t called = 0;    // instructions that call the interpreter's
  std::uint64_t moves = 0;     // of registers to the frame and from it
};
// Where more are needed, the rest is left out, and what was made is of no use.
inline constexpr std::uint64_t kMaxMoves = 40'000;

class Emitter {
 public:
  Emitter(Values& values, const interp::KernelPrograms& programs, const Table& table,
          const Program& program, const Analysis& analysis, Counts& counts);
  void emit(const std::string& name);

 private:
  struct Access;  // access.h

  // --- the function's frame: emitter.cc ---
  void begin(const std::string& name);
  void begin_access(Access& a);
  void add_attributes(LLVMValueRef function);
  LLVMAttributeRef attribute(const char* kind);
  LLVMValueRef load_field(LLVMTypeRef type, std::size_t offset);
  LLVMValueRef field(std::size_t offset);
  void emit_entry(std::uint32_t step);
  void load_register(RegisterId id, LLVMBasicBlockRef refused);
  void emit_block(std::uint32_t block);
  void emit_step(std::uint32_t step);
  LLVMBasicBlockRef new_block() { return LLVMAppendBasicBlockInContext(v_.context, function_, ""); }
  void at(LLVMBasicBlockRef block) { LLVMPositionBuilderAtEnd(v_.b, block); }
  void branch_if(LLVMValueRef condition, LLVMBasicBlockRef yes, LLVMBasicBlockRef no) {
    LLVMBuildCondBr(v_.b, condition, yes, no);
  }

  // --- regions: region.cc ---
  LLVMValueRef waiting_place(std::uint32_t block);
  LLVMValueRef waiting_at(std::uint32_t block);
  void set_waiting(std::uint32_t block, LLVMValueRef lanes);
  void add_waiting(std::uint32_t block, LLVMValueRef lanes);
  void none_waiting(const Region& region);
  LLVMValueRef others_wait_in(const Region& region);
  void enter_region(std::uint32_t step, const Region& region);
  void enter_loop(const Region& region);
  LLVMBasicBlockRef exit_of(const Region& region);
  void go_back(const Region& region, std::uint32_t block);
  void begin_region_block();
  void end_region_block(std::uint32_t step);
  void region_next(const Region& region, std::uint32_t block);
  void leave_lanes(std::uint32_t number, LLVMValueRef lanes, std::uint32_t at_step);
  std::uint32_t leave_waiting(const Region& region, std::uint32_t first);
  void emit_apart(std::uint32_t step, const Region& region);
  void keep_others(RegisterId id, Value& value);

  // --- control: control.cc ---
  LLVMBasicBlockRef exit_at(std::uint32_t step);
  void look_at_rounds(LLVMBasicBlockRef leaving);
  void go(std::uint32_t from_step, std::uint32_t target_step);
  void emit_branch(std::uint32_t step);
  void emit_leave(std::uint32_t step);  // ret, exit
  void emit_barrier(std::uint32_t step);
  void emit_warp_sync(std::uint32_t step);
  void call_step(const Step& s, LLVMValueRef mask);
  LLVMValueRef place_of_step(const Step& s);
  // A function of runtime.h, with the state and what it takes beside.
  LLVMValueRef call(Called which, LLVMTypeRef result, std::initializer_list<LLVMValueRef> others);

  // --- registers ---
  LLVMTypeRef stored_type(RegisterId id) const;
  LLVMValueRef frame_at(RegisterId id);
  void store_register(RegisterId id);  // to the frame, the group's lanes
  Value read(RegisterId id);
  Value read_raw(RegisterId id);  // of a number any NaN
  void write(RegisterId id, Value value);
  Value constant_of(const Slot& slot, int bits) const;
  // A number of which the address of a variable is part, or not.
  Value relocated(std::uint64_t number, const Slot& slot) const;
  Value special_of(const Slot& slot, int bits);
  Value thread_of(ir::Special special, int bits);
  Value clock_of(const Slot& slot, int bits);

  // --- lines: lines.cc ---
  LLVMTypeRef base_type(int bits, bool of_rows) const;
  LLVMValueRef of_rows(LLVMValueRef base);                 // one value for each row
  LLVMValueRef of_row(LLVMValueRef base, int row);         // that of a row
  LLVMValueRef moved(LLVMValueRef base, std::int64_t by);  // all of them
  Value spread(LLVMValueRef base, const Shape& shape);     // to all lanes
  LLVMValueRef line_base(const Slot& slot, int bits);
  LLVMValueRef thread_base(ir::Special special);
  LLVMValueRef found_base(LLVMValueRef values, const Shape& shape);
  LLVMValueRef for_all(LLVMValueRef condition);  // of one or several
  LLVMValueRef two(Values::Two f, LLVMValueRef x, LLVMValueRef y);
  LLVMValueRef extended(const Step& s, LLVMValueRef base, std::int64_t step, bool with_sign);
  LLVMValueRef product_base(const Step& s);
  LLVMValueRef line_sum(const Step& s);
  bool emit_line(std::uint32_t step);

  // --- operands of a step ---
  Value operand(const Step& s, int n, int bits, int element = 0);
  Value slot_value(const Slot& slot, int bits);
  Value raw_operand(const Step& s, int n, int bits);
  Value real_operand(const Step& s, int n, int bits) { return v_.to_float(operand(s, n, bits)); }
  Value condition(const Step& s, int n);
  Value guard_of(const Step& s);
  // Those that execute it, as bits and as a vector. Vectors of conditions are kept as such: LLVM 19
  // does not come to an end on some that are made of bits.
  LLVMValueRef lanes_of(const Step& s);
  LLVMValueRef active_lanes(const Step& s);
  void result(const Step& s, int n, Value value, int element = 0);  // under the guard
  void result_slot(const Step& s, const Slot& slot, Value value);
  void condition_result(const Step& s, int n, Value value);

  // --- instructions; false: not in this form ---
  bool emit_native(const Step& s);
  bool emit_integer(const Step& s);
  bool emit_bits(const Step& s);
  bool emit_logic(const Step& s);
  bool emit_shift(const Step& s);
  bool emit_float(const Step& s);
  bool emit_compare(const Step& s);
  bool emit_select(const Step& s);
  bool emit_move(const Step& s);
  bool emit_convert(const Step& s);
  bool emit_memory(const Step& s);
  bool emit_warp(const Step& s);

  bool integer_multiply(const Step& s, bool with_sum);
  Value divided(Value a, Value b, bool with_sign);
  bool integer_divide(const Step& s, bool remainder);
  bool emit_sign(const Step& s);
  bool float_extremum(const Step& s, bool most);
  Value flushed(Value x);
  Value float_input(const Step& s, int n);
  void float_result(const Step& s, Value x);
  bool writes_number(const Step& s) const;
  Value canonical(Value x);
  Value reverse_root(Value x);
  Value fast_quotient(Value a, Value b);
  bool emit_function(const Step& s);  // functions.cc
  Value settled(Value x, std::initializer_list<Value> operands);
  Value compared(const Step& s, ir::Type type, int a, int b, bool& known);
  bool set_predicates(const Step& s);
  bool mov_packed(const Step& s);
  bool float_to_integer(const Step& s);
  bool integer_to_float(const Step& s);
  bool float_to_float(const Step& s);

  bool emit_permute(const Step& s);
  bool emit_shuffle(const Step& s);

  // --- atomics.cc ---
  LLVMValueRef updated(ir::AtomicOp op, bool with_sign, LLVMValueRef old, LLVMValueRef b,
                       LLVMValueRef c);
  LLVMValueRef update_one(const Access& a, LLVMValueRef place, LLVMValueRef b, LLVMValueRef c);
  LLVMValueRef spilled(int which, Value value);
  LLVMValueRef element_place(LLVMValueRef place, int bits, LLVMValueRef lane);
  void update_each(const Access& a, Value addresses, int value_operand, bool has_result);
  bool emit_atomic(std::uint32_t step);

  // --- memory: memory.cc ---
  bool load_parameter(const Step& s);
  Value address_of(const Slot& slot);
  Value address_base(const Slot& slot);
  Value address_displacement(const Slot& slot);
  Value lane_base();
  Value space_base(ir::Space space);
  LLVMValueRef offset(LLVMValueRef base, std::uint64_t bytes);
  void need(const Access& a, LLVMValueRef condition);
  void need_place(const Access& a, LLVMValueRef address, std::uint64_t span);
  void need_aligned(const Access& a, Value address);
  Value fits(Value offset, Value bytes, std::uint64_t span);
  LLVMValueRef shared_places(const Access& a, std::uint64_t span);
  Value range_field(const Access& a, std::size_t offset);
  Value is_inside(const Access& a, Value address, std::uint64_t span);
  LLVMValueRef place_of(const Access& a, LLVMValueRef address);
  LLVMValueRef joined_rows(std::vector<LLVMValueRef> rows);
  LLVMValueRef row_of(LLVMValueRef values, int row);
  void load_rows(const Access& a, LLVMValueRef base, const Shape& shape);
  void store_rows(const Access& a, LLVMValueRef base);
  void transfer_packed(const Access& a, LLVMValueRef place);
  void transfer_line(Access& a, LLVMValueRef base, const Shape& shape);
  void transfer_uniform(const Access& a, Value address);
  void transfer_at(const Access& a, Value addresses);
  void transfer_scattered(const Access& a, LLVMValueRef from, Value offsets);
  void transfer_anywhere(const Access& a, const Slot& slot, Value base);
  void emit_slow_access(const Access& a);
  Value stored(const Access& a, int element);
  void put_loaded(const Access& a, int element, Value value);
  LLVMValueRef all_of(Value condition, LLVMValueRef lanes);

  Values& v_;
  const interp::KernelPrograms& programs_;
  const Table& table_;
  const Program& program_;
  const Analysis& analysis_;
  Counts& counts_;
  LLVMValueRef function_ = nullptr, state_ = nullptr;
  // The lanes that are together, as bits and as a vector of bools; and those of them that run what
  // is emitted, which in a region may be fewer.
  LLVMValueRef whole_ = nullptr, whole_lanes_ = nullptr;
  LLVMValueRef group_ = nullptr, group_lanes_ = nullptr;
  std::uint32_t block_ = 0;                        // that is emitted
  const Region* region_ = nullptr;                 // that it is in
  std::map<std::uint32_t, LLVMValueRef> waiting_;  // lanes that will come to a block of a region
  static constexpr std::uint32_t kRunning = ~std::uint32_t{0};  // that have come to the one that is
  LLVMValueRef frame_ = nullptr, specials_ = nullptr, join_ = nullptr, stopping_ = nullptr;
  LLVMValueRef shared_ = nullptr, shared_bytes_ = nullptr, ranges_ = nullptr;
  LLVMBasicBlockRef refused_ = nullptr;
  Value guard_;            // of the step that is emitted, as it was before it
  std::uint32_t now_ = 0;  // that step
  std::uint32_t next_range_ = 0;
  static constexpr int kScratch = 4;
  static constexpr unsigned kScratchAlignment = 64;
  LLVMValueRef scratch_[kScratch] = {};  // 32 values of 64 bits each
  std::vector<LLVMValueRef> places_;     // of registers
  // Of blocks; in regions, where it is known that some lanes wait for one.
  std::vector<LLVMBasicBlockRef> starts_, bodies_;
  std::map<const Region*, LLVMBasicBlockRef> region_exits_;
  std::map<std::uint32_t, LLVMBasicBlockRef> exits_, entries_;
};

}  // namespace longwire::softcuda::jit
