// Builds modules by hand, for tests.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "softcuda/ir/ir.h"
#include "softcuda/machine/backend.h"
#include "softcuda/machine/machine.h"

namespace longwire::softcuda::testing {

using ir::Op;
using ir::Operand;
using ir::OperandKind;
using ir::Type;

inline Operand reg(ir::RegisterId id) {
  Operand o;
  o.kind = OperandKind::kRegister;
  o.reg = id;
  return o;
}
inline Operand negated(ir::RegisterId id) {
  Operand o = reg(id);
  o.negated = true;
  return o;
}
inline Operand imm(std::uint64_t bits) {
  Operand o;
  o.kind = OperandKind::kImmediate;
  o.bits = bits;
  return o;
}
inline Operand immf(float value) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  return imm(bits);
}
inline Operand special(ir::Special which) {
  Operand o;
  o.kind = OperandKind::kSpecial;
  o.special = which;
  return o;
}
inline Operand at(ir::RegisterId base, std::int64_t offset = 0) {
  Operand o;
  o.kind = OperandKind::kAddress;
  o.reg = base;
  o.bits = static_cast<std::uint64_t>(offset);
  return o;
}
inline Operand at_offset(std::int64_t offset) { return at(ir::kNone, offset); }
inline Operand at_variable(ir::VariableId id, std::int64_t offset = 0) {
  Operand o = at(ir::kNone, offset);
  o.id = id;
  return o;
}
inline Operand variable(ir::VariableId id) {
  Operand o;
  o.kind = OperandKind::kVariable;
  o.id = id;
  return o;
}
inline Operand nothing() { return {}; }

class FunctionBuilder {
 public:
  explicit FunctionBuilder(std::string name, bool kernel = true) {
    function_.name = std::move(name);
    function_.kernel = kernel;
    function_.blocks.emplace_back();
  }

  ir::RegisterId r(int bits) {
    ir::Register made;
    made.name = "%r" + std::to_string(function_.registers.size());
    made.bits = static_cast<std::uint8_t>(bits);
    const std::uint32_t size = bits == 1 ? 4 : static_cast<std::uint32_t>(bits / 8);
    function_.frame_bytes = (function_.frame_bytes + size - 1) / size * size;
    made.offset = function_.frame_bytes;
    function_.frame_bytes += bits == 1 ? 4 : size * 32;
    function_.registers.push_back(made);
    return static_cast<ir::RegisterId>(function_.registers.size() - 1);
  }
  // Of a kernel: its offset. Of a function: a register.
  std::uint32_t parameter(std::uint32_t bytes) {
    function_.parameter_bytes = (function_.parameter_bytes + bytes - 1) / bytes * bytes;
    ir::Parameter made;
    made.bytes = bytes;
    made.offset = function_.parameter_bytes;
    function_.parameter_bytes += bytes;
    function_.parameters.push_back(made);
    return made.offset;
  }
  void register_parameter(ir::RegisterId id) {
    ir::Parameter made;
    made.reg = id;
    made.bytes = function_.registers[id].bits / 8U;
    function_.parameters.push_back(made);
  }
  void register_result(ir::RegisterId id) {
    ir::Parameter made;
    made.reg = id;
    made.bytes = function_.registers[id].bits / 8U;
    function_.results.push_back(made);
  }

  ir::BlockId label() {
    function_.blocks.emplace_back();
    placed_.resize(function_.blocks.size(), false);
    return static_cast<ir::BlockId>(function_.blocks.size() - 1);
  }
  // Blocks are made in the order in which they are placed.
  void place(ir::BlockId id) { current_ = id; }

  ir::Instruction& emit(Op op, Type type, std::initializer_list<Operand> operands) {
    ir::Instruction made;
    made.op = op;
    made.type = type;
    made.place.line = ++line_;
    made.first_operand = static_cast<std::uint32_t>(function_.operands.size());
    made.operand_count = static_cast<std::uint16_t>(operands.size());
    function_.operands.insert(function_.operands.end(), operands);
    made.modifiers.rounding = ir::is_float(type) ? ir::Rounding::kNearest : ir::Rounding::kNone;
    code_.emplace_back(current_, made);
    return code_.back().second;
  }
  Operand list(OperandKind kind, std::initializer_list<Operand> elements) {
    Operand o;
    o.kind = kind;
    o.first = static_cast<std::uint32_t>(function_.elements.size());
    o.count = static_cast<std::uint16_t>(elements.size());
    function_.elements.insert(function_.elements.end(), elements);
    return o;
  }
  Operand vector(std::initializer_list<Operand> elements) {
    return list(OperandKind::kVector, elements);
  }

  // --- shorter words for what all tests need ---
  ir::Instruction& ld(ir::Space space, Type type, ir::RegisterId d, Operand from) {
    auto& i = emit(Op::kLd, type, {reg(d), from});
    i.modifiers.space = space;
    return i;
  }
  ir::Instruction& st(ir::Space space, Type type, Operand to, Operand value) {
    auto& i = emit(Op::kSt, type, {to, value});
    i.modifiers.space = space;
    return i;
  }
  ir::RegisterId load_parameter(Type type, std::uint32_t offset) {
    const auto d = r(ir::bits_of(type));
    ld(ir::Space::kParam, type, d, at_offset(offset));
    return d;
  }
  ir::RegisterId mov_special(ir::Special which) {
    const auto d = r(32);
    emit(Op::kMov, Type::kU32, {reg(d), special(which)});
    return d;
  }
  ir::RegisterId mad(Type type, ir::Part part, Operand a, Operand b, Operand c) {
    const auto d = r(part == ir::Part::kWide ? 64 : ir::bits_of(type));
    emit(Op::kMad, type, {reg(d), a, b, c}).modifiers.part = part;
    return d;
  }
  // blockIdx.x * blockDim.x + threadIdx.x
  ir::RegisterId global_index() {
    return mad(Type::kS32, ir::Part::kLo, reg(mov_special(ir::Special::kCtaidX)),
               reg(mov_special(ir::Special::kNtidX)), reg(mov_special(ir::Special::kTidX)));
  }
  ir::RegisterId compare(ir::Compare how, Type type, Operand a, Operand b) {
    const auto p = r(1);
    emit(Op::kSetp, type, {reg(p), nothing(), a, b}).modifiers.compare = how;
    return p;
  }
  ir::Instruction& branch(ir::BlockId to) {
    Operand target;
    target.kind = OperandKind::kBlock;
    target.id = to;
    return emit(Op::kBra, Type::kNone, {target});
  }
  void branch_if(ir::RegisterId p, ir::BlockId to, bool negated = false) {
    auto& i = branch(to);
    i.guard = p;
    i.guard_negated = negated;
  }
  ir::Instruction& barrier(std::uint32_t id = 0) {
    auto& i = emit(Op::kBar, Type::kNone, {imm(id)});
    i.modifiers.mode = ir::Mode::kSync;
    return i;
  }
  void ret() { emit(Op::kRet, Type::kNone, {}); }

  ir::Function& function() { return function_; }
  ir::Function finish() {
    for (ir::BlockId id = 0; id < function_.blocks.size(); ++id) {
      ir::Block& block = function_.blocks[id];
      block.first = static_cast<std::uint32_t>(function_.instructions.size());
      for (auto& [where, instruction] : code_)
        if (where == id) function_.instructions.push_back(instruction);
      block.count = static_cast<std::uint32_t>(function_.instructions.size()) - block.first;
    }
    return std::move(function_);
  }

 private:
  ir::Function function_;
  std::vector<std::pair<ir::BlockId, ir::Instruction>> code_;
  std::vector<bool> placed_;
  ir::BlockId current_ = 0;
  std::uint32_t line_ = 0;
};

// The back end that a test program is about: each has its own.
std::unique_ptr<machine::Backend> make_backend();

// A machine with that back end, and modules on it.
class InterpTest : public ::testing::Test {
 protected:
  void SetUp() override { start({}); }
  void start(machine::MachineOptions options) {
    loaded_.reset();
    machine_.reset();
    if (options.threads == 0) options.threads = 2;
    options.memory_bytes = std::uint64_t{256} << 20;
    auto made = machine::Machine::create(options, make_backend());
    ASSERT_TRUE(made.ok());
    machine_ = std::move(*made);
  }
  void TearDown() override {
    loaded_.reset();
    machine_.reset();
  }

  void load(std::initializer_list<ir::Function> functions) {
    module_.functions.assign(functions);
    load();
  }
  void load() { load_module(module_); }
  void load_module(const ir::Module& module) {
    loaded_.reset();
    auto loaded = machine_->load(module);
    ASSERT_TRUE(loaded.ok()) << loaded.error().message();
    loaded_ = std::move(*loaded);
  }
  template <class T>
  T* allocate(std::size_t count) {
    auto address = machine_->memory().allocate(count * sizeof(T), machine::MemoryKind::kDevice);
    EXPECT_TRUE(address.ok());
    return reinterpret_cast<T*>(*address);
  }
  template <class... T>
  static std::vector<std::byte> parameters(T... values) {
    std::vector<std::byte> bytes;
    auto add = [&](auto value) {
      constexpr std::size_t kAlignment = alignof(decltype(value));
      bytes.resize((bytes.size() + kAlignment - 1) / kAlignment * kAlignment);
      const std::size_t at = bytes.size();
      bytes.resize(at + sizeof value);
      std::memcpy(bytes.data() + at, &value, sizeof value);
    };
    (add(values), ...);
    return bytes;
  }
  std::optional<machine::Fault> run(machine::Dim3 grid, machine::Dim3 block,
                                    const std::vector<std::byte>& arguments,
                                    std::uint32_t dynamic_shared = 0, bool cooperative = false) {
    machine::Launch launch;
    launch.module = loaded_.get();
    launch.kernel = kernel_;
    launch.grid = grid;
    launch.block = block;
    launch.parameters = arguments;
    launch.dynamic_shared_bytes = dynamic_shared;
    launch.cooperative = cooperative;
    auto result = machine_->run(launch);
    EXPECT_TRUE(result.ok()) << result.error().message();
    return result.ok() ? std::move(*result) : std::nullopt;
  }
  void expect_runs(machine::Dim3 grid, machine::Dim3 block, const std::vector<std::byte>& arguments,
                   std::uint32_t dynamic_shared = 0) {
    const auto fault = run(grid, block, arguments, dynamic_shared);
    EXPECT_FALSE(fault.has_value()) << fault->message;
  }

  ir::Module module_;
  ir::FunctionId kernel_ = 0;
  std::unique_ptr<machine::Machine> machine_;
  std::unique_ptr<machine::LoadedModule> loaded_;
};

}  // namespace longwire::softcuda::testing
