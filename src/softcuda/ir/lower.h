// A function's body: from statements to blocks of checked instructions.
//
// Errors are noted in the context (the first counts) and lowering goes on as if nothing were; what
// it makes after an error is thrown away.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "softcuda/ir/context.h"
#include "softcuda/ir/local_names.h"

namespace longwire::softcuda::ir {

// The parameters of a function, its results and its name; placed, and without registers.
Function signature_of(const ptx::Function& declared, const ptx::Source& source, Errors& errors);

class FunctionLowering {
 public:
  // `out` has its signature.
  FunctionLowering(Context context, const ptx::Function& declared, Function& out, Uses& uses);
  void run();

 private:
  using Kind = OperandKind;

  // --- declarations (lower.cc) ---
  void declare_parameters();
  void declare_parameter(const ptx::Variable& variable, Parameter& parameter);
  void declare(const ptx::Variable& variable);
  void declare_registers(const ptx::Variable& variable, Type type);
  void declare_frame(const ptx::Variable& variable, bool parameter);
  void declare_module_variable(const ptx::Variable& variable, Space space);
  std::optional<ModuleName> find_module_name(std::string_view name);
  void declare_name(std::string_view name, ptx::At at, const Symbol& symbol);
  std::uint32_t take_frame(std::uint64_t bytes, std::uint32_t alignment, ptx::At at);
  RegisterId new_register(std::string name, Type type);
  RegisterId temporary(Type type);

  // --- blocks (blocks.cc) ---
  void find_labels();
  void statement(const ptx::Statement& statement);
  void declare_list(const ptx::Statement& statement);
  void begin_block();
  void end_function();
  void resolve_labels();
  void add_successors(BlockId block);
  void place_registers();
  std::uint32_t label_index(std::string_view name, ptx::At at);

  // --- instructions (instructions.cc) ---
  void instruction(const ptx::Statement& statement);
  void special(const ptx::Statement& statement, const Opcode& opcode);
  void check_is_old(const ptx::Statement& statement, const Opcode& opcode);
  void from_slots(const ptx::Statement& statement, const Opcode& opcode);
  void check_memory_space(const ptx::Statement& statement, Instruction& made);
  Instruction begin(const ptx::Statement& statement, const Opcode& opcode);
  void commit(Instruction instruction, std::span<const Operand> operands);
  void set_guard(const ptx::Statement& statement, Instruction& instruction);

  // --- operands (operands.cc) ---
  Operand operand(const ptx::Operand& from, const Slot& slot, Type type);
  Operand destination(const ptx::Operand& from, const Slot& slot, Type type);
  Operand source(const ptx::Operand& from, const Slot& slot, Type type);
  Operand named_source(const ptx::Operand& from, const Slot& slot, Type type);
  Operand through_mov(const ptx::Operand& from, Operand value, Type type, Space space);
  Operand constant(const ptx::Operand& from, Type type);
  Operand address(const ptx::Operand& from);
  Operand vector(const ptx::Operand& from, const Slot& slot, Type type, bool written);
  Operand keep_elements(std::span<const Operand> elements, OperandKind kind);
  bool special_register(const ptx::Operand& from, Operand& operand, Type& type) const;
  // The address of a named variable or function, in `space`; false: it has none such.
  bool address_of(const ptx::Operand& from, Operand& operand, Space& space);
  RegisterId find_register(std::string_view name);
  bool check_width(const ptx::Operand& from, RegisterId reg, Type type, bool relaxed);
  std::vector<ptx::Operand> elements_of(const ptx::Operand& from);
  bool symbol_address(const Symbol& symbol, Operand& operand, Space& space);

  // --- those with rules of their own (special.cc, matrix.cc, texture.cc, video.cc, bulk.cc,
  // calls.cc) ---
  void mov(const ptx::Statement& statement, const Opcode& opcode);
  Operand mov_vector(const ptx::Operand& from, Type type, bool written);
  Operand mov_source(const ptx::Operand& from, Type type, Space& space);
  void branch(const ptx::Statement& statement, const Opcode& opcode);
  void branch_indexed(const ptx::Statement& statement, const Opcode& opcode);
  void cp_async(const ptx::Statement& statement, const Opcode& opcode);
  void mma(const ptx::Statement& statement, const Opcode& opcode);
  void wmma_memory(const ptx::Statement& statement, const Opcode& opcode);
  Operand fragment(const ptx::Operand& from, std::size_t registers, Type type, bool written);
  void texture(const ptx::Statement& statement, const Opcode& opcode);
  void surface(const ptx::Statement& statement, const Opcode& opcode);
  void query(const ptx::Statement& statement, const Opcode& opcode);
  void bulk_copy(const ptx::Statement& statement, const Opcode& opcode);
  void told_access(const ptx::Statement& statement, const Opcode& opcode);
  void bulk_store(const ptx::Statement& statement, const Opcode& opcode);
  void register_hint(const ptx::Statement& statement, const Opcode& opcode);
  void complete(const Instruction& after, Operand barrier, Operand bytes, Space space);
  Operand address_in(const ptx::Operand& from, Space space);
  void video(const ptx::Statement& statement, const Opcode& opcode);
  ptx::Operand selected(const ptx::Operand& from, std::string_view& selector);
  Operand texture_name(const ptx::Operand& from);
  Operand gradient(const ptx::Operand& from, Mode geometry);
  Operand coordinates(const ptx::Operand& from, Mode geometry, Type type);

  struct CallParts {
    std::span<const ptx::Operand> results, parameters;
    const ptx::Operand* callee = nullptr;
    const ptx::Operand* prototype = nullptr;
  };
  void call(const ptx::Statement& statement, const Opcode& opcode);
  bool split_call(const ptx::Statement& statement, CallParts& parts);
  bool find_callee(const CallParts& parts, Operand& callee, Operand& prototype);
  bool find_prototype(const CallParts& parts, Operand& prototype);
  Function signature_like(FunctionId id) const;
  Operand arguments(const ptx::Statement& statement, std::span<const ptx::Operand> from,
                    std::span<const Parameter> formal, bool results);
  Operand argument(const ptx::Statement& statement, const ptx::Operand& from,
                   const Parameter& formal);
  Operand result(const ptx::Statement& statement, const ptx::Operand& from,
                 const Parameter& formal);
  std::optional<Operand> frame_argument(const ptx::Operand& from, const Parameter& formal);
  Operand slot_for(const Parameter& formal, ptx::At at);
  struct After {  // an access to the frame beside a call
    Instruction instruction;
    Operand operands[2];
  };
  void make_access(const ptx::Statement& statement, Op op, Type type, const Operand& frame,
                   After& access);

  // An error about an operand or an instruction.
  void fail(ptx::At at, std::string_view message);
  void unsupported(ptx::At at, std::string_view message);
  Place place_of(ptx::At at) noexcept;

  Context context_;
  const ptx::Function& declared_;
  Function& out_;
  Uses& uses_;
  LocalNames local_;
  std::vector<Type> register_types_;
  std::vector<Operand> operands_;     // of the instruction that is being lowered
  std::optional<Space> named_space_;  // of the variable that its address names
  bool address_is_parameter_ = false;
  bool named_parameter_ = false;  // what address_of() found last is a .param
  std::size_t vector_length_ = 1;
  std::deque<std::string> names_;  // "v.x" of vectors that were named as a whole
  std::vector<After> after_;       // results of a call that go to registers

  // Frame memory of a block of the text is free again after it.
  std::uint32_t frame_used_ = 0;
  std::vector<std::uint32_t> frame_marks_;

  // Labels by the block of the text that they stand in, and that block's parent.
  std::map<std::pair<std::uint32_t, std::string_view>, std::uint32_t> labels_;
  std::vector<BlockId> label_blocks_;
  std::vector<std::uint32_t> parents_;
  std::uint32_t text_block_ = 0;
  std::uint32_t next_text_block_ = 0;
  std::vector<std::vector<std::uint32_t>> branch_targets_;
  std::size_t branch_target_uses_ = 0;
  std::vector<std::vector<FunctionId>> call_targets_;
};

}  // namespace longwire::softcuda::ir
