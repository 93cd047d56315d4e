#include "softcuda/fatbin/compression.h"

#include <lz4.h>
#include <zstd.h>

#include <algorithm>
#include <memory>

namespace longwire::softcuda::fatbin {
namespace {

constexpr int kZstdLevel = 9;
constexpr std::size_t kLz4MaxRatio = 256;  // of a block: what it can grow by
constexpr std::size_t kStepBytes = 256 << 10;
constexpr int kMaxWindowLog = 27;

base::Error wrong(const char* what) {
  return {base::ErrorCode::kInvalidArgument, std::string("malformed fat binary: ") + what};
}

base::Result<std::string> decompress_lz4(std::span<const std::byte> packed, std::size_t bytes) {
  if (bytes > packed.size() * kLz4MaxRatio) return wrong("LZ4 data is too short for its size");
  std::string out(bytes, '\0');
  const int made = LZ4_decompress_safe(reinterpret_cast<const char*>(packed.data()), out.data(),
                                       static_cast<int>(packed.size()), static_cast<int>(bytes));
  if (made < 0 || static_cast<std::size_t>(made) != bytes) return wrong("LZ4 data");
  return out;
}

base::Result<std::string> decompress_zstd(std::span<const std::byte> packed, std::size_t bytes) {
  const std::unique_ptr<ZSTD_DStream, std::size_t (*)(ZSTD_DStream*)> stream(ZSTD_createDStream(),
                                                                             ZSTD_freeDStream);
  if (stream == nullptr) return base::Error(base::ErrorCode::kLimit, "no memory for ZSTD");
  ZSTD_DCtx_setParameter(stream.get(), ZSTD_d_windowLogMax, kMaxWindowLog);
  ZSTD_inBuffer in{packed.data(), packed.size(), 0};
  std::string out;
  for (;;) {
    const std::size_t had = out.size();
    out.resize(had + std::min(kStepBytes, bytes - had + 1));
    ZSTD_outBuffer to{out.data() + had, out.size() - had, 0};
    const std::size_t left = ZSTD_decompressStream(stream.get(), &to, &in);
    out.resize(had + to.pos);
    if (ZSTD_isError(left) != 0 || out.size() > bytes) return wrong("ZSTD data");
    if (left == 0) break;
    if (to.pos == 0 && in.pos == in.size) return wrong("ZSTD data is cut short");
  }
  if (out.size() != bytes) return wrong("ZSTD data");
  return out;
}

}  // namespace

base::Result<std::string> decompress(std::span<const std::byte> packed, Compression compression,
                                     std::size_t bytes) {
  switch (compression) {
    case Compression::kLz4:
      return decompress_lz4(packed, bytes);
    case Compression::kZstd:
      return decompress_zstd(packed, bytes);
    case Compression::kNone:
      break;
  }
  return std::string(reinterpret_cast<const char*>(packed.data()), packed.size());
}

std::vector<std::byte> compress(std::span<const std::byte> plain, Compression compression) {
  if (compression == Compression::kNone) return {plain.begin(), plain.end()};
  const bool lz4 = compression == Compression::kLz4;
  const auto size = static_cast<int>(plain.size());
  std::vector<std::byte> out(lz4 ? static_cast<std::size_t>(LZ4_compressBound(size))
                                 : ZSTD_compressBound(plain.size()));
  std::size_t made = 0;
  if (lz4) {
    made = static_cast<std::size_t>(LZ4_compress_default(
        reinterpret_cast<const char*>(plain.data()), reinterpret_cast<char*>(out.data()), size,
        static_cast<int>(out.size())));
  } else {
    made = ZSTD_compress(out.data(), out.size(), plain.data(), plain.size(), kZstdLevel);
    LW_CHECK(ZSTD_isError(made) == 0);
  }
  out.resize(made);
  return out;
}

}  // namespace longwire::softcuda::fatbin
