// Tokens of PTX, one at a time, as views of the text: nothing is allocated.
#pragma once

#include <cstdint>
#include <string_view>

#include "softcuda/ptx/tree.h"

namespace longwire::softcuda::ptx {

struct Token {
  enum class Kind : std::uint8_t {
    kEnd,
    kName,       // foo, %r1, $L__BB0_2, %tid.x, and opcodes with their modifiers: ld.global.f32
    kDirective,  // .visible, .b32, .param::entry
    kNumber,
    kString,  // with its quotes
    kPunctuation,
    kBad,  // what no token of PTX begins with, or a string or comment without an end
  };
  Kind kind = Kind::kEnd;
  At at = 0;
  std::string_view text;

  bool is(char c) const noexcept {
    return kind == Kind::kPunctuation && text.size() == 1 && text[0] == c;
  }
  bool is(std::string_view other) const noexcept { return text == other; }
};

class Lexer {
 public:
  explicit Lexer(std::string_view text) noexcept : text_(text) {}

  Token next() noexcept;
  // Where the next token is looked for: a parser may come back to it.
  std::size_t position() const noexcept { return position_; }
  void rewind(std::size_t position) noexcept { position_ = position; }

 private:
  bool skip_space() noexcept;  // false: a comment without an end
  void skip_line() noexcept;
  Token take(Token::Kind kind, std::size_t end) noexcept;
  Token number() noexcept;
  Token string() noexcept;
  Token punctuation() noexcept;
  std::size_t end_of_name(std::size_t from) const noexcept;
  std::size_t end_of_dotted(std::size_t from) const noexcept;
  char at(std::size_t position) const noexcept {
    return position < text_.size() ? text_[position] : '\0';
  }

  std::string_view text_;
  std::size_t position_ = 0;
};

}  // namespace longwire::softcuda::ptx
