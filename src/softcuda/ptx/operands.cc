#include "softcuda/ptx/error.h"
#include "softcuda/ptx/parser.h"
#include "softcuda/ptx/parts.h"

namespace longwire::softcuda::ptx {

std::span<const Operand> OperandParser::until_semicolon(bool call) {
  call_ = call;
  const auto first = pending_.size();
  if (!stream_.peek().is(';')) {
    do {
      pending_.push_back(operand(0));
    } while (stream_.accept(','));
  }
  stream_.expect(';', "after an instruction");
  const auto kept = stream_.keep(std::span<const Operand>(pending_).subspan(first));
  pending_.resize(first);
  return kept;
}

// The elements of a list whose opening was taken.
std::span<const Operand> OperandParser::list(char close, int depth) {
  const auto first = pending_.size();
  if (!stream_.peek().is(close)) {
    do {
      const Operand element = operand(depth + 1);
      pending_.push_back(element);
    } while (stream_.accept(','));
  }
  stream_.expect(close, "after a list of operands");
  const auto kept = stream_.keep(std::span<const Operand>(pending_).subspan(first));
  pending_.resize(first);
  return kept;
}

Operand OperandParser::address(int depth) {
  Operand operand;
  operand.kind = Operand::Kind::kAddress;
  operand.at = stream_.peek().at;
  const auto parts = list(']', depth);
  // Of ld: the address is the same in all memories, as all are here.
  if (stream_.peek().is(".unified")) stream_.next();
  if (!stream_.ok()) return operand;
  const bool simple = parts.size() == 1 && (parts[0].kind == Operand::Kind::kName ||
                                            parts[0].kind == Operand::Kind::kConstant);
  if (simple) {
    operand.name = parts[0].name;
    operand.constant = parts[0].constant;
  } else {
    operand.parts = parts;
  }
  return operand;
}

Operand OperandParser::named() {
  Operand operand;
  const Token name = stream_.next();
  operand.at = name.at;
  operand.name = name.text;
  operand.kind = name.text == "_" ? Operand::Kind::kSink : Operand::Kind::kName;
  if (stream_.peek().is('+') || stream_.peek().is('-')) operand.constant = stream_.offset();
  return operand;
}

// A name, possibly negated, or a constant expression.
Operand OperandParser::single() {
  const Token token = stream_.peek();
  if (token.kind == Token::Kind::kName && !token.is("WARP_SZ")) return named();
  if (token.is('!') && stream_.peek_second().kind == Token::Kind::kName) {
    stream_.next();
    Operand operand = named();
    operand.negated = true;
    return operand;
  }
  if (token.is('-') && stream_.peek_second().kind == Token::Kind::kName &&
      !stream_.peek_second().is("WARP_SZ")) {
    stream_.next();
    const Operand of = named();
    Operand minus;
    minus.kind = Operand::Kind::kMinus;
    minus.at = token.at;
    minus.parts = stream_.keep(std::span<const Operand>(&of, 1));
    return minus;
  }
  Operand operand;
  operand.kind = Operand::Kind::kConstant;
  operand.at = token.at;
  operand.constant = stream_.expression();
  return operand;
}

Operand OperandParser::operand(int depth) {
  Operand operand;
  operand.at = stream_.peek().at;
  if (depth > kMaxNesting) {
    stream_.fail_limit(operand.at, "operands nested too deeply");
    return operand;
  }
  if (stream_.accept('[')) return address(depth);
  if (stream_.peek().is('{') || (call_ && stream_.peek().is('('))) {
    const bool vector = stream_.next().is('{');
    operand.kind = vector ? Operand::Kind::kVector : Operand::Kind::kList;
    operand.parts = list(vector ? '}' : ')', depth);
    return operand;
  }
  operand = single();
  if (!stream_.accept('|')) return operand;
  const Operand both[] = {operand, single()};
  Operand pair;
  pair.kind = Operand::Kind::kPair;
  pair.at = operand.at;
  pair.parts = stream_.keep(std::span<const Operand>(both));
  return pair;
}

}  // namespace longwire::softcuda::ptx
