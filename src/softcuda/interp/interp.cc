#include "softcuda/interp/interp.h"

#include <string>
#include <utility>

#include "softcuda/interp/decode.h"
#include "softcuda/interp/runner.h"
#include "softcuda/interp/select.h"
#include "softcuda/interp/specials.h"
#include "softcuda/machine/prepared_codes.h"

namespace longwire::softcuda::interp {
namespace {

using base::Error;
using base::ErrorCode;

class InterpretedCode final : public machine::Code {
 public:
  explicit InterpretedCode(KernelPrograms programs) : programs_(std::move(programs)) {}
  void run(machine::Warp& warp) const override {
    Runner runner(programs_, warp);
    runner.run();
  }

 private:
  const KernelPrograms programs_;
};

class Interpreter final : public machine::Backend {
 public:
  const char* name() const noexcept override { return "interpreter"; }
  base::Status check(const ir::Module& module) const override { return check_supported(module); }

  base::Result<std::shared_ptr<const machine::Code>> prepare(const machine::LoadedModule& module,
                                                             ir::FunctionId kernel) override {
    return codes_.get(module, kernel,
                      [&] { return std::make_shared<InterpretedCode>(decode(module, kernel)); });
  }

  void forget(const machine::LoadedModule& module) noexcept override { codes_.forget(module); }

 private:
  machine::PreparedCodes codes_;
};

base::Status check_operand(const ir::Operand& operand, const std::string& line) {
  if (operand.kind == ir::OperandKind::kTexture)
    return Error(ErrorCode::kUnsupported,
                 line + ": texture and surface references are not supported, objects are");
  if (operand.kind == ir::OperandKind::kSpecial && !is_special_supported(operand.special))
    return Error(ErrorCode::kUnsupported, "a special register that is not supported");
  return {};
}

std::string text_of(const ir::Instruction& i) {
  std::string text = ir::name_of(i.op);
  for (ir::Type type : {i.type, i.type2, i.type3, i.type4})
    if (type != ir::Type::kNone) text += std::string(".") + ir::name_of(type);
  return text;
}

base::Status check_function(const ir::Function& function) {
  for (const ir::Instruction& i : function.instructions) {
    std::string line = "line " + std::to_string(i.place.line);
    if (i.place.column != 0) line += ", column " + std::to_string(i.place.column);
    if (!is_supported(i))
      return Error(ErrorCode::kUnsupported,
                   line + ": " + text_of(i) + " is not supported in this form");
    for (const ir::Operand& operand : function.operands_of(i))
      LW_TRY(check_operand(operand, line));
  }
  return {};
}

}  // namespace

Handler select(const ir::Instruction& instruction) {
  using Selector = Handler (*)(const ir::Instruction&);
  static constexpr Selector kSelectors[] = {
#define X(name, text) &select_##name,
      LW_SOFTCUDA_OPS(X)
#undef X
  };
  return kSelectors[static_cast<std::size_t>(instruction.op)](instruction);
}

bool is_supported(const ir::Instruction& instruction) noexcept {
  return select(instruction) != nullptr;
}

base::Status check_supported(const ir::Module& module) {
  for (const ir::Function& function : module.functions)
    LW_TRY(check_function(function));
  return {};
}

std::unique_ptr<machine::Backend> create() { return std::make_unique<Interpreter>(); }

}  // namespace longwire::softcuda::interp
