#include "softcuda/ptx/constant.h"

#include <bit>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>

namespace longwire::softcuda::ptx {
namespace {

using Kind = Constant::Kind;

constexpr std::size_t kMaxDecimalReal = 64;  // characters

Constant signed_of(std::int64_t value) {
  return {Kind::kSigned, static_cast<std::uint64_t>(value)};
}
Constant real_of(double value) { return {Kind::kF64, std::bit_cast<std::uint64_t>(value)}; }

std::optional<std::uint64_t> digits(std::string_view text, int base) noexcept {
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, base);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

std::optional<Constant> parse_pattern(std::string_view hex, Kind kind,
                                      std::size_t wanted) noexcept {
  if (hex.size() != wanted) return std::nullopt;
  const auto bits = digits(hex, 16);
  if (!bits) return std::nullopt;
  return Constant{kind, *bits};
}

std::optional<Constant> parse_decimal_real(std::string_view text) noexcept {
  if (text.size() >= kMaxDecimalReal) return std::nullopt;
  char buffer[kMaxDecimalReal];
  std::memcpy(buffer, text.data(), text.size());
  buffer[text.size()] = '\0';
  char* end = nullptr;
  const double value = std::strtod(buffer, &end);
  if (end != buffer + text.size()) return std::nullopt;
  return real_of(value);
}

std::optional<Constant> parse_integer(std::string_view text) noexcept {
  Kind kind = Kind::kSigned;
  if (text.back() == 'U' || text.back() == 'u') {
    kind = Kind::kUnsigned;
    text.remove_suffix(1);
  }
  int base = 10;
  if (text.size() > 1 && text[0] == '0') {
    const char c = text[1];
    base = c == 'x' || c == 'X' ? 16 : c == 'b' || c == 'B' ? 2 : 8;
    text.remove_prefix(base == 8 ? 1 : 2);
  }
  const auto value = digits(text, base);
  if (!value) return std::nullopt;
  if (*value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    kind = Kind::kUnsigned;
  }
  return Constant{kind, *value};
}

std::optional<Constant> apply_real(std::string_view op, double a, double b) noexcept {
  if (op == "+") return real_of(a + b);
  if (op == "-") return real_of(a - b);
  if (op == "*") return real_of(a * b);
  if (op == "/" && b != 0) return real_of(a / b);
  if (op == "<") return signed_of(a < b);
  if (op == "<=") return signed_of(a <= b);
  if (op == ">") return signed_of(a > b);
  if (op == ">=") return signed_of(a >= b);
  if (op == "==") return signed_of(a == b);
  if (op == "!=") return signed_of(a != b);
  if (op == "&&") return signed_of(a != 0 && b != 0);
  if (op == "||") return signed_of(a != 0 || b != 0);
  return std::nullopt;
}

std::optional<std::uint64_t> divide(std::string_view op, std::uint64_t a, std::uint64_t b,
                                    bool is_unsigned) noexcept {
  if (b == 0) return std::nullopt;
  if (is_unsigned) return op == "/" ? a / b : a % b;
  const auto x = static_cast<std::int64_t>(a);
  const auto y = static_cast<std::int64_t>(b);
  if (y == -1) return op == "/" ? 0 - a : 0;  // the least integer by -1 wraps
  return static_cast<std::uint64_t>(op == "/" ? x / y : x % y);
}

std::optional<bool> compare(std::string_view op, std::uint64_t a, std::uint64_t b,
                            bool is_unsigned) noexcept {
  const auto x = static_cast<std::int64_t>(a);
  const auto y = static_cast<std::int64_t>(b);
  if (op == "<") return is_unsigned ? a < b : x < y;
  if (op == "<=") return is_unsigned ? a <= b : x <= y;
  if (op == ">") return is_unsigned ? a > b : x > y;
  if (op == ">=") return is_unsigned ? a >= b : x >= y;
  if (op == "==") return a == b;
  if (op == "!=") return a != b;
  if (op == "&&") return a != 0 && b != 0;
  if (op == "||") return a != 0 || b != 0;
  return std::nullopt;
}

// Of as many bits as the word has, or more, everything is shifted out.
std::uint64_t shift(std::string_view op, std::uint64_t a, std::uint64_t by,
                    bool is_unsigned) noexcept {
  if (op == "<<") return by > 63 ? 0 : a << by;
  if (is_unsigned) return by > 63 ? 0 : a >> by;
  return static_cast<std::uint64_t>(static_cast<std::int64_t>(a) >> (by > 63 ? 63 : by));
}

std::optional<std::uint64_t> apply_integer(std::string_view op, std::uint64_t a, std::uint64_t b,
                                           bool is_unsigned) noexcept {
  if (op == "+") return a + b;
  if (op == "-") return a - b;
  if (op == "*") return a * b;
  if (op == "/" || op == "%") return divide(op, a, b, is_unsigned);
  if (op == "&") return a & b;
  if (op == "|") return a | b;
  if (op == "^") return a ^ b;
  return std::nullopt;
}

}  // namespace

std::optional<Constant> parse_number(std::string_view text) noexcept {
  if (text.empty()) return std::nullopt;
  const char second = text.size() > 1 && text[0] == '0' ? text[1] : '\0';
  if (second == 'f' || second == 'F') return parse_pattern(text.substr(2), Kind::kF32, 8);
  if (second == 'd' || second == 'D') return parse_pattern(text.substr(2), Kind::kF64, 16);
  const bool hex = second == 'x' || second == 'X';
  if (!hex && text.find_first_of(".eE") != std::string_view::npos) return parse_decimal_real(text);
  return parse_integer(text);
}

std::optional<Constant> apply(std::string_view op, Constant operand) noexcept {
  if (op == "+") return operand;
  if (op == "!") return signed_of(!is_true(operand));
  if (operand.kind == Kind::kF32) {
    if (op != "-") return std::nullopt;
    return Constant{Kind::kF32, operand.bits ^ 0x8000'0000U};
  }
  if (operand.kind == Kind::kF64) {
    if (op != "-") return std::nullopt;
    return real_of(-std::bit_cast<double>(operand.bits));
  }
  if (op == "-") return Constant{operand.kind, 0 - operand.bits};
  if (op == "~") return Constant{operand.kind, ~operand.bits};
  return std::nullopt;
}

std::optional<Constant> apply(std::string_view op, Constant left, Constant right) noexcept {
  if (left.is_real() || right.is_real()) {
    return apply_real(op, real_value(left), real_value(right));
  }
  if (op == "<<" || op == ">>") {
    return Constant{left.kind, shift(op, left.bits, right.bits, left.kind == Kind::kUnsigned)};
  }
  const bool is_unsigned = left.kind == Kind::kUnsigned || right.kind == Kind::kUnsigned;
  if (const auto truth = compare(op, left.bits, right.bits, is_unsigned)) return signed_of(*truth);
  const auto value = apply_integer(op, left.bits, right.bits, is_unsigned);
  if (!value) return std::nullopt;
  return Constant{is_unsigned ? Kind::kUnsigned : Kind::kSigned, *value};
}

int precedence_of(std::string_view op) noexcept {
  if (op == "||") return 1;
  if (op == "&&") return 2;
  if (op == "|") return 3;
  if (op == "^") return 4;
  if (op == "&") return 5;
  if (op == "==" || op == "!=") return 6;
  if (op == "<" || op == "<=" || op == ">" || op == ">=") return 7;
  if (op == "<<" || op == ">>") return 8;
  if (op == "+" || op == "-") return 9;
  if (op == "*" || op == "/" || op == "%") return 10;
  return 0;
}

double real_value(Constant constant) noexcept {
  switch (constant.kind) {
    case Kind::kSigned:
      return static_cast<double>(static_cast<std::int64_t>(constant.bits));
    case Kind::kUnsigned:
      return static_cast<double>(constant.bits);
    case Kind::kF32:
      return std::bit_cast<float>(static_cast<std::uint32_t>(constant.bits));
    case Kind::kF64:
      return std::bit_cast<double>(constant.bits);
  }
  return 0;
}

bool is_true(Constant constant) noexcept {
  return constant.is_real() ? real_value(constant) != 0 : constant.bits != 0;
}

}  // namespace longwire::softcuda::ptx
