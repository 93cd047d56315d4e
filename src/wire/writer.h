// Writer and Sizer: the one way in which values become bytes. docs/PROTOCOL.md, "Values".
//
// Little-endian; everything starts at a multiple of its own size, since messages write every scalar
// as 8 bytes where in doubt and `bytes`, `string` and `array` begin and end at a multiple of 8.
// A message is encoded twice with the same code: into a Sizer, then into a Writer of exactly that
// size. Hence running over is our own bug, never the data's.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "base/check.h"

namespace longwire::wire {

static_assert(std::endian::native == std::endian::little,
              "encoding by memcpy needs a little-endian machine");

constexpr std::size_t round_up_8(std::size_t bytes) { return (bytes + 7) & ~std::size_t{7}; }

// The encodings, on top of Out::put(const void*, size_t) and Out::position().
template <class Out>
class FieldEncoder {
 public:
  void u8(std::uint8_t v) { put_value(v); }
  void u16(std::uint16_t v) { put_value(v); }
  void u32(std::uint32_t v) { put_value(v); }
  void u64(std::uint64_t v) { put_value(v); }
  void i32(std::int32_t v) { put_value(v); }
  void i64(std::int64_t v) { put_value(v); }
  void f64(double v) { put_value(v); }
  // Any integer or bit field in 8 bytes. Signed values must be converted (hence sign-extended)
  // by the caller.
  void scalar(std::uint64_t v) { put_value(v); }
  void handle(std::uint64_t v) { put_value(v); }

  // u64 length, the bytes, zeros up to a multiple of 8.
  void bytes(std::span<const std::byte> data) {
    u64(data.size());
    out().put(data.data(), data.size());
    align();
  }
  void string(std::string_view text) { bytes(std::as_bytes(std::span(text.data(), text.size()))); }
  // u64 count, then the values.
  void array(std::span<const std::uint64_t> values) {
    u64(values.size());
    out().put(values.data(), values.size_bytes());
  }
  // Exactly those bytes: no length, no padding.
  void raw(std::span<const std::byte> data) { out().put(data.data(), data.size()); }
  // Zeros up to a multiple of 8 (no-op where it is one already).
  void align() {
    static constexpr std::uint64_t kZero = 0;
    const std::size_t position = out().position();
    out().put(&kZero, round_up_8(position) - position);
  }

 private:
  Out& out() { return static_cast<Out&>(*this); }
  template <class T>
  void put_value(T v) {
    out().put(&v, sizeof v);
  }
};

// Counts what a Writer would write.
class Sizer : public FieldEncoder<Sizer> {
 public:
  std::size_t position() const noexcept { return position_; }
  std::size_t size() const noexcept { return position_; }
  void put(const void*, std::size_t bytes) noexcept { position_ += bytes; }
  // As Writer::skip, for code that is run over both.
  void skip(std::size_t bytes) noexcept { position_ += bytes; }

 private:
  std::size_t position_ = 0;
};

// Writes into memory of a fixed size, which it does not own.
class Writer : public FieldEncoder<Writer> {
 public:
  Writer() = default;
  explicit Writer(std::span<std::byte> out) noexcept : out_(out) {}

  std::size_t position() const noexcept { return position_; }
  std::size_t remaining() const noexcept { return out_.size() - position_; }
  std::span<const std::byte> written() const noexcept { return out_.first(position_); }

  void put(const void* data, std::size_t bytes) {
    LW_CHECK(bytes <= remaining());
    if (bytes != 0) std::memcpy(out_.data() + position_, data, bytes);
    position_ += bytes;
  }

  // The next `bytes` bytes, for the caller to fill in place.
  std::span<std::byte> reserve(std::size_t bytes) {
    LW_CHECK(bytes <= remaining());
    const auto place = out_.subspan(position_, bytes);
    position_ += bytes;
    return place;
  }
  // Zeros.
  void skip(std::size_t bytes) {
    LW_CHECK(bytes <= remaining());
    if (bytes != 0) std::memset(out_.data() + position_, 0, bytes);
    position_ += bytes;
  }

 private:
  std::span<std::byte> out_;
  std::size_t position_ = 0;
};

}  // namespace longwire::wire
