#include "session/auth/fingerprint.h"

#include "session/auth/base32.h"

namespace longwire::session {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::size_t kGroup = 4;

}  // namespace

std::string to_hex(const Fingerprint& fingerprint) {
  std::string text;
  text.reserve(2 * fingerprint.size());
  for (const std::uint8_t byte : fingerprint) {
    text += kHexDigits[byte >> 4];
    text += kHexDigits[byte & 15];
  }
  return text;
}

base::Result<Fingerprint> fingerprint_from_hex(std::string_view text) {
  Fingerprint fingerprint{};
  const auto bad = [] {
    return base::Error(base::ErrorCode::kInvalidArgument,
                       "a fingerprint is 64 hexadecimal digits (0-9, a-f)");
  };
  if (text.size() != 2 * fingerprint.size()) return bad();
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::size_t digit = kHexDigits.find(text[i]);
    if (digit == std::string_view::npos) return bad();
    fingerprint[i / 2] = static_cast<std::uint8_t>(fingerprint[i / 2] << 4 | digit);
  }
  return fingerprint;
}

std::string to_base32(const Fingerprint& fingerprint) {
  std::string text;
  unsigned bits = 0;
  unsigned count = 0;
  std::size_t digits = 0;
  const auto put = [&](unsigned digit) {
    if (digits > 0 && digits % kGroup == 0) text += '-';
    text += kBase32Digits[digit & 31];
    ++digits;
  };
  for (const std::uint8_t byte : fingerprint) {
    bits = bits << 8 | byte;
    for (count += 8; count >= 5; count -= 5)
      put(bits >> (count - 5));
  }
  if (count > 0) put(bits << (5 - count));
  return text;
}

}  // namespace longwire::session
