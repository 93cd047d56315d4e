// Executes one instruction on one warp, without a machine.
#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "softcuda/interp/select.h"

namespace longwire::softcuda::testing {

using ir::Op;
using ir::Type;

inline ir::Instruction op(Op op, Type type, Type type2 = Type::kNone) {
  ir::Instruction i;
  i.op = op;
  i.type = type;
  i.type2 = type2;
  i.operand_count = 3;
  if (ir::is_float(type)) i.modifiers.rounding = ir::Rounding::kNearest;
  return i;
}
template <class F>
ir::Instruction with(ir::Instruction i, F change) {
  change(i.modifiers);
  return i;
}

// Operand n has its 32 values at n * kOperandBytes; a bool is a predicate.
class OneStep {
 public:
  static constexpr std::uint32_t kOperandBytes = 512;
  static constexpr int kOperands = 24;

  explicit OneStep(const ir::Instruction& i) : instruction_(i) {
    context_.mask = context_.active = context_.live = interp::kAllLanes;
    for (auto& width : context_.bases)
      for (auto& base : width)
        base = frame_;
    step_.source = &instruction_;
    step_.slots = slots_;
  }
  template <class T>
  int add(T value) {  // a source, equal in all lanes, or a place for a result
    const int n = add_place<T>();
    if constexpr (std::is_same_v<T, bool>) {
      mask(n) = value ? interp::kAllLanes : 0;
    } else {
      for (int lane = 0; lane < 32; ++lane)
        at<T>(n)[lane] = value;
    }
    return n;
  }
  template <class T>
  int add_place() {
    const int n = slot_count_++;
    slots_[n].base = interp::Base::kFrame;
    slots_[n].offset = static_cast<std::uint32_t>(n) * kOperandBytes;
    slots_[n].bytes = std::is_same_v<T, bool> ? 0 : sizeof(T);
    slots_[n].present = true;
    step_.start[step_.operands] = static_cast<std::uint16_t>(n);
    step_.count[step_.operands++] = 1;
    return n;
  }
  void add_nothing() { slots_[add_place<std::uint32_t>()].present = false; }
  // The next `count` places are one operand, a vector.
  template <class T>
  int add_vector(int count) {
    const int first = add_place<T>();
    for (int n = 1; n < count; ++n) {
      add_place<T>();
      --step_.operands;
    }
    step_.count[step_.operands - 1] = static_cast<std::uint16_t>(count);
    return first;
  }
  template <class T>
  T* at(int n) {
    return reinterpret_cast<T*>(frame_ + static_cast<std::size_t>(n) * kOperandBytes);
  }
  interp::Mask& mask(int n) { return *at<interp::Mask>(n); }
  interp::Context& context() { return context_; }
  void run() {
    const interp::Handler handler = interp::select(instruction_);
    ASSERT_NE(handler, nullptr) << ir::name_of(instruction_.op);
    handler(context_, step_);
  }

 private:
  ir::Instruction instruction_;
  interp::Context context_;
  interp::Step step_;
  interp::Slot slots_[kOperands];
  int slot_count_ = 0;
  alignas(64) std::byte frame_[kOperands * kOperandBytes] = {};
};

// The result of `d = op(arguments...)`, with some lanes off to see that they keep what they had.
template <class D, class... A>
D eval(const ir::Instruction& i, A... arguments) {
  OneStep step(i);
  const int d = step.add(D{});
  (step.add(arguments), ...);
  step.context().mask = 0x8000'0001;
  step.run();
  if constexpr (std::is_same_v<D, bool>) {
    EXPECT_EQ(step.mask(d) & 0x7fff'fffe, 0U);
    return (step.mask(d) & 1) != 0;
  } else {
    EXPECT_EQ(std::memcmp(&step.at<D>(d)[0], &step.at<D>(d)[31], sizeof(D)), 0);
    const D zero{};
    EXPECT_EQ(std::memcmp(&step.at<D>(d)[1], &zero, sizeof(D)), 0);
    return step.at<D>(d)[0];
  }
}

inline std::uint32_t bits(float v) { return std::bit_cast<std::uint32_t>(v); }
inline std::uint64_t bits(double v) { return std::bit_cast<std::uint64_t>(v); }
inline float f32(std::uint32_t b) { return std::bit_cast<float>(b); }

}  // namespace longwire::softcuda::testing
