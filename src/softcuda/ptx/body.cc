#include "softcuda/ptx/error.h"
#include "softcuda/ptx/parser.h"
#include "softcuda/ptx/parts.h"

namespace longwire::softcuda::ptx {

std::span<const Statement> BodyParser::body() {
  statements_.clear();
  open_ = 0;
  stream_.expect('{', "before a function's body");
  while (stream_.ok()) {
    if (stream_.peek().kind == Token::Kind::kEnd) {
      stream_.fail_unexpected("'}' expected");
    } else if (open_ == 0 && stream_.accept('}')) {
      break;
    } else {
      statement();
    }
  }
  return stream_.keep(std::span<const Statement>(statements_));
}

void BodyParser::statement() {
  const Token token = stream_.peek();
  Statement statement;
  statement.at = token.at;
  if (token.kind == Token::Kind::kName) return named();
  if (token.kind == Token::Kind::kDirective) return directive();
  if (stream_.accept('{')) {
    ++open_;
    statement.kind = Statement::Kind::kOpen;
    statements_.push_back(statement);
  } else if (stream_.accept('}')) {
    --open_;
    statement.kind = Statement::Kind::kClose;
    statements_.push_back(statement);
  } else if (stream_.accept('@')) {
    statement.guard_negated = stream_.accept('!');
    statement.guard = stream_.expect_name("predicate");
    instruction(statement);
  } else if (!stream_.accept(';')) {
    stream_.fail_unexpected("instruction expected");
  }
}

void BodyParser::directive() {
  if (is_space_of_variables(stream_.peek().text)) {
    const auto space = stream_.next().text;
    declared_.clear();
    variables_.declarations(space, Linkage::kInternal, declared_);
    for (const Variable* variable : declared_) {
      Statement statement;
      statement.kind = Statement::Kind::kVariable;
      statement.at = variable->at;
      statement.variable = variable;
      statements_.push_back(statement);
    }
    return;
  }
  if (skip_informative(stream_)) return;
  const Token token = stream_.peek();
  stream_.fail_unsupported(token.at, "unknown directive " + quoted(token.text));
}

// A label, or an instruction.
void BodyParser::named() {
  if (!stream_.peek_second().is(':')) {
    Statement statement;
    statement.at = stream_.peek().at;
    return instruction(statement);
  }
  const Token name = stream_.next();
  stream_.next();
  if (stream_.peek().kind == Token::Kind::kDirective) {
    const auto text = stream_.peek().text;
    if (text == ".branchtargets" || text == ".calltargets" || text == ".callprototype") {
      return label_of_list(name.text, name.at);
    }
  }
  Statement statement;
  statement.kind = Statement::Kind::kLabel;
  statement.at = name.at;
  statement.name = name.text;
  statements_.push_back(statement);
}

void BodyParser::label_of_list(std::string_view name, At at) {
  Statement statement;
  statement.at = at;
  statement.name = name;
  const Token directive = stream_.next();
  if (directive.is(".callprototype")) {
    statement.kind = Statement::Kind::kPrototype;
    statement.prototype = prototype(stream_, at, name);
  } else {
    statement.kind = directive.is(".branchtargets") ? Statement::Kind::kBranchTargets
                                                    : Statement::Kind::kCallTargets;
    statement.operands = operands_.until_semicolon();
  }
  statements_.push_back(statement);
}

// Modifiers may stand apart: "ld.global .f32".
std::string_view BodyParser::opcode() {
  const auto first = stream_.expect_name("instruction");
  if (stream_.peek().kind != Token::Kind::kDirective) return first;
  std::string whole(first);
  while (stream_.peek().kind == Token::Kind::kDirective)
    whole += stream_.next().text;
  return stream_.keep_text(whole);
}

void BodyParser::instruction(Statement statement) {
  statement.kind = Statement::Kind::kInstruction;
  statement.at = stream_.peek().at;
  statement.name = opcode();
  statement.operands = operands_.until_semicolon(statement.name.starts_with("call"));
  statements_.push_back(statement);
}

}  // namespace longwire::softcuda::ptx
