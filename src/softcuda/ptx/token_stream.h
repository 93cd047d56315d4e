// What the parser's parts share: a token of lookahead, expectations, constant expressions.
//
// Errors are sticky: the first one is kept and from then on the stream is at its end, so that a
// parser's parts need not ask after each step. Whoever loops, looks at ok() or at the end.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "softcuda/ptx/lexer.h"
#include "softcuda/ptx/tree.h"

namespace longwire::softcuda::ptx {

class TokenStream {
 public:
  explicit TokenStream(Source& source);

  Source& source() noexcept { return source_; }
  const Token& peek() const noexcept { return token_; }
  Token peek_second() noexcept;
  Token next() noexcept;
  bool accept(char punctuation) noexcept;
  bool accept(std::string_view text) noexcept;
  void expect(char punctuation, std::string_view where);
  std::string_view expect_name(std::string_view what);
  std::uint32_t expect_unsigned(std::string_view what);  // a constant expression of 32 bits

  Constant expression();
  Constant offset();  // what follows a name: nothing, or + and - with constants

  bool ok() const noexcept { return !error_; }
  void fail(At at, std::string_view message);
  void fail_unsupported(At at, std::string_view message);
  void fail_limit(At at, std::string_view message);
  void fail_unexpected(std::string_view wanted);  // "';' expected before 'x'"
  base::Error&& take_error() { return std::move(*error_); }

  // A copy in the arena.
  template <class T>
  std::span<const T> keep(std::span<const T> items) {
    if (items.empty()) return {};
    auto* place = static_cast<T*>(source_.arena().allocate(items.size_bytes(), alignof(T)));
    std::uninitialized_copy(items.begin(), items.end(), place);
    return {place, items.size()};
  }
  template <class T>
  const T* keep(const T& item) {
    return keep(std::span<const T>(&item, 1)).data();
  }
  std::string_view keep_text(std::string_view text) {
    const auto kept = keep(std::span<const char>(text));
    return {kept.data(), kept.size()};
  }

 private:
  Constant binary(int least, int depth);
  Constant unary(int depth);
  Constant primary(int depth);
  Constant conditional(int depth);
  std::optional<Constant> cast(int depth);

  Source& source_;
  Lexer lexer_;
  Token token_;
  std::optional<base::Error> error_;
};

}  // namespace longwire::softcuda::ptx
