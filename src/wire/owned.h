// Values of a message that outlive it, out of a Reader.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "wire/reader.h"

namespace longwire::wire {

template <std::size_t N>
std::array<std::uint8_t, N> take_array(Reader& in, const char* what) {
  std::array<std::uint8_t, N> out{};
  const auto view = in.raw(N, what);
  if (view.size() == N) std::memcpy(out.data(), view.data(), N);
  return out;
}

// A failure where it has more than `most` bytes.
inline std::string take_text(Reader& in, std::size_t most, const char* what) {
  const std::string_view text = in.string(what);
  if (text.size() > most) in.fail(what);
  return in.ok() ? std::string(text) : std::string();
}

}  // namespace longwire::wire
