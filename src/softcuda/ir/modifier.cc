#include "softcuda/ir/modifier.h"

#include <charconv>
#include <unordered_map>

namespace longwire::softcuda::ir {
namespace {

using Effect = void (*)(Modifiers&);
using Effects = std::unordered_map<std::string_view, Effect>;

#define LW_SET(member, value) [](Modifiers& m) { m.member = value; }

struct NamedEffect {
  std::string_view token;
  Effect effect;
};

constexpr NamedEffect kGeneral[] = {
    {"rn", LW_SET(rounding, Rounding::kNearest)},
    {"rz", LW_SET(rounding, Rounding::kZero)},
    {"rm", LW_SET(rounding, Rounding::kDown)},
    {"rp", LW_SET(rounding, Rounding::kUp)},
    {"rs", LW_SET(rounding, Rounding::kStochastic)},
    {"po", LW_SET(wrap, true)},
    {"shr7", LW_SET(shape.k, 7)},
    {"shr15", LW_SET(shape.k, 15)},
    {"rna", LW_SET(rounding, Rounding::kNearestAway)},
    {"rni", LW_SET(rounding, Rounding::kIntNearest)},
    {"rzi", LW_SET(rounding, Rounding::kIntZero)},
    {"rmi", LW_SET(rounding, Rounding::kIntDown)},
    {"rpi", LW_SET(rounding, Rounding::kIntUp)},
    {"ftz", LW_SET(ftz, true)},
    {"sat", LW_SET(saturate, true)},
    {"satfinite", LW_SET(saturate, true)},
    {"approx", LW_SET(approximate, true)},
    {"full", LW_SET(full, true)},
    {"relu", LW_SET(relu, true)},
    {"NaN", LW_SET(nan, true)},
    {"abs", LW_SET(xorsign_abs, true)},
    {"cc", LW_SET(carry_out, true)},
    {"trans", LW_SET(transposed, true)},
    {"wrap", LW_SET(wrap, true)},
    {"shiftamt", LW_SET(wrap, true)},
    {"parity", LW_SET(wrap, true)},
    {"expect_tx", LW_SET(wrap, true)},
    {"bulk_group", LW_SET(wrap, true)},
    {"noinc", LW_SET(wrap, true)},
    {"wide", LW_SET(part, Part::kWide)},
    {"lo", LW_SET(part, Part::kLo)},
    {"hi", LW_SET(part, Part::kHi)},
    {"uni", LW_SET(uniform, true)},
    {"weak", LW_SET(order, Order::kWeak)},
    {"relaxed", LW_SET(order, Order::kRelaxed)},
    {"acquire", LW_SET(order, Order::kAcquire)},
    {"release", LW_SET(order, Order::kRelease)},
    {"acq_rel", LW_SET(order, Order::kAcqRel)},
    {"sc", LW_SET(order, Order::kSc)},
    {"mmio", LW_SET(order, Order::kMmio)},
    {"volatile", LW_SET(volatile_, true)},
    {"cta", LW_SET(scope, Scope::kCta)},
    {"cluster", LW_SET(scope, Scope::kCluster)},
    {"gpu", LW_SET(scope, Scope::kGpu)},
    {"gl", LW_SET(scope, Scope::kGpu)},
    {"sys", LW_SET(scope, Scope::kSys)},
    {"global", LW_SET(space, Space::kGlobal)},
    {"shared", LW_SET(space, Space::kShared)},
    {"shared::cta", LW_SET(space, Space::kShared)},
    {"shared::cluster", LW_SET(space, Space::kShared)},
    {"local", LW_SET(space, Space::kLocal)},
    {"const", LW_SET(space, Space::kConst)},
    {"param", LW_SET(space, Space::kParam)},
    {"param::entry", LW_SET(space, Space::kParam)},
    {"param::func", LW_SET(space, Space::kParam)},
    {"v2", LW_SET(vector, 2)},
    {"v4", LW_SET(vector, 4)},
    {"v8", LW_SET(vector, 8)},
    {"x1", LW_SET(shape.count, 1)},
    {"x2", LW_SET(shape.count, 2)},
    {"x4", LW_SET(shape.count, 4)},
    {"up", LW_SET(mode, Mode::kUp)},
    {"down", LW_SET(mode, Mode::kDown)},
    {"bfly", LW_SET(mode, Mode::kBfly)},
    {"idx", LW_SET(mode, Mode::kIdx)},
    {"all", LW_SET(mode, Mode::kAll)},
    {"any", LW_SET(mode, Mode::kAny)},
    {"ballot", LW_SET(mode, Mode::kBallot)},
    {"f4e", LW_SET(mode, Mode::kF4e)},
    {"b4e", LW_SET(mode, Mode::kB4e)},
    {"rc8", LW_SET(mode, Mode::kRc8)},
    {"ecl", LW_SET(mode, Mode::kEcl)},
    {"ecr", LW_SET(mode, Mode::kEcr)},
    {"rc16", LW_SET(mode, Mode::kRc16)},
    {"finite", LW_SET(mode, Mode::kFinite)},
    {"infinite", LW_SET(mode, Mode::kInfinite)},
    {"number", LW_SET(mode, Mode::kNumber)},
    {"notanumber", LW_SET(mode, Mode::kNotANumber)},
    {"normal", LW_SET(mode, Mode::kNormal)},
    {"subnormal", LW_SET(mode, Mode::kSubnormal)},
    {"arrive", LW_SET(mode, Mode::kArrive)},
    {"wait", LW_SET(mode, Mode::kWait)},
    {"l", LW_SET(mode, Mode::kLeft)},
    {"r", LW_SET(mode, Mode::kRight)},
    {"1d", LW_SET(mode, Mode::k1d)},
    {"2d", LW_SET(mode, Mode::k2d)},
    {"3d", LW_SET(mode, Mode::k3d)},
    {"a1d", LW_SET(mode, Mode::kArray1d)},
    {"a2d", LW_SET(mode, Mode::kArray2d)},
    {"cube", LW_SET(mode, Mode::kCube)},
    {"acube", LW_SET(mode, Mode::kArrayCube)},
};

const Effects& general() {
  static const Effects effects = [] {
    Effects map;
    for (const auto& named : kGeneral)
      map.emplace(named.token, named.effect);
    return map;
  }();
  return effects;
}

const Effects& comparison() {  // set, setp
  static const Effects effects = {
      {"eq", LW_SET(compare, Compare::kEq)},   {"ne", LW_SET(compare, Compare::kNe)},
      {"lt", LW_SET(compare, Compare::kLt)},   {"le", LW_SET(compare, Compare::kLe)},
      {"gt", LW_SET(compare, Compare::kGt)},   {"ge", LW_SET(compare, Compare::kGe)},
      {"lo", LW_SET(compare, Compare::kLo)},   {"ls", LW_SET(compare, Compare::kLs)},
      {"hi", LW_SET(compare, Compare::kHi)},   {"hs", LW_SET(compare, Compare::kHs)},
      {"equ", LW_SET(compare, Compare::kEqu)}, {"neu", LW_SET(compare, Compare::kNeu)},
      {"ltu", LW_SET(compare, Compare::kLtu)}, {"leu", LW_SET(compare, Compare::kLeu)},
      {"gtu", LW_SET(compare, Compare::kGtu)}, {"geu", LW_SET(compare, Compare::kGeu)},
      {"num", LW_SET(compare, Compare::kNum)}, {"nan", LW_SET(compare, Compare::kNan)},
  };
  return effects;
}

const Effects& combination() {  // set, setp, lop3, mma
  static const Effects effects = {
      {"and", LW_SET(combine, Combine::kAnd)},
      {"or", LW_SET(combine, Combine::kOr)},
      {"xor", LW_SET(combine, Combine::kXor)},
  };
  return effects;
}

const Effects& atomics() {  // atom, red, redux
  static const Effects effects = {
      {"and", LW_SET(atomic, AtomicOp::kAnd)}, {"or", LW_SET(atomic, AtomicOp::kOr)},
      {"xor", LW_SET(atomic, AtomicOp::kXor)}, {"cas", LW_SET(atomic, AtomicOp::kCas)},
      {"add", LW_SET(atomic, AtomicOp::kAdd)}, {"exch", LW_SET(atomic, AtomicOp::kExch)},
      {"inc", LW_SET(atomic, AtomicOp::kInc)}, {"dec", LW_SET(atomic, AtomicOp::kDec)},
      {"min", LW_SET(atomic, AtomicOp::kMin)}, {"max", LW_SET(atomic, AtomicOp::kMax)},
  };
  return effects;
}

const Effects& barriers() {  // bar, barrier: .cta is the only scope there is
  static const Effects effects = {
      {"sync", LW_SET(mode, Mode::kSync)},  {"popc", LW_SET(mode, Mode::kRedPopc)},
      {"and", LW_SET(mode, Mode::kRedAnd)}, {"or", LW_SET(mode, Mode::kRedOr)},
      {"cta", LW_SET(scope, Scope::kNone)},
  };
  return effects;
}

const Effects& fragments() {  // wmma.load
  static const Effects effects = {
      {"a", LW_SET(mode, Mode::kLeft)},
      {"b", LW_SET(mode, Mode::kRight)},
      {"c", LW_SET(mode, Mode::kUp)},
  };
  return effects;
}

const Effects& components() {  // tld4: which one is gathered
  static const Effects effects = {
      {"r", LW_SET(shape.count, 0)},
      {"g", LW_SET(shape.count, 1)},
      {"b", LW_SET(shape.count, 2)},
      {"a", LW_SET(shape.count, 3)},
  };
  return effects;
}

const Effects& surfaces() {  // what is outside of them traps, unless
  static const Effects effects = {
      {"clamp", LW_SET(saturate, true)},
      {"zero", LW_SET(wrap, true)},
  };
  return effects;
}

const Effects& queries() {  // txq, suq
  static const Effects effects = {
      {"width", LW_SET(mode, Mode::kWidth)},
      {"height", LW_SET(mode, Mode::kHeight)},
      {"depth", LW_SET(mode, Mode::kDepth)},
      {"channel_data_type", LW_SET(mode, Mode::kChannelDataType)},
      {"channel_order", LW_SET(mode, Mode::kChannelOrder)},
      {"normalized_coords", LW_SET(mode, Mode::kNormalizedCoordinates)},
      {"array_size", LW_SET(mode, Mode::kArraySize)},
      {"num_mipmap_levels", LW_SET(mode, Mode::kMipmapLevels)},
      {"num_samples", LW_SET(mode, Mode::kSamples)},
      {"filter_mode", LW_SET(mode, Mode::kFilterMode)},
      {"addr_mode_0", LW_SET(mode, Mode::kAddressMode0)},
      {"addr_mode_1", LW_SET(mode, Mode::kAddressMode1)},
      {"addr_mode_2", LW_SET(mode, Mode::kAddressMode2)},
      {"memory_layout", LW_SET(mode, Mode::kMemoryLayout)},
  };
  return effects;
}

const Effects& votes() {
  static const Effects effects = {{"uni", LW_SET(mode, Mode::kUni)}};
  return effects;
}
#undef LW_SET

const Effects* particular(Op op) {
  switch (op) {
    case Op::kSet:
    case Op::kSetp:
    case Op::kVset:
      return &comparison();
    case Op::kAtom:
    case Op::kRed:
    case Op::kRedux:
    case Op::kCpReduceBulk:
    case Op::kVadd:
    case Op::kVsub:
    case Op::kVabsdiff:
    case Op::kVmin:
    case Op::kVmax:
    case Op::kVavrg:
    case Op::kVshl:
    case Op::kVshr:
      return &atomics();
    case Op::kBar:
    case Op::kBarrier:
      return &barriers();
    case Op::kWmmaLoad:
      return &fragments();
    case Op::kTld4:
      return &components();
    case Op::kSuld:
    case Op::kSust:
      return &surfaces();
    case Op::kTxq:
    case Op::kSuq:
      return &queries();
    case Op::kVote:
      return &votes();
    default:
      return nullptr;
  }
}

bool combines(Op op) {
  return op == Op::kSet || op == Op::kSetp || op == Op::kLop3 || op == Op::kMma ||
         op == Op::kWmmaMma;
}

bool apply(const Effects* effects, std::string_view token, Modifiers& modifiers) {
  if (effects == nullptr) return false;
  const auto found = effects->find(token);
  if (found == effects->end()) return false;
  found->second(modifiers);
  return true;
}

// "m16n8k16", or "m8n8"
bool apply_shape(std::string_view token, Modifiers& modifiers) {
  if (token.size() < 4 || token[0] != 'm' || token[1] < '0' || token[1] > '9') return false;
  unsigned parts[3] = {0, 0, 0};
  const char* at = token.data();
  const char* const end = at + token.size();
  for (unsigned& part : parts) {
    if (at == end) break;
    at = std::from_chars(at + 1, end, part).ptr;
  }
  modifiers.shape.m = static_cast<std::uint8_t>(parts[0]);
  modifiers.shape.n = static_cast<std::uint8_t>(parts[1]);
  modifiers.shape.k = static_cast<std::uint16_t>(parts[2]);
  return true;
}

}  // namespace

void apply_modifier(Op op, std::string_view token, int& layouts, Modifiers& modifiers) {
  if (token == "row" || token == "col") {
    if (layouts++ == 0) {
      modifiers.shape.a_column = token == "col";
    } else {
      modifiers.shape.b_row = token == "row";
    }
    return;
  }
  if (op == Op::kCvta && token == "to") {
    modifiers.uniform = true;  // until its space is known: finish()
    return;
  }
  if (op == Op::kBrxIdx && token == "idx") return;  // a part of its name
  if (apply(particular(op), token, modifiers)) return;
  if (op == Op::kVset && apply(&atomics(), token, modifiers)) return;
  if (combines(op) && apply(&combination(), token, modifiers)) return;
  if (apply_shape(token, modifiers)) return;
  apply(&general(), token, modifiers);
}

}  // namespace longwire::softcuda::ir
