#include "softcuda/jit/values.h"

#include <cstring>

#include "base/check.h"
#include "softcuda/jit/table.h"

namespace longwire::softcuda::jit {

using interp::kLanes;

Values::Values(LLVMContextRef context, LLVMModuleRef module, std::size_t table_words)
    : context(context),
      module(module),
      b(LLVMCreateBuilderInContext(context)),
      i1(LLVMIntTypeInContext(context, 1)),
      i8(LLVMIntTypeInContext(context, 8)),
      i16(LLVMIntTypeInContext(context, 16)),
      i32(LLVMIntTypeInContext(context, 32)),
      i64(LLVMIntTypeInContext(context, 64)),
      f16(LLVMHalfTypeInContext(context)),
      f32(LLVMFloatTypeInContext(context)),
      f64(LLVMDoubleTypeInContext(context)),
      ptr(LLVMPointerTypeInContext(context, 0)),
      table_(LLVMAddGlobal(module, LLVMArrayType2(i64, table_words), kTableName)) {
  LLVMSetGlobalConstant(table_, 1);
  LLVMSetVisibility(table_, LLVMHiddenVisibility);
}

Values::~Values() { LLVMDisposeBuilder(b); }

Value Values::lanes(int bits, std::uint64_t step) const {
  LLVMValueRef elements[kLanes];
  for (unsigned i = 0; i < kLanes; ++i)
    elements[i] = LLVMConstInt(integer_type(bits), i * step, 0);
  return {LLVMConstVector(elements, kLanes), false};
}

LLVMValueRef Values::table_word(LLVMTypeRef type, std::size_t index) const {
  LLVMValueRef at = LLVMConstInt(i64, index, 0);
  return LLVMBuildLoad2(b, type, LLVMBuildGEP2(b, i64, table_, &at, 1, ""), "");
}

Value Values::splat(Value x) const {
  if (!x.uniform) return x;
  LLVMTypeRef vector = LLVMVectorType(LLVMTypeOf(x.v), kLanes);
  LLVMValueRef one =
      LLVMBuildInsertElement(b, LLVMGetPoison(vector), x.v, LLVMConstInt(i32, 0, 0), "");
  LLVMValueRef zeros = LLVMConstNull(LLVMVectorType(i32, kLanes));
  return {LLVMBuildShuffleVector(b, one, LLVMGetPoison(vector), zeros, ""), false};
}

void Values::match(Value& x, Value& y) const {
  if (x.uniform == y.uniform) return;
  x = splat(x);
  y = splat(y);
}

Value Values::two(Two f, Value x, Value y) const {
  match(x, y);
  return {f(b, x.v, y.v, ""), x.uniform};
}

Value Values::icmp(LLVMIntPredicate how, Value x, Value y) const {
  match(x, y);
  return {LLVMBuildICmp(b, how, x.v, y.v, ""), x.uniform};
}

Value Values::fcmp(LLVMRealPredicate how, Value x, Value y) const {
  match(x, y);
  return {LLVMBuildFCmp(b, how, x.v, y.v, ""), x.uniform};
}

Value Values::select(Value condition, Value x, Value y) const {
  match(x, y);
  if (!condition.uniform) x = splat(x), y = splat(y);
  return {LLVMBuildSelect(b, condition.v, x.v, y.v, ""), x.uniform};
}

LLVMTypeRef Values::scalar_of(Value x) const {
  LLVMTypeRef type = LLVMTypeOf(x.v);
  return x.uniform ? type : LLVMGetElementType(type);
}

int Values::bits(Value x) const {
  LLVMTypeRef type = scalar_of(x);
  if (type == f32) return 32;
  if (type == f64) return 64;
  if (type == f16) return 16;
  return static_cast<int>(LLVMGetIntTypeWidth(type));
}

Value Values::cast_bits(Value x, LLVMTypeRef scalar) const {
  return {LLVMBuildBitCast(b, x.v, shaped(scalar, x.uniform), ""), x.uniform};
}

Value Values::to_integer(Value x) const {
  LLVMTypeRef type = scalar_of(x);
  if (type != f32 && type != f64 && type != f16) return x;
  return cast_bits(x, integer_type(bits(x)));
}

Value Values::resized(Value x, int to, bool with_sign) const {
  const int from = bits(x);
  if (from == to) return x;
  const Convert f = from > to ? LLVMBuildTrunc : with_sign ? LLVMBuildSExt : LLVMBuildZExt;
  return converted(f, x, integer_type(to));
}

Value Values::converted(Convert f, Value x, LLVMTypeRef scalar) const {
  return {f(b, x.v, shaped(scalar, x.uniform), ""), x.uniform};
}

LLVMValueRef Values::call_intrinsic(const char* name, std::initializer_list<LLVMTypeRef> overloads,
                                    std::initializer_list<LLVMValueRef> arguments) const {
  const unsigned id = LLVMLookupIntrinsicID(name, std::strlen(name));
  auto* types = const_cast<LLVMTypeRef*>(overloads.begin());
  LLVMValueRef function = LLVMGetIntrinsicDeclaration(module, id, types, overloads.size());
  return LLVMBuildCall2(b, LLVMGlobalGetValueType(function), function,
                        const_cast<LLVMValueRef*>(arguments.begin()),
                        static_cast<unsigned>(arguments.size()), "");
}

Value Values::intrinsic(const char* name, std::initializer_list<Value> arguments) const {
  constexpr std::size_t kMost = 4;
  LW_CHECK(arguments.size() != 0 && arguments.size() <= kMost);
  bool uniform = true;
  for (const Value& argument : arguments)
    uniform = uniform && argument.uniform;
  LLVMValueRef values[kMost] = {};
  unsigned count = 0;
  for (const Value& argument : arguments)
    values[count++] = uniform || LLVMTypeOf(argument.v) == i1 ? argument.v : splat(argument).v;
  LLVMTypeRef type = LLVMTypeOf(values[0]);
  const unsigned id = LLVMLookupIntrinsicID(name, std::strlen(name));
  LLVMValueRef function = LLVMGetIntrinsicDeclaration(module, id, &type, 1);
  return {LLVMBuildCall2(b, LLVMGlobalGetValueType(function), function, values, count, ""),
          uniform};
}

LLVMValueRef Values::mask_of(Value condition) const {
  if (condition.uniform) return LLVMBuildSExt(b, condition.v, i32, "");
  return LLVMBuildBitCast(b, condition.v, i32, "");
}

Value Values::condition_of(LLVMValueRef mask) const {
  return {LLVMBuildBitCast(b, mask, LLVMVectorType(i1, kLanes), ""), false};
}

}  // namespace longwire::softcuda::jit
