// Reader: the one way in which a peer's bytes (or a file's) become values. STYLE.md rule 6.
//
// Never throws, never reads outside its span. The first failure is latched: every later read gives
// zero or an empty view, and finish() says what was wrong. So a decoder reads all its fields in a
// row and asks once. Counts are checked against the bytes that are left, so what a decoder
// allocates for them is bounded by what the peer really sent.
//
// Views (bytes, string, array) point into the message: valid as long as it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "base/result.h"
#include "wire/writer.h"

namespace longwire::wire {

// A sequence of u64 inside a message, loaded one by one (no alignment is assumed).
class U64View {
 public:
  U64View() = default;
  explicit U64View(std::span<const std::byte> bytes) noexcept : bytes_(bytes) {}
  // Of memory of ours, for messages that are about to be encoded.
  U64View(std::span<const std::uint64_t> values) noexcept  // NOLINT: implicit
      : bytes_(std::as_bytes(values)) {}
  U64View(const std::uint64_t* values, std::size_t count) noexcept
      : U64View(std::span(values, count)) {}

  std::size_t size() const noexcept { return bytes_.size() / 8; }
  bool empty() const noexcept { return bytes_.empty(); }
  // REQUIRES: i < size().
  std::uint64_t operator[](std::size_t i) const {
    LW_CHECK(i < size());
    std::uint64_t v = 0;
    std::memcpy(&v, bytes_.data() + 8 * i, 8);
    return v;
  }
  std::span<const std::byte> bytes() const noexcept { return bytes_; }

 private:
  std::span<const std::byte> bytes_;
};

class Reader {
 public:
  Reader() = default;
  explicit Reader(std::span<const std::byte> in) noexcept : in_(in) {}

  // `what` names the field in the error; a string literal.
  std::uint8_t u8(const char* what = "u8") { return value<std::uint8_t>(what); }
  std::uint16_t u16(const char* what = "u16") { return value<std::uint16_t>(what); }
  std::uint32_t u32(const char* what = "u32") { return value<std::uint32_t>(what); }
  std::uint64_t u64(const char* what = "u64") { return value<std::uint64_t>(what); }
  std::int32_t i32(const char* what = "i32") { return value<std::int32_t>(what); }
  std::int64_t i64(const char* what = "i64") { return value<std::int64_t>(what); }
  double f64(const char* what = "f64") { return value<double>(what); }
  std::uint64_t scalar(const char* what = "scalar") { return value<std::uint64_t>(what); }
  std::uint64_t handle(const char* what = "handle") { return value<std::uint64_t>(what); }

  std::span<const std::byte> bytes(const char* what = "bytes") {
    const auto view = raw(checked_length(u64(what), what), what);
    align(what);
    return ok() ? view : std::span<const std::byte>{};
  }
  std::string_view string(const char* what = "string") {
    const auto view = bytes(what);
    return {reinterpret_cast<const char*>(view.data()), view.size()};
  }
  U64View array(const char* what = "array") { return U64View(raw(8 * count(8, what), what)); }

  // A u64 count of elements that take at least `element_bytes` each in this message: larger than
  // what is left can hold is a failure. REQUIRES: element_bytes > 0.
  std::size_t count(std::size_t element_bytes, const char* what = "count") {
    const std::uint64_t n = u64(what);
    if (n <= remaining() / element_bytes) return static_cast<std::size_t>(n);
    fail(what);
    return 0;
  }
  // Exactly that many bytes.
  std::span<const std::byte> raw(std::size_t size, const char* what = "raw") {
    if (failed_ != nullptr || size > remaining()) {
      fail(what);
      return {};
    }
    const auto view = in_.subspan(position_, size);
    position_ += size;
    return view;
  }
  void align(const char* what = "padding") { raw(round_up_8(position_) - position_, what); }

  // Fields that older peers do not send: `otherwise` where the message has ended before them.
  std::uint64_t u64_or(std::uint64_t otherwise, const char* what = "u64") {
    return at_end() ? otherwise : u64(what);
  }
  std::uint32_t u32_or(std::uint32_t otherwise, const char* what = "u32") {
    return at_end() ? otherwise : u32(what);
  }
  std::string_view string_or(std::string_view otherwise, const char* what = "string") {
    return at_end() ? otherwise : string(what);
  }

  bool ok() const noexcept { return failed_ == nullptr; }
  const char* failed_field() const noexcept { return failed_; }  // null when ok()
  std::size_t remaining() const noexcept { return in_.size() - position_; }
  std::size_t position() const noexcept { return position_; }

  // Latches a failure that the caller has found (a value out of range); the first one counts.
  void fail(const char* what) noexcept {
    if (failed_ != nullptr) return;
    failed_ = what;
    failed_at_ = position_;
    position_ = in_.size();
  }
  // kWireFault that names the field, or ok. Trailing bytes are allowed: newer peers append fields.
  base::Status finish() const;

 private:
  bool at_end() const noexcept { return ok() && remaining() == 0; }

  std::size_t checked_length(std::uint64_t length, const char* what) {
    if (length <= remaining()) return static_cast<std::size_t>(length);
    fail(what);
    return 0;
  }
  template <class T>
  T value(const char* what) {
    T v{};
    if (sizeof v > remaining()) {
      fail(what);
      return v;
    }
    std::memcpy(&v, in_.data() + position_, sizeof v);
    position_ += sizeof v;
    return v;
  }

  std::span<const std::byte> in_;
  std::size_t position_ = 0;
  std::size_t failed_at_ = 0;
  const char* failed_ = nullptr;
};

}  // namespace longwire::wire
