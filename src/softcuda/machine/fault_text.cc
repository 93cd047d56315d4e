#include "softcuda/machine/fault_text.h"

#include <cinttypes>
#include <cstdio>

namespace longwire::softcuda::machine {
namespace {

std::string hexadecimal(std::uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%" PRIx64, value);
  return text;
}

std::string triple(const Dim3& d) {
  return "(" + std::to_string(d.x) + "," + std::to_string(d.y) + "," + std::to_string(d.z) + ")";
}

// An instruction that stands there; functions of a module have no line in common.
const ir::Instruction* instruction_at(const ir::Module& module, const ir::Place& place) {
  for (const ir::Function& function : module.functions)
    for (const ir::Instruction& instruction : function.instructions)
      if (instruction.place.line == place.line && instruction.place.file == place.file &&
          instruction.place.column == place.column)
        return &instruction;
  return nullptr;
}

const char* space_suffix(ir::Space space) {
  constexpr const char* kSuffixes[] = {"", ".global", ".shared", ".local", ".const", ".param"};
  return kSuffixes[static_cast<int>(space)];
}

std::string instruction_text(const ir::Module& module, const ir::Place& place) {
  std::string text;
  if (const ir::Instruction* instruction = instruction_at(module, place)) {
    text = std::string(ir::name_of(instruction->op)) + space_suffix(instruction->modifiers.space);
    if (instruction->type != ir::Type::kNone)
      text += std::string(".") + ir::name_of(instruction->type);
  }
  if (place.line != 0) text += " at line " + std::to_string(place.line);
  if (place.file != 0) text += " of input " + std::to_string(place.file);
  return text;
}

}  // namespace

std::string describe_place(const Warp& warp, int lane, const ir::Place& place) {
  const ir::Module& module = warp.module().module();
  std::string text = "kernel " + module.functions[warp.kernel()].name + ": " +
                     instruction_text(module, place) + ": block " + triple(warp.block().index);
  if (lane >= 0) text += " thread " + triple(warp.thread(lane));
  return text + ": ";
}

std::string describe_address(FaultKind kind, std::uint64_t address, const Memory& memory) {
  std::string text =
      kind == FaultKind::kMisalignedAddress ? "misaligned address " : "illegal address ";
  text += hexadecimal(address);
  const auto nearest = memory.nearest(address);
  if (!nearest) return text + "; nothing is allocated";
  const std::uint64_t end = nearest->address + nearest->bytes;
  if (address >= end)
    text += ", " + std::to_string(address - end) + " bytes past the end of";
  else if (address < nearest->address)
    text += ", " + std::to_string(nearest->address - address) + " bytes before";
  else
    text += ", byte " + std::to_string(address - nearest->address) + " of";
  return text + " the allocation of " + std::to_string(nearest->bytes) + " bytes at " +
         hexadecimal(nearest->address);
}

}  // namespace longwire::softcuda::machine
