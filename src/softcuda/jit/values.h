// Values: what is computed for a warp, in LLVM's form. One for all lanes, or a vector of 32.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "softcuda/interp/program.h"
#include "softcuda/jit/llvm_c.h"

namespace longwire::softcuda::jit {

struct Value {
  LLVMValueRef v = nullptr;
  bool uniform = true;
};

// Builds instructions for values of either shape; where shapes differ the result is a vector.
class Values {
 public:
  // The table has so many words.
  Values(LLVMContextRef context, LLVMModuleRef module, std::size_t table_words);
  ~Values();
  Values(const Values&) = delete;
  Values& operator=(const Values&) = delete;

  LLVMTypeRef integer_type(int bits) const { return LLVMIntTypeInContext(context, bits); }
  LLVMTypeRef float_type(int bits) const { return bits == 64 ? f64 : bits == 16 ? f16 : f32; }
  LLVMTypeRef shaped(LLVMTypeRef scalar, bool uniform) const {
    return uniform ? scalar : LLVMVectorType(scalar, interp::kLanes);
  }

  Value constant(int bits, std::uint64_t value) const {
    return {LLVMConstInt(integer_type(bits), value, 0), true};
  }
  Value real(int bits, double value) const {
    return {LLVMConstReal(float_type(bits), value), true};
  }
  Value lanes(int bits, std::uint64_t step) const;  // 0, step, 2 * step...
  // A word of the table (table.h).
  LLVMValueRef table_word(LLVMTypeRef type, std::size_t index) const;
  LLVMValueRef pointer_at(LLVMValueRef integer) const {
    return LLVMBuildIntToPtr(b, integer, ptr, "");
  }

  Value splat(Value x) const;
  void match(Value& x, Value& y) const;
  using Two = LLVMValueRef (*)(LLVMBuilderRef, LLVMValueRef, LLVMValueRef, const char*);
  Value two(Two f, Value x, Value y) const;
  Value add(Value x, Value y) const { return two(LLVMBuildAdd, x, y); }
  Value sub(Value x, Value y) const { return two(LLVMBuildSub, x, y); }
  Value mul(Value x, Value y) const { return two(LLVMBuildMul, x, y); }
  Value both(Value x, Value y) const { return two(LLVMBuildAnd, x, y); }
  Value either(Value x, Value y) const { return two(LLVMBuildOr, x, y); }
  Value exclusive(Value x, Value y) const { return two(LLVMBuildXor, x, y); }
  Value inverted(Value x) const { return {LLVMBuildNot(b, x.v, ""), x.uniform}; }
  Value icmp(LLVMIntPredicate how, Value x, Value y) const;
  Value fcmp(LLVMRealPredicate how, Value x, Value y) const;
  Value select(Value condition, Value x, Value y) const;

  int bits(Value x) const;
  LLVMTypeRef scalar_of(Value x) const;
  Value cast_bits(Value x, LLVMTypeRef scalar) const;  // of equal size
  Value to_float(Value x) const { return cast_bits(x, float_type(bits(x))); }
  Value to_integer(Value x) const;
  // An integer with so many bits.
  Value resized(Value x, int to, bool with_sign) const;
  using Convert = LLVMValueRef (*)(LLVMBuilderRef, LLVMValueRef, LLVMTypeRef, const char*);
  Value converted(Convert f, Value x, LLVMTypeRef scalar) const;

  // llvm.NAME, overloaded on the type of the first argument.
  Value intrinsic(const char* name, std::initializer_list<Value> arguments) const;
  LLVMValueRef call_intrinsic(const char* name, std::initializer_list<LLVMTypeRef> overloads,
                              std::initializer_list<LLVMValueRef> arguments) const;

  // One bit for each lane, and back. A uniform bool is all ones or none.
  LLVMValueRef mask_of(Value condition) const;
  Value condition_of(LLVMValueRef mask) const;

  LLVMContextRef context;
  LLVMModuleRef module;
  LLVMBuilderRef b;
  LLVMTypeRef i1, i8, i16, i32, i64, f16, f32, f64, ptr;

 private:
  LLVMValueRef table_;
};

}  // namespace longwire::softcuda::jit
