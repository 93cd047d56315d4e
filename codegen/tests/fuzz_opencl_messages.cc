// Both decoders: whatever decodes must encode again to something that decodes to the same.
// Input: u64 index of a message, push or reply (as for_each_struct counts), then its payload.
#include <cstdint>
#include <cstring>
#include <span>

#include "base/check.h"
#include "fuzz/target.h"
#include "opencl/message_visit.h"
#include "random_message.h"

namespace longwire::opencl {
namespace {

template <class M>
void fuzz(std::span<const std::byte> payload) {
  wire::Reader reader(payload);
  M message;
  decode(reader, message);
  if (!reader.finish().ok()) return;
  const auto bytes = encoded(message);
  wire::Reader again_reader(bytes);
  M again;
  decode(again_reader, again);
  LW_CHECK(again_reader.finish().ok());
  LW_CHECK(encoded(again) == bytes);
}

}  // namespace
}  // namespace longwire::opencl

// Some of each, with everything in it that it can have.
std::vector<longwire::fuzz::Seed> longwire::fuzz::seeds() {
  std::vector<Seed> all;
  std::uint64_t index = 0;
  longwire::opencl::for_each_struct([&](std::string_view name, auto message) {
    for (std::uint64_t i = 0; i < 3; ++i) {
      longwire::opencl::RandomMessage random(i + 1);
      random.fill(message);
      Bytes bytes = written([&](auto& out) { out.u64(index); });
      append(bytes, longwire::opencl::encoded(message));
      all.push_back({std::string(name) + "_" + std::to_string(i), std::move(bytes)});
    }
    ++index;
  });
  return all;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = std::as_bytes(std::span(data, size));
  std::uint64_t wanted = 0;
  if (size < sizeof wanted) return 0;
  std::memcpy(&wanted, data, sizeof wanted);
  std::uint64_t index = 0;
  longwire::opencl::for_each_struct([&](std::string_view, auto message) {
    if (index++ == wanted) longwire::opencl::fuzz<decltype(message)>(input.subspan(8));
  });
  return 0;
}
