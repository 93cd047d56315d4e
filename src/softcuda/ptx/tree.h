// The syntax tree of one PTX input. Names and opcodes are views of the text and nodes live in an
// arena, so the tree is valid as long as the Source that owns it. Nothing is resolved here: what a
// name means, and whether an instruction exists, is ir's business.
#pragma once

#include <cstdint>
#include <memory>
#include <memory_resource>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace longwire::softcuda::ptx {

// A byte offset in the text; Source::line_of() makes a line and a column of it.
using At = std::uint32_t;

// The value of a constant expression. PTX computes in 64 bits.
struct Constant {
  enum class Kind : std::uint8_t { kSigned, kUnsigned, kF32, kF64 };
  Kind kind = Kind::kSigned;
  std::uint64_t bits = 0;  // kF32: the pattern of a 0f literal; kF64: of any other real number

  bool is_real() const noexcept { return kind == Kind::kF32 || kind == Kind::kF64; }
};

struct Operand {
  enum class Kind : std::uint8_t {
    kSink,      // _
    kName,      // name, plus constant.bits
    kConstant,  // constant
    kAddress,   // [name + constant.bits], or with `parts` a list: [texture, {x, y}]
    kVector,    // {parts}
    kList,      // (parts), of calls
    kPair,      // parts[0]|parts[1]
    kMinus,     // -parts[0], a name
  };
  Kind kind = Kind::kSink;
  bool negated = false;  // !name
  At at = 0;
  std::string_view name;
  Constant constant;
  std::span<const Operand> parts;
};

struct Initial {
  enum class Kind : std::uint8_t { kConstant, kAddress, kList, kString };
  Kind kind = Kind::kConstant;
  bool generic = false;  // generic(name)
  At at = 0;
  Constant constant;       // kAddress: what is added to it
  std::string_view name;   // kString: between the quotes, as written
  std::uint64_t mask = 0;  // 0xff00(name): the bits that are taken; 0: all
  std::span<const Initial> parts;
};

enum class Linkage : std::uint8_t { kInternal, kVisible, kExtern, kWeak, kCommon };

// One declared name of .reg, .param, .local, .shared, .global, .const, .texref and its like.
struct Variable {
  At at = 0;
  std::string_view name;
  std::string_view space;  // "reg", "shared", ...
  std::string_view type;   // "b32", "texref"; empty only after an error
  Linkage linkage = Linkage::kInternal;
  bool managed = false;
  bool flexible = false;       // an array whose first dimension is not said: []
  bool parameterised = false;  // %r<count>: %r0 ... %r(count-1)
  std::uint8_t vector = 1;
  std::uint64_t count = 0;
  std::uint64_t alignment = 0;  // 0: not said
  std::span<const std::uint64_t> dimensions;
  const Initial* initial = nullptr;
};

struct Function;

struct Statement {
  enum class Kind : std::uint8_t {
    kInstruction,    // @guard name operands
    kLabel,          // name
    kVariable,       // variable
    kOpen,           // {
    kClose,          // }
    kBranchTargets,  // name: .branchtargets operands
    kCallTargets,    // name: .calltargets operands
    kPrototype,      // name: .callprototype prototype
  };
  Kind kind = Kind::kInstruction;
  bool guard_negated = false;
  At at = 0;
  std::string_view name;  // of an instruction with all its modifiers: "ld.global.v2.f32"
  std::string_view guard;
  std::span<const Operand> operands;
  const Variable* variable = nullptr;
  const Function* prototype = nullptr;
};

struct LaunchLimits {  // 0: not said
  std::uint32_t max_threads[3] = {0, 0, 0};
  std::uint32_t required_threads[3] = {0, 0, 0};
  std::uint32_t max_registers = 0;
  std::uint32_t min_blocks = 0;
};

struct Function {
  At at = 0;
  std::string_view name;
  bool kernel = false;
  bool has_body = false;
  Linkage linkage = Linkage::kInternal;
  LaunchLimits limits;
  std::span<const Variable> results;
  std::span<const Variable> parameters;
  std::span<const Statement> body;
};

struct Alias {
  At at = 0;
  std::string_view name;
  std::string_view target;
};

struct LineColumn {
  std::uint32_t line = 1;
  std::uint32_t column = 1;
};

// A text with its tree.
class Source {
 public:
  Source(std::string name, std::string text);

  const std::string& name() const noexcept { return name_; }
  std::string_view text() const noexcept { return text_; }
  LineColumn line_of(At at) const noexcept;
  std::string_view line_text(std::uint32_t line) const noexcept;
  std::pmr::memory_resource& arena() noexcept { return arena_; }

  std::uint32_t version = 0;  // 83 is 8.3
  std::uint32_t target = 0;   // 90 is sm_90 and sm_90a
  std::vector<const Variable*> variables;
  std::vector<const Function*> functions;
  std::vector<Alias> aliases;

 private:
  std::string name_;
  std::string text_;
  std::vector<At> line_starts_;
  std::pmr::monotonic_buffer_resource arena_;
};

}  // namespace longwire::softcuda::ptx
