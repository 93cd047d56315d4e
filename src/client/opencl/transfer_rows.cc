#include "client/opencl/transfer_rows.h"

#include <cstring>
#include <new>

namespace longwire::client::opencl {
namespace {

// f(address of the row, offset of the row among the packed ones)
template <class F>
void for_each_row(const Rows& rows, F&& f) {
  std::size_t packed = 0;
  for (std::size_t slice = 0; slice < rows.slices; ++slice) {
    std::byte* row = rows.first + slice * rows.slice_pitch;
    for (std::size_t y = 0; y < rows.rows; ++y, row += rows.row_pitch, packed += rows.row_bytes)
      f(row, packed);
  }
}

}  // namespace

void Rows::gather(std::byte* packed) const noexcept {
  for_each_row(*this, [&](const std::byte* row, std::size_t at) {
    std::memcpy(packed + at, row, row_bytes);
  });
}

std::span<const std::byte> Rows::span_or_pack(std::unique_ptr<std::byte[]>& packed) const {
  if (tight()) return span();
  packed.reset(new (std::nothrow) std::byte[bytes()]);
  if (packed == nullptr) return {};
  gather(packed.get());
  return {packed.get(), bytes()};
}

void Rows::scatter(const std::byte* packed) const noexcept {
  for_each_row(*this,
               [&](std::byte* row, std::size_t at) { std::memcpy(row, packed + at, row_bytes); });
}

}  // namespace longwire::client::opencl
