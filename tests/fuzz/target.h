// What a fuzz target is: LLVMFuzzerTestOneInput() and seeds(). The same sources make a libFuzzer
// program (preset fuzz: write_seeds.cc) and one that any compiler builds, which runs the seeds, the
// regressions and some mutations of both as a test (replay_main.cc). README.md has the list.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "wire/writer.h"

namespace longwire::fuzz {

using Bytes = std::vector<std::byte>;

struct Seed {
  std::string name;  // of its file
  Bytes bytes;
};

// Each target's own: inputs that its decoders understand, made by code, so that the fuzzer begins
// behind their structure.
std::vector<Seed> seeds();

// --- for seeds() ---

inline Bytes bytes_of(std::string_view text) {
  const auto view = std::as_bytes(std::span(text));
  return {view.begin(), view.end()};
}
inline Bytes& append(Bytes& to, std::span<const std::byte> more) {
  to.insert(to.end(), more.begin(), more.end());
  return to;
}
// `selector`, as targets of several decoders have it, then the bytes.
inline Bytes selected(std::uint8_t selector, std::span<const std::byte> rest) {
  Bytes bytes = {std::byte{selector}};
  return append(bytes, rest);
}
// `put(out)` encodes, called with a Sizer and with a Writer.
template <class Put>
Bytes written(const Put& put) {
  wire::Sizer sizer;
  put(sizer);
  Bytes bytes(sizer.size());
  wire::Writer writer(bytes);
  put(writer);
  return bytes;
}

}  // namespace longwire::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
