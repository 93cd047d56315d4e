// For tests of this folder and of tests/sim: sinks and small helpers.
#pragma once

#include <cstring>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "session/stream.h"
#include "wire/opcodes.h"
#include "wire/reader.h"

namespace longwire::session::testing {

inline constexpr wire::Opcode kTestOpcode = wire::kFirstCommand + 1;

// A sink that calls a function, or just counts.
class FunctionSink final : public FrameSink {
 public:
  FunctionSink() = default;
  explicit FunctionSink(std::function<base::Status(const Frame&)> function)
      : function_(std::move(function)) {}
  base::Status on_frame(const Frame& frame) override {
    return function_ ? function_(frame) : base::Status();
  }
  void set(std::function<base::Status(const Frame&)> function) { function_ = std::move(function); }

 private:
  std::function<base::Status(const Frame&)> function_;
};

inline void fill_pattern(std::span<std::byte> place, std::uint64_t seed) {
  for (std::size_t i = 0; i < place.size(); ++i)
    place[i] = std::byte(seed + i * 7);
}

// A frame of `payload_bytes` whose contents follow from `seed`.
inline base::Status send_patterned(Stream& stream, std::uint64_t seed, std::size_t payload_bytes) {
  auto draft = stream.begin(kTestOpcode, payload_bytes);
  if (!draft.ok()) return draft.error();
  fill_pattern(draft->writer().reserve(payload_bytes), seed);
  draft->commit();
  return {};
}

inline bool is_patterned(const Frame& frame, std::uint64_t seed, std::size_t payload_bytes) {
  if (frame.opcode != kTestOpcode || frame.payload.size() != wire::round_up_8(payload_bytes)) {
    return false;
  }
  for (std::size_t i = 0; i < payload_bytes; ++i) {
    if (frame.payload[i] != std::byte(seed + i * 7)) return false;
  }
  return true;
}

// A frame with one u64.
inline base::Status send_u64(Stream& stream, std::uint64_t value) {
  auto draft = stream.begin(kTestOpcode, 8);
  if (!draft.ok()) return draft.error();
  draft->writer().u64(value);
  draft->commit();
  return {};
}

inline std::uint64_t u64_of(const Frame& frame) { return wire::Reader(frame.payload).u64(); }

}  // namespace longwire::session::testing
