// Control flow: labels, blocks, and where blocks go on.
#include <algorithm>

#include "softcuda/ir/layout.h"
#include "softcuda/ir/lower.h"

namespace longwire::softcuda::ir {
namespace {

using ptx::quoted;
using StatementKind = ptx::Statement::Kind;

bool leaves(Op op) {
  return op == Op::kBra || op == Op::kBrxIdx || op == Op::kRet || op == Op::kExit ||
         op == Op::kTrap;
}

}  // namespace

// Numbers the blocks of the text in the order in which statement() meets them.
void FunctionLowering::find_labels() {
  parents_ = {kNone};
  std::uint32_t current = 0;
  std::uint32_t depth = 0;
  for (const auto& statement : declared_.body) {
    if (statement.kind == StatementKind::kOpen) {
      if (++depth > LocalNames::kMaxDepth) return fail(statement.at, "blocks nested too deeply");
      parents_.push_back(current);
      current = static_cast<std::uint32_t>(parents_.size() - 1);
    } else if (statement.kind == StatementKind::kClose) {
      --depth;
      current = parents_[current];
    } else if (statement.kind == StatementKind::kLabel) {
      const auto index = static_cast<std::uint32_t>(label_blocks_.size());
      if (!labels_.emplace(std::pair(current, statement.name), index).second) {
        return fail(statement.at, "label " + quoted(statement.name) + " is there twice");
      }
      label_blocks_.push_back(kNone);
    }
  }
}

std::uint32_t FunctionLowering::label_index(std::string_view name, ptx::At at) {
  for (std::uint32_t block = text_block_; block != kNone; block = parents_[block]) {
    const auto found = labels_.find({block, name});
    if (found != labels_.end()) return found->second;
  }
  fail(at, "there is no label " + quoted(name));
  return 0;
}

void FunctionLowering::statement(const ptx::Statement& statement) {
  switch (statement.kind) {
    case StatementKind::kInstruction:
      return instruction(statement);
    case StatementKind::kVariable:
      return declare(*statement.variable);
    case StatementKind::kLabel:
      begin_block();
      label_blocks_[label_index(statement.name, statement.at)] =
          static_cast<BlockId>(out_.blocks.size() - 1);
      return;
    case StatementKind::kOpen:
      local_.open();
      frame_marks_.push_back(frame_used_);
      text_block_ = next_text_block_++;
      return;
    case StatementKind::kClose:
      local_.close();
      frame_used_ = frame_marks_.back();
      frame_marks_.pop_back();
      text_block_ = parents_[text_block_];
      return;
    case StatementKind::kBranchTargets:
    case StatementKind::kCallTargets:
    case StatementKind::kPrototype:
      return declare_list(statement);
  }
}

void FunctionLowering::declare_list(const ptx::Statement& statement) {
  Symbol symbol;
  if (statement.kind == StatementKind::kPrototype) {
    symbol.kind = Symbol::Kind::kPrototype;
    symbol.id = static_cast<std::uint32_t>(context_.module.prototypes.size());
    context_.module.prototypes.push_back(
        signature_of(*statement.prototype, context_.source, context_.errors));
  } else if (statement.kind == StatementKind::kBranchTargets) {
    symbol.kind = Symbol::Kind::kBranchTargets;
    symbol.id = static_cast<std::uint32_t>(branch_targets_.size());
    auto& labels = branch_targets_.emplace_back();
    for (const auto& target : statement.operands) {
      labels.push_back(label_index(target.name, target.at));
    }
  } else {
    symbol.kind = Symbol::Kind::kCallTargets;
    symbol.id = static_cast<std::uint32_t>(call_targets_.size());
    auto& functions = call_targets_.emplace_back();
    for (const auto& target : statement.operands) {
      const auto found = context_.names.find(target.name);
      if (found == context_.names.end() || found->second.kind != ModuleName::Kind::kFunction) {
        return fail(target.at, "there is no function " + quoted(target.name));
      }
      functions.push_back(found->second.id);
    }
  }
  declare_name(statement.name, statement.at, symbol);
}

void FunctionLowering::begin_block() {
  Block& last = out_.blocks.back();
  last.count = static_cast<std::uint32_t>(out_.instructions.size()) - last.first;
  if (last.count == 0) return;
  Block next;
  next.first = static_cast<std::uint32_t>(out_.instructions.size());
  out_.blocks.push_back(next);
}

// Whoever runs past the last instruction returns; and no block is empty.
void FunctionLowering::end_function() {
  begin_block();
  const auto last = static_cast<BlockId>(out_.blocks.size() - 1);
  const bool leaves_always = !out_.instructions.empty() && leaves(out_.instructions.back().op) &&
                             out_.instructions.back().guard == kNone;
  const bool named =
      std::find(label_blocks_.begin(), label_blocks_.end(), last) != label_blocks_.end();
  if (leaves_always && !named) {
    out_.blocks.pop_back();
    return;
  }
  Instruction ret;
  ret.op = Op::kRet;
  ret.first_operand = static_cast<std::uint32_t>(out_.operands.size());
  out_.instructions.push_back(ret);
  out_.blocks.back().count = 1;
}

// Operands and tables have had the indices of labels until now.
void FunctionLowering::resolve_labels() {
  for (auto& operand : out_.operands) {
    if (operand.kind == Kind::kBlock) operand.id = label_blocks_[operand.id];
  }
  for (auto& target : out_.tables)
    target = label_blocks_[target];
  for (BlockId block = 0; block < out_.blocks.size(); ++block)
    add_successors(block);
}

void FunctionLowering::add_successors(BlockId block) {
  Block& at = out_.blocks[block];
  const auto add = [&](BlockId to) {
    if (std::find(at.successors.begin(), at.successors.end(), to) == at.successors.end()) {
      at.successors.push_back(to);
    }
  };
  const auto& last = out_.instructions[at.first + at.count - 1];
  if (last.op == Op::kBra) {
    add(out_.operands[last.first_operand].id);
  } else if (last.op == Op::kBrxIdx) {
    const auto& table = out_.operands[last.first_operand + 1];
    std::vector<BlockId> targets(out_.tables.begin() + table.first,
                                 out_.tables.begin() + table.first + table.count);
    std::sort(targets.begin(), targets.end());
    targets.erase(std::unique(targets.begin(), targets.end()), targets.end());
    at.successors = std::move(targets);
  }
  if (leaves(last.op) && last.guard == kNone) return;
  if (block + 1 < out_.blocks.size()) add(block + 1);
}

void FunctionLowering::place_registers() {
  // Large ones first: everything is aligned to its size without gaps.
  std::uint64_t offset = 0;
  for (const int bits : {128, 64, 32, 16, 1}) {
    const auto bytes = static_cast<std::uint32_t>(bits == 1 ? 4 : bits / 8 * kWarpSize);
    for (auto& reg : out_.registers) {
      if (reg.bits != bits) continue;
      reg.offset = static_cast<std::uint32_t>(offset);
      offset += bytes;
    }
  }
  if (offset > kMaxFrameBytes) {
    return context_.errors.fail(context_.source, declared_.at, "over 64 MiB of registers in a warp",
                                base::ErrorCode::kLimit);
  }
  out_.frame_bytes = static_cast<std::uint32_t>(align_up(offset, 64));
}

}  // namespace longwire::softcuda::ir
