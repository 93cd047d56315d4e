#include <array>

#include "softcuda/ir/op.h"
#include "softcuda/ir/type.h"

namespace longwire::softcuda::ir {
namespace {

struct TypeFacts {
  const char* name;
  int bits;
  bool floating;
  bool with_sign;
};

// In the order of Type.
constexpr TypeFacts kFacts[] = {
    {"none", 0, false, false},   {"pred", 1, false, false},    {"b8", 8, false, false},
    {"b16", 16, false, false},   {"b32", 32, false, false},    {"b64", 64, false, false},
    {"b128", 128, false, false}, {"u8", 8, false, false},      {"u16", 16, false, false},
    {"u32", 32, false, false},   {"u64", 64, false, false},    {"s8", 8, false, true},
    {"s16", 16, false, true},    {"s32", 32, false, true},     {"s64", 64, false, true},
    {"f16", 16, true, true},     {"f16x2", 32, true, true},    {"bf16", 16, true, true},
    {"bf16x2", 32, true, true},  {"tf32", 32, true, true},     {"f32", 32, true, true},
    {"f64", 64, true, true},     {"f32x2", 64, true, true},    {"e4m3", 8, true, true},
    {"e5m2", 8, true, true},     {"e4m3x2", 16, true, true},   {"e5m2x2", 16, true, true},
    {"u16x2", 32, false, false}, {"s16x2", 32, false, true},   {"u4", 4, false, false},
    {"s4", 4, false, true},      {"b1", 1, false, false},      {"u8x4", 32, false, false},
    {"s8x4", 32, false, true},   {"e2m1x2", 8, true, true},    {"e2m3x2", 16, true, true},
    {"e3m2x2", 16, true, true},  {"ue8m0x2", 16, true, false}, {"e2m1x4", 16, true, true},
    {"e2m3x4", 32, true, true},  {"e3m2x4", 32, true, true},   {"e4m3x4", 32, true, true},
    {"e5m2x4", 32, true, true},  {"u2", 2, false, false},      {"s2", 2, false, true},
};
static_assert(std::size(kFacts) == kTypes);

const TypeFacts& facts(Type type) noexcept { return kFacts[static_cast<std::size_t>(type)]; }

constexpr const char* kOpNames[] = {
#define X(name, text) text,
    LW_SOFTCUDA_OPS(X)
#undef X
};

}  // namespace

int bits_of(Type type) noexcept { return facts(type).bits; }
bool is_float(Type type) noexcept { return facts(type).floating; }
bool is_signed(Type type) noexcept { return facts(type).with_sign; }
const char* name_of(Type type) noexcept { return facts(type).name; }
const char* name_of(Op op) noexcept { return kOpNames[static_cast<std::size_t>(op)]; }

}  // namespace longwire::softcuda::ir
