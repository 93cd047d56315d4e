#include "softcuda/ptx/error.h"
#include "softcuda/ptx/parser.h"
#include "softcuda/ptx/parts.h"

namespace longwire::softcuda::ptx {
namespace {

void skip_section(TokenStream& stream) {
  const At at = stream.peek().at;
  while (stream.ok() && !stream.peek().is('{')) {
    if (stream.peek().kind == Token::Kind::kEnd) return stream.fail(at, "'{' of .section expected");
    stream.next();
  }
  std::size_t open = 0;
  do {
    const Token token = stream.next();
    if (token.kind == Token::Kind::kEnd) return stream.fail(at, ".section without an end");
    open += token.is('{') ? 1 : 0;
    open -= token.is('}') ? 1 : 0;
  } while (open != 0);
}

// .loc file line column [, function_name label [+ n] [, inlined_at file line column]]
void skip_loc(TokenStream& stream) {
  for (int i = 0; i < 3; ++i)
    stream.expect_unsigned("a position in .loc");
  while (stream.accept(',')) {
    if (stream.accept("function_name")) {
      stream.expect_name("label");
      stream.offset();
    } else if (stream.accept("inlined_at")) {
      for (int i = 0; i < 3; ++i)
        stream.expect_unsigned("a position in .loc");
    } else {
      return stream.fail_unexpected("'function_name' or 'inlined_at' expected");
    }
  }
}

void skip_file(TokenStream& stream) {
  stream.expect_unsigned("the number of a file");
  if (stream.peek().kind != Token::Kind::kString) {
    return stream.fail_unexpected("name of a file expected");
  }
  stream.next();
  while (stream.accept(','))
    stream.expression();
}

}  // namespace

bool skip_informative(TokenStream& stream) {
  const Token token = stream.peek();
  if (token.is(".loc")) {
    stream.next();
    skip_loc(stream);
  } else if (token.is(".file")) {
    stream.next();
    skip_file(stream);
  } else if (token.is(".section")) {
    stream.next();
    skip_section(stream);
  } else if (token.is(".pragma")) {
    do {
      stream.next();
    } while (stream.peek().kind == Token::Kind::kString || stream.peek().is(','));
    stream.expect(';', "after .pragma");
  } else {
    return false;
  }
  return true;
}

std::span<const Variable> parameter_list(TokenStream& stream) {
  if (!stream.accept('(')) return {};
  VariableParser parser(stream);
  std::vector<Variable> parameters;
  if (!stream.peek().is(')')) {
    do {
      parameters.push_back(parser.parameter());
    } while (stream.accept(','));
  }
  stream.expect(')', "after parameters");
  return stream.keep(std::span<const Variable>(parameters));
}

const Function* prototype(TokenStream& stream, At at, std::string_view name) {
  Function function;
  function.at = at;
  function.name = name;
  function.results = parameter_list(stream);
  stream.expect_name("'_'");
  function.parameters = parameter_list(stream);
  while (stream.peek().kind == Token::Kind::kDirective) {
    const Token token = stream.next();
    if (token.is(".noreturn")) continue;
    if (token.is(".abi_preserve") || token.is(".abi_preserve_control")) {
      stream.expression();
      continue;
    }
    stream.fail_unsupported(token.at, "unknown directive " + quoted(token.text));
  }
  stream.expect(';', "after .callprototype");
  return stream.keep(function);
}

}  // namespace longwire::softcuda::ptx
