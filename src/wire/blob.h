// Blob: bulk data of any size as a field of a message. session/bulk.h says how the bytes travel.
//
// Inline bytes ride in the message itself; otherwise the message only names the transfer that
// brings them. A blob that asks for data (a download) has a size and no inline bytes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "wire/fields.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace longwire::wire {

// The numbers of session::BulkMode.
enum class BlobMode : std::uint32_t { kInline = 0, kEager = 1, kRendezvous = 2 };

struct Blob {
  BlobMode mode = BlobMode::kInline;
  std::uint64_t transfer = 0;              // 0 when inline
  std::uint64_t bytes = 0;                 // size of the data, wherever it is
  std::span<const std::byte> inline_data;  // all of it, or empty

  bool empty() const noexcept { return bytes == 0; }
  static Blob inlined(std::span<const std::byte> data) noexcept {
    return {BlobMode::kInline, 0, data.size(), data};
  }
};

inline constexpr std::size_t kBlobLeastBytes = 32;

template <class Out>
void put_blob(Out& out, const Blob& blob) {
  put_u32(out, static_cast<std::uint32_t>(blob.mode));
  out.u64(blob.transfer);
  out.u64(blob.bytes);
  out.bytes(blob.inline_data);
}

// Refuses unknown modes, inline data beside a transfer, and inline data of another size than said;
// an inline blob with a size and no data asks for that much in the reply.
inline Blob get_blob(Reader& in, const char* what) {
  Blob blob;
  const std::uint32_t mode = get_u32(in, what);
  blob.transfer = in.u64(what);
  blob.bytes = in.u64(what);
  blob.inline_data = in.bytes(what);
  const bool is_inline = mode == static_cast<std::uint32_t>(BlobMode::kInline);
  if (mode > static_cast<std::uint32_t>(BlobMode::kRendezvous) || is_inline != (blob.transfer == 0))
    in.fail(what);
  if (!blob.inline_data.empty() && (!is_inline || blob.inline_data.size() != blob.bytes))
    in.fail(what);
  if (!in.ok()) return {};
  blob.mode = static_cast<BlobMode>(mode);
  return blob;
}

template <class Out>
void put_blobs(Out& out, const std::vector<Blob>& blobs) {
  out.u64(blobs.size());
  for (const Blob& blob : blobs)
    put_blob(out, blob);
}
inline std::vector<Blob> get_blobs(Reader& in, const char* what) {
  std::vector<Blob> blobs(get_count(in, kBlobLeastBytes, what));
  for (Blob& blob : blobs)
    blob = get_blob(in, what);
  return blobs;
}

}  // namespace longwire::wire
