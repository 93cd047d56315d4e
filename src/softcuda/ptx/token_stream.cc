#include "softcuda/ptx/token_stream.h"

#include "softcuda/ptx/constant.h"
#include "softcuda/ptx/error.h"
#include "softcuda/ptx/parser.h"

namespace longwire::softcuda::ptx {

TokenStream::TokenStream(Source& source) : source_(source), lexer_(source.text()) { next(); }

Token TokenStream::next() noexcept {
  const Token token = token_;
  if (!ok()) return token;
  token_ = lexer_.next();
  if (token_.kind == Token::Kind::kBad) {
    const char c = token_.text.front();
    fail(token_.at, c == '"'   ? "string without an end"
                    : c == '/' ? "comment without an end"
                               : "unexpected character " + quoted(token_.text));
  }
  return token;
}

Token TokenStream::peek_second() noexcept {
  const auto position = lexer_.position();
  const Token token = lexer_.next();
  lexer_.rewind(position);
  return token;
}

bool TokenStream::accept(char punctuation) noexcept {
  if (!token_.is(punctuation)) return false;
  next();
  return true;
}

bool TokenStream::accept(std::string_view text) noexcept {
  if (!token_.is(text)) return false;
  next();
  return true;
}

void TokenStream::expect(char punctuation, std::string_view where) {
  if (accept(punctuation)) return;
  fail_unexpected("'" + std::string(1, punctuation) + "' expected " + std::string(where));
}

std::string_view TokenStream::expect_name(std::string_view what) {
  if (token_.kind == Token::Kind::kName) return next().text;
  fail_unexpected(std::string(what) + " expected");
  return {};
}

std::uint32_t TokenStream::expect_unsigned(std::string_view what) {
  const At at = token_.at;
  const Constant value = expression();
  if (!ok()) return 0;
  if (value.is_real() || value.bits > 0xffff'ffffU) {
    fail(at, std::string(what) + " must be an integer from 0 to 4294967295");
    return 0;
  }
  return static_cast<std::uint32_t>(value.bits);
}

void TokenStream::fail(At at, std::string_view message) {
  if (!error_) error_ = error_at(source_, at, message);
  token_ = {Token::Kind::kEnd, at, {}};
}

void TokenStream::fail_unsupported(At at, std::string_view message) {
  if (!error_) error_ = error_at(source_, at, message, base::ErrorCode::kUnsupported);
  fail(at, message);
}

void TokenStream::fail_limit(At at, std::string_view message) {
  if (!error_) error_ = error_at(source_, at, message, base::ErrorCode::kLimit);
  fail(at, message);
}

void TokenStream::fail_unexpected(std::string_view wanted) {
  const bool end = token_.kind == Token::Kind::kEnd;
  fail(token_.at,
       std::string(wanted) + " before " + (end ? "the end of the text" : quoted(token_.text)));
}

Constant TokenStream::expression() { return conditional(0); }

Constant TokenStream::offset() {
  constexpr int kProducts = 10;
  Constant sum;
  while (token_.is('+') || token_.is('-')) {
    const Token op = next();
    const Constant more = binary(kProducts, 0);
    if (more.is_real()) fail(op.at, "an address offset must be an integer");
    sum.bits = op.is('+') ? sum.bits + more.bits : sum.bits - more.bits;
  }
  return sum;
}

Constant TokenStream::conditional(int depth) {
  if (depth > kMaxNesting) {
    fail_limit(token_.at, "constant expression nested too deeply");
    return {};
  }
  const Constant condition = binary(1, depth);
  if (!accept('?')) return condition;
  const Constant yes = conditional(depth + 1);
  expect(':', "in a conditional expression");
  const Constant no = conditional(depth + 1);
  return is_true(condition) ? yes : no;
}

// By precedence climbing: operators of the same precedence group from the left.
Constant TokenStream::binary(int least, int depth) {
  Constant left = unary(depth);
  while (token_.kind == Token::Kind::kPunctuation) {
    const int precedence = precedence_of(token_.text);
    if (precedence == 0 || precedence < least) break;
    const Token op = next();
    const Constant right = binary(precedence + 1, depth + 1);
    const auto value = apply(op.text, left, right);
    if (!value) fail(op.at, "operator " + quoted(op.text) + " cannot be applied here");
    left = value.value_or(Constant{});
  }
  return left;
}

Constant TokenStream::unary(int depth) {
  if (depth > kMaxNesting) {
    fail_limit(token_.at, "constant expression nested too deeply");
    return {};
  }
  const bool is_operator = token_.is('-') || token_.is('+') || token_.is('!') || token_.is('~');
  if (!is_operator) return primary(depth);
  const Token op = next();
  const Constant operand = unary(depth + 1);
  const auto value = apply(op.text, operand);
  if (!value) fail(op.at, "operator " + quoted(op.text) + " cannot be applied here");
  return value.value_or(Constant{});
}

// "(.s64) x" and "(.u64) x", after the parenthesis.
std::optional<Constant> TokenStream::cast(int depth) {
  const bool is_signed = token_.is(".s64");
  if (!is_signed && !token_.is(".u64")) return std::nullopt;
  next();
  expect(')', "after a cast");
  Constant value = unary(depth + 1);
  if (value.is_real()) {
    const double real = real_value(value);
    const bool fits = real > -9.2e18 && real < 9.2e18;
    value.bits = fits ? static_cast<std::uint64_t>(static_cast<std::int64_t>(real)) : 0;
  }
  value.kind = is_signed ? Constant::Kind::kSigned : Constant::Kind::kUnsigned;
  return value;
}

Constant TokenStream::primary(int depth) {
  if (accept('(')) {
    if (const auto value = cast(depth)) return *value;
    const Constant value = conditional(depth + 1);
    expect(')', "in a constant expression");
    return value;
  }
  if (token_.is("WARP_SZ")) {
    next();
    return {Constant::Kind::kUnsigned, 32};
  }
  if (token_.kind != Token::Kind::kNumber) {
    fail_unexpected("constant expected");
    return {};
  }
  const Token number = next();
  const auto value = parse_number(number.text);
  if (!value) fail(number.at, "malformed number " + quoted(number.text));
  return value.value_or(Constant{});
}

}  // namespace longwire::softcuda::ptx
