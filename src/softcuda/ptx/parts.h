// The parser's parts, one for each level of the grammar, over one TokenStream.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "softcuda/ptx/token_stream.h"
#include "softcuda/ptx/tree.h"

namespace longwire::softcuda::ptx {

// Operands of instructions, up to what ends them: ';'.
class OperandParser {
 public:
  explicit OperandParser(TokenStream& stream) : stream_(stream) {}
  // `call`: "(" begins a list; elsewhere it is part of a constant expression.
  std::span<const Operand> until_semicolon(bool call = false);

 private:
  Operand operand(int depth);
  Operand named();
  Operand single();  // without "|"
  Operand address(int depth);
  std::span<const Operand> list(char close, int depth);

  TokenStream& stream_;
  bool call_ = false;
  std::vector<Operand> pending_;  // of lists that are not finished: a stack
};

// Variables with their attributes and initialisers.
class VariableParser {
 public:
  explicit VariableParser(TokenStream& stream) : stream_(stream) {}
  // What stands between the space (already taken) and ';', which is taken too.
  void declarations(std::string_view space, Linkage linkage, std::vector<const Variable*>& out);
  // One of a function's parameter list, from its space on.
  Variable parameter();

 private:
  Variable common(std::string_view space, Linkage linkage);
  bool attribute(Variable& variable);
  void managed(Variable& variable);
  void name_and_dimensions(Variable& variable);
  Initial initial(int depth);
  Initial named_initial();
  Initial masked_initial(Constant mask, At at);

  TokenStream& stream_;
  std::vector<Initial> pending_;
};

// What is between the braces of a function.
class BodyParser {
 public:
  explicit BodyParser(TokenStream& stream)
      : stream_(stream), operands_(stream), variables_(stream) {}
  std::span<const Statement> body();  // from '{' to the '}' that belongs to it

 private:
  void statement();
  void directive();
  void named();
  void label_of_list(std::string_view name, At at);
  void instruction(Statement statement);
  std::string_view opcode();

  TokenStream& stream_;
  OperandParser operands_;
  VariableParser variables_;
  std::vector<Statement> statements_;
  std::vector<const Variable*> declared_;
  std::uint32_t open_ = 0;
};

// The parameter list of a function or a prototype: "(...)", or nothing.
std::span<const Variable> parameter_list(TokenStream& stream);
// A prototype's "(results) _ (parameters)", up to ';'.
const Function* prototype(TokenStream& stream, At at, std::string_view name);

// .loc, .file, .section, .pragma: nothing that changes what a program computes. False: another one.
bool skip_informative(TokenStream& stream);

bool is_space_of_variables(std::string_view directive) noexcept;

}  // namespace longwire::softcuda::ptx
