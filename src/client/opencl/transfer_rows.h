// Rows: where a transfer's bytes lie in the program's memory: up to three dimensions with pitches.
// On the wire they are always tightly packed (api/opencl/messages.toml).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "wire/reader.h"

namespace longwire::client::opencl {

using Extent3 = std::array<std::size_t, 3>;

inline Extent3 extent3(const std::size_t* values) { return {values[0], values[1], values[2]}; }

// An extent as messages carry it. Lives as long as the message is being built.
class WireExtent {
 public:
  explicit WireExtent(const Extent3& extent) : values_{extent[0], extent[1], extent[2]} {}
  wire::U64View view() const noexcept { return {values_.data(), values_.size()}; }

 private:
  std::array<std::uint64_t, 3> values_;
};

struct Rows {
  std::byte* first = nullptr;  // the first byte of the first row
  std::size_t row_bytes = 0;
  std::size_t rows = 1;  // per slice
  std::size_t slices = 1;
  std::size_t row_pitch = 0;  // bytes from row to row; at least row_bytes where rows > 1
  std::size_t slice_pitch = 0;

  static Rows linear(const void* data, std::size_t bytes) noexcept {
    return {const_cast<std::byte*>(static_cast<const std::byte*>(data)), bytes, 1, 1, bytes, bytes};
  }

  std::size_t bytes() const noexcept { return row_bytes * rows * slices; }
  // One span of memory, without gaps.
  bool tight() const noexcept {
    return (rows == 1 || row_pitch == row_bytes) &&
           (slices == 1 || slice_pitch == row_bytes * rows);
  }
  // REQUIRES: tight().
  std::span<std::byte> span() const noexcept { return {first, bytes()}; }
  // From the first byte to the end of the last one, gaps included.
  std::span<std::byte> reach() const noexcept {
    if (bytes() == 0) return {first, 0};
    return {first, slice_pitch * (slices - 1) + row_pitch * (rows - 1) + row_bytes};
  }

  // Between the rows and bytes() packed ones.
  void gather(std::byte* packed) const noexcept;
  void scatter(const std::byte* packed) const noexcept;
  // The bytes in one span: as they lie, or gathered into `packed`, which is made for it;
  // empty when out of memory.
  std::span<const std::byte> span_or_pack(std::unique_ptr<std::byte[]>& packed) const;
};

}  // namespace longwire::client::opencl
