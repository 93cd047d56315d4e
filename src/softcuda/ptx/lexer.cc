#include "softcuda/ptx/lexer.h"

#include <array>

namespace longwire::softcuda::ptx {
namespace {

enum Class : std::uint8_t { kOther = 0, kSpace = 1, kFollow = 2, kStart = 4, kDigit = 8 };

constexpr std::array<std::uint8_t, 256> make_classes() {
  std::array<std::uint8_t, 256> classes{};
  for (const char c : {' ', '\t', '\n', '\r', '\f', '\v'}) {
    classes[static_cast<unsigned char>(c)] = kSpace;
  }
  for (int c = 'a'; c <= 'z'; ++c)
    classes[c] = classes[c - 'a' + 'A'] = kFollow | kStart;
  for (int c = '0'; c <= '9'; ++c)
    classes[c] = kFollow | kDigit;
  classes['_'] = classes['$'] = kFollow | kStart;
  return classes;
}

constexpr auto kClasses = make_classes();

bool is(char c, std::uint8_t classes) noexcept {
  return (kClasses[static_cast<unsigned char>(c)] & classes) != 0;
}

}  // namespace

Token Lexer::take(Token::Kind kind, std::size_t end) noexcept {
  const Token token{kind, static_cast<At>(position_), text_.substr(position_, end - position_)};
  position_ = end;
  return token;
}

void Lexer::skip_line() noexcept {
  const auto end = text_.find('\n', position_);
  position_ = end == std::string_view::npos ? text_.size() : end;
}

bool Lexer::skip_space() noexcept {
  for (;;) {
    while (is(at(position_), kSpace))
      ++position_;
    const char c = at(position_);
    const char next = at(position_ + 1);
    const bool comment = c == '/' && next == '/';
    // What a preprocessor has left: # 12 "file.cu"
    const bool marker = c == '#' && (position_ == 0 || text_[position_ - 1] == '\n');
    if (comment || marker) {
      skip_line();
    } else if (c == '/' && next == '*') {
      const auto end = text_.find("*/", position_ + 2);
      if (end == std::string_view::npos) return false;
      position_ = end + 2;
    } else {
      return true;
    }
  }
}

std::size_t Lexer::end_of_name(std::size_t from) const noexcept {
  while (is(at(from), kFollow))
    ++from;
  return from;
}

// A name with ".x" and "::y" behind it.
std::size_t Lexer::end_of_dotted(std::size_t from) const noexcept {
  from = end_of_name(from);
  for (;;) {
    if (at(from) == '.' && is(at(from + 1), kFollow)) {
      from = end_of_name(from + 1);
    } else if (at(from) == ':' && at(from + 1) == ':' && is(at(from + 2), kFollow)) {
      from = end_of_name(from + 2);
    } else {
      return from;
    }
  }
}

Token Lexer::number() noexcept {
  auto end = end_of_name(position_);
  const char second = at(position_ + 1);
  const bool bits = text_[position_] == '0' && (second == 'x' || second == 'X' || second == 'f' ||
                                                second == 'F' || second == 'd' || second == 'D');
  if (bits) return take(Token::Kind::kNumber, end);
  if (at(end) == '.') end = end_of_name(end + 1);
  const char last = at(end - 1);
  if ((last == 'e' || last == 'E') && (at(end) == '+' || at(end) == '-')) {
    end = end_of_name(end + 1);
  }
  return take(Token::Kind::kNumber, end);
}

Token Lexer::string() noexcept {
  auto end = position_ + 1;
  while (end < text_.size() && text_[end] != '"' && text_[end] != '\n') {
    end += text_[end] == '\\' && end + 1 < text_.size() ? 2 : 1;
  }
  if (at(end) != '"') return take(Token::Kind::kBad, position_ + 1);
  return take(Token::Kind::kString, end + 1);
}

Token Lexer::punctuation() noexcept {
  const char c = text_[position_];
  const char next = at(position_ + 1);
  const bool doubled = (c == '<' || c == '>' || c == '&' || c == '|' || c == '=') && next == c;
  const bool compared = (c == '<' || c == '>' || c == '!') && next == '=';
  if (doubled || compared) return take(Token::Kind::kPunctuation, position_ + 2);
  const bool known = std::string_view("()[]{},;:+-*/%!~<>&|^=?@").find(c) != std::string_view::npos;
  return take(known && c != '\0' ? Token::Kind::kPunctuation : Token::Kind::kBad, position_ + 1);
}

Token Lexer::next() noexcept {
  if (!skip_space()) return take(Token::Kind::kBad, position_ + 2);
  if (position_ >= text_.size()) return {Token::Kind::kEnd, static_cast<At>(text_.size()), {}};
  const char c = text_[position_];
  if (is(c, kStart)) return take(Token::Kind::kName, end_of_dotted(position_ + 1));
  if (is(c, kDigit)) return number();
  if (c == '%' && is(at(position_ + 1), kFollow)) {
    return take(Token::Kind::kName, end_of_dotted(position_ + 1));
  }
  if (c == '.' && is(at(position_ + 1), kFollow)) {
    auto end = end_of_name(position_ + 1);
    if (at(end) == ':' && at(end + 1) == ':') end = end_of_name(end + 2);
    return take(Token::Kind::kDirective, end);
  }
  if (c == '"') return string();
  return punctuation();
}

}  // namespace longwire::softcuda::ptx
