#include "softcuda/ir/print.h"

#include <cinttypes>
#include <cstdio>

#include "softcuda/ir/special_registers.h"

namespace longwire::softcuda::ir {
namespace {

constexpr const char* kSpaces[] = {"generic", "global", "shared", "local", "const", "param"};
constexpr const char* kRoundings[] = {"",     ".rn",  ".rz",  ".rm",  ".rp", ".rna",
                                      ".rni", ".rzi", ".rmi", ".rpi", ".rs"};
constexpr const char* kCompares[] = {"",     ".eq",  ".ne",  ".lt",  ".le",  ".gt",  ".ge",
                                     ".lo",  ".ls",  ".hi",  ".hs",  ".equ", ".neu", ".ltu",
                                     ".leu", ".gtu", ".geu", ".num", ".nan"};
constexpr const char* kCombines[] = {"", ".and", ".or", ".xor", ".popc"};
constexpr const char* kAtomics[] = {"",     ".and", ".or",  ".xor", ".cas", ".exch",
                                    ".add", ".inc", ".dec", ".min", ".max"};
constexpr const char* kParts[] = {"", ".lo", ".hi", ".wide"};
constexpr const char* kOrders[] = {"",         ".relaxed", ".acquire", ".release",
                                   ".acq_rel", ".sc",      ".mmio"};
constexpr const char* kScopes[] = {"", ".cta", ".cluster", ".gpu", ".sys"};
constexpr const char* kModes[] = {"",
                                  ".up",
                                  ".down",
                                  ".bfly",
                                  ".idx",
                                  ".all",
                                  ".any",
                                  ".uni",
                                  ".ballot",
                                  ".f4e",
                                  ".b4e",
                                  ".rc8",
                                  ".ecl",
                                  ".ecr",
                                  ".rc16",
                                  ".finite",
                                  ".infinite",
                                  ".number",
                                  ".notanumber",
                                  ".normal",
                                  ".subnormal",
                                  ".sync",
                                  ".arrive",
                                  ".red.popc",
                                  ".red.and",
                                  ".red.or",
                                  ".wait",
                                  ".left",
                                  ".right",
                                  ".1d",
                                  ".2d",
                                  ".3d",
                                  ".a1d",
                                  ".a2d",
                                  ".cube",
                                  ".acube",
                                  ".2dms",
                                  ".a2dms",
                                  ".width",
                                  ".height",
                                  ".depth",
                                  ".channel_data_type",
                                  ".channel_order",
                                  ".normalized_coords",
                                  ".array_size",
                                  ".num_mipmap_levels",
                                  ".num_samples",
                                  ".filter_mode",
                                  ".addr_mode_0",
                                  ".addr_mode_1",
                                  ".addr_mode_2",
                                  ".memory_layout"};

template <std::size_t n, class E>
const char* text_of(const char* const (&names)[n], E value) {
  const auto index = static_cast<std::size_t>(value);
  return index < n ? names[index] : ".?";
}

std::string hex(std::uint64_t value) {
  char buffer[24];
  std::snprintf(buffer, sizeof buffer, "0x%" PRIx64, value);
  return buffer;
}

std::string offset(std::uint64_t bits) {
  const auto value = static_cast<std::int64_t>(bits);
  if (value == 0) return "";
  return (value < 0 ? "" : "+") + std::to_string(value);
}

class Printer {
 public:
  explicit Printer(const Module& module) : module_(module) {}

  std::string run() {
    out_ = "module ptx " + std::to_string(module_.ptx_version) + " sm_" +
           std::to_string(module_.target) + " global " + std::to_string(module_.global_bytes) +
           " const " + std::to_string(module_.const_bytes) + "\n";
    for (const auto& variable : module_.variables)
      print(variable);
    for (const auto& texture : module_.textures)
      out_ += "texture " + texture.name + "\n";
    for (const auto& prototype : module_.prototypes) {
      out_ += "prototype " + prototype.name;
      parameters(prototype);
      out_ += "\n";
    }
    for (const auto& function : module_.functions)
      print(function);
    return std::move(out_);
  }

  std::string run(const Function& function) {
    print(function);
    return std::move(out_);
  }

  std::string run(const Function& function, const Instruction& instruction) {
    print(function, instruction);
    return std::move(out_);
  }

 private:
  void print(const Variable& variable) {
    out_ += std::string("variable ") + variable.name + " ." + text_of(kSpaces, variable.space) +
            " ." + name_of(variable.type) + " bytes " + std::to_string(variable.bytes) + " align " +
            std::to_string(variable.alignment) + " at " + std::to_string(variable.offset);
    if (variable.visible) out_ += " visible";
    if (variable.managed) out_ += " managed";
    if (!variable.initial.empty()) out_ += " =";
    for (const auto byte : variable.initial) {
      char buffer[8];
      std::snprintf(buffer, sizeof buffer, " %02x", std::to_integer<unsigned>(byte));
      out_ += buffer;
    }
    for (const auto& r : variable.relocations) {
      out_ += " {" + std::to_string(r.at) + ":" + std::to_string(r.bytes) +
              (r.shift != 0 ? ">>" + std::to_string(r.shift) : "") +
              (r.generic ? " generic " : " ") +
              (r.function ? module_.functions[r.id].name : module_.variables[r.id].name) +
              offset(static_cast<std::uint64_t>(r.addend)) + "}";
    }
    out_ += "\n";
  }

  void parameters(const Function& function) {
    const auto list = [&](const char* title, const std::vector<Parameter>& all) {
      if (all.empty()) return;
      out_ += title;
      for (const auto& parameter : all) {
        out_ += " " + parameter.name + ":" + std::to_string(parameter.bytes);
        out_ +=
            parameter.reg == kNone ? "@" + std::to_string(parameter.offset) : std::string("=reg");
      }
    };
    list(" results", function.results);
    list(" parameters", function.parameters);
  }

  void print(const Function& function) {
    out_ += (function.kernel     ? "kernel "
             : function.external ? "external "
                                 : "function ") +
            function.name;
    parameters(function);
    if (function.kernel) out_ += " shared " + std::to_string(function.static_shared_bytes);
    out_ += " local " + std::to_string(function.local_bytes) + " frame " +
            std::to_string(function.frame_bytes) + " depth " +
            (function.call_depth == kNone ? "?" : std::to_string(function.call_depth)) + "\n";
    for (BlockId i = 0; i < function.blocks.size(); ++i)
      print_block(function, i);
  }

  void print_block(const Function& function, BlockId id) {
    const Block& block = function.blocks[id];
    out_ += "b" + std::to_string(id) + ":";
    if (!block.successors.empty()) out_ += " ->";
    for (const auto successor : block.successors)
      out_ += " b" + std::to_string(successor);
    out_ += "\n";
    for (std::uint32_t i = 0; i < block.count; ++i) {
      out_ += "  ";
      print(function, function.instructions[block.first + i]);
      out_ += "\n";
    }
  }

  void flags(const Modifiers& m) {
    const auto flag = [&](bool set, const char* text) {
      if (set) out_ += text;
    };
    flag(m.uniform, ".uni");
    flag(m.approximate, ".approx");
    flag(m.full, ".full");
    flag(m.ftz, ".ftz");
    flag(m.saturate, ".sat");
    flag(m.relu, ".relu");
    flag(m.nan, ".NaN");
    flag(m.xorsign_abs, ".abs");
    flag(m.wrap, ".wrap");
    flag(m.carry_out, ".cc");
    flag(m.carry_in, ".c");
    flag(m.transposed, ".trans");
    flag(m.volatile_, ".volatile");
  }

  void modifiers(const Instruction& i) {
    const Modifiers& m = i.modifiers;
    out_ += text_of(kModes, m.mode);
    out_ += text_of(kOrders, m.order);
    out_ += text_of(kScopes, m.scope);
    if (m.to_space != Space::kGeneric) out_ += std::string(".to.") + text_of(kSpaces, m.to_space);
    if (m.space != Space::kGeneric) out_ += std::string(".") + text_of(kSpaces, m.space);
    out_ += text_of(kCompares, m.compare);
    out_ += text_of(kCombines, m.combine);
    out_ += text_of(kAtomics, m.atomic);
    out_ += text_of(kParts, m.part);
    out_ += text_of(kRoundings, m.rounding);
    flags(m);
    if (m.shape.m != 0) {
      out_ += ".m" + std::to_string(m.shape.m) + "n" + std::to_string(m.shape.n) + "k" +
              std::to_string(m.shape.k) + (m.shape.a_column ? ".col" : ".row") +
              (m.shape.b_row ? ".row" : ".col");
    }
    if (m.shape.count != 1) out_ += ".x" + std::to_string(m.shape.count);
    if (m.vector != 1) out_ += ".v" + std::to_string(m.vector);
    for (const Type type : {i.type, i.type2, i.type3, i.type4}) {
      if (type != Type::kNone) out_ += std::string(".") + name_of(type);
    }
  }

  void print(const Function& function, const Instruction& i) {
    if (i.guard != kNone) {
      out_ += std::string(i.guard_negated ? "@!" : "@") + function.registers[i.guard].name + " ";
    }
    out_ += name_of(i.op);
    modifiers(i);
    const char* separator = " ";
    for (const auto& operand : function.operands_of(i)) {
      out_ += separator;
      print_operand(function, operand);
      separator = ", ";
    }
  }

  void list(const Function& function, const Operand& o) {
    const bool vector = o.kind == OperandKind::kVector;
    out_ += vector ? '{' : '(';
    for (std::uint32_t i = 0; i < o.count; ++i) {
      if (i != 0) out_ += ", ";
      print_operand(function, function.elements[o.first + i]);
    }
    out_ += vector ? '}' : ')';
  }

  std::string variable_name(const Operand& o) const {
    return o.id == kNone ? "frame" : module_.variables[o.id].name;
  }

  void table(const Function& function, const Operand& o) {
    for (std::uint32_t i = 0; i < o.count; ++i) {
      out_ += (i == 0 ? "b" : " b") + std::to_string(function.tables[o.first + i]);
    }
  }

  void address(const Function& function, const Operand& o) {
    out_ += "[";
    if (o.reg != kNone) out_ += function.registers[o.reg].name;
    if (o.id != kNone) out_ += module_.variables[o.id].name;
    out_ += o.reg == kNone && o.id == kNone ? std::to_string(static_cast<std::int64_t>(o.bits))
                                            : offset(o.bits);
    out_ += "]";
    if (o.count != 0) out_ += "*" + std::to_string(o.count);
  }

  void print_operand(const Function& function, const Operand& o) {
    if (o.negated) out_ += "!";
    switch (o.kind) {
      case OperandKind::kNothing:
        out_ += "_";
        break;
      case OperandKind::kRegister:
        out_ += function.registers[o.reg].name;
        break;
      case OperandKind::kImmediate:
        out_ += hex(o.bits);
        break;
      case OperandKind::kSpecial:
        out_ += name_of(o.special);
        break;
      case OperandKind::kAddress:
        address(function, o);
        break;
      case OperandKind::kVariable:
        out_ += "&" + variable_name(o) + offset(o.bits);
        break;
      case OperandKind::kFunction:
        out_ += "&" + module_.functions[o.id].name;
        break;
      case OperandKind::kBlock:
        out_ += "b" + std::to_string(o.id);
        break;
      case OperandKind::kBlocks:
        table(function, o);
        break;
      case OperandKind::kVector:
      case OperandKind::kArguments:
        list(function, o);
        break;
      case OperandKind::kCallee:
        out_ += callee(function, o);
        break;
      case OperandKind::kTexture:
        out_ += module_.textures[o.id].name;
        break;
    }
  }

  // The fourth operand of a call names a prototype, the first a function.
  std::string callee(const Function& function, const Operand& o) {
    const bool first = &o >= function.operands.data() && is_first_of_call(function, o);
    return first ? module_.functions[o.id].name : "prototype " + std::to_string(o.id);
  }
  static bool is_first_of_call(const Function& function, const Operand& o) {
    const auto index = static_cast<std::size_t>(&o - function.operands.data());
    return index + 1 < function.operands.size() &&
           function.operands[index + 1].kind == OperandKind::kArguments;
  }

  const Module& module_;
  std::string out_;
};

}  // namespace

std::string to_text(const Module& module) { return Printer(module).run(); }
std::string to_text(const Module& module, const Function& function) {
  return Printer(module).run(function);
}
std::string to_text(const Module& module, const Function& function,
                    const Instruction& instruction) {
  return Printer(module).run(function, instruction);
}

}  // namespace longwire::softcuda::ir
