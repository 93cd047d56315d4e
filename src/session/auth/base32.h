// Crockford's base32: no letter that looks like a digit, upper and lower case alike.
#pragma once

#include <optional>
#include <string_view>

namespace longwire::session {

inline constexpr std::string_view kBase32Digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

// What people type for a digit: lower case, O for 0, I and L for 1. Nothing: no digit at all.
inline std::optional<char> base32_digit(char typed) {
  char c = typed >= 'a' && typed <= 'z' ? static_cast<char>(typed - 'a' + 'A') : typed;
  if (c == 'O') c = '0';
  if (c == 'I' || c == 'L') c = '1';
  if (kBase32Digits.find(c) == std::string_view::npos) return std::nullopt;
  return c;
}

}  // namespace longwire::session
