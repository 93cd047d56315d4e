// The layout, little-endian:
//
//   container   u32 magic 0xba55ed50, u16 version 1, u16 bytes of this header (16),
//               u64 bytes of all entries
//   entry       u16 kind (1 PTX, 2 ELF), u16 version, u32 bytes of this header (64 or more),
//               u64 bytes of the payload with its padding, u32 bytes of the compressed payload,
//               u32, u16 minor, u16 major, u32 target, u32 name offset, u32 name length,
//               u64 flags (0x2000 LZ4, 0x8000 ZSTD; our own: 1 << 62, part of a link), u64,
//               u64 bytes uncompressed
#include "softcuda/fatbin/fatbin.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "softcuda/fatbin/compression.h"

namespace longwire::softcuda::fatbin {
namespace {

constexpr std::size_t kEntryHeaderBytes = 64;
constexpr std::uint64_t kFlagLz4 = 0x2000;
constexpr std::uint64_t kFlagZstd = 0x8000;
constexpr std::uint64_t kFlagOfLink = std::uint64_t{1} << 62;
constexpr std::uint64_t kFlagsOfHost = 0x11;  // 64 bits, Linux
constexpr std::size_t kPayloadAlignment = 8;
constexpr std::uint16_t kContainerVersion = 1;
constexpr std::uint16_t kEntryVersion = 0x101;

base::Error malformed(const char* what) {
  return {base::ErrorCode::kInvalidArgument, std::string("malformed fat binary: ") + what};
}

// REQUIRES: at + sizeof(T) <= bytes.size().
template <class T>
T field(std::span<const std::byte> bytes, std::size_t at) {
  LW_CHECK(bytes.size() >= sizeof(T) && at <= bytes.size() - sizeof(T));
  T value{};
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

template <class T>
void put(std::vector<std::byte>& out, T value) {
  const auto* bytes = reinterpret_cast<const std::byte*>(&value);
  out.insert(out.end(), bytes, bytes + sizeof value);
}

// An entry, of which `rest` begins with the header; nullopt: of a kind that is not for us.
// `taken` is how far it reaches.
base::Result<std::optional<Entry>> read_entry(std::span<const std::byte> rest, std::size_t& taken) {
  if (rest.size() < kEntryHeaderBytes) return malformed("an entry's header is cut short");
  const auto header_bytes = field<std::uint32_t>(rest, 4);
  const auto padded = field<std::uint64_t>(rest, 8);
  if (header_bytes < kEntryHeaderBytes || header_bytes > rest.size()) {
    return malformed("the size of an entry's header");
  }
  if (padded > rest.size() - header_bytes) return malformed("an entry's payload is cut short");
  taken = header_bytes + static_cast<std::size_t>(padded);
  const auto kind = field<std::uint16_t>(rest, 0);
  const bool known = kind == static_cast<std::uint16_t>(Entry::Kind::kPtx) ||
                     kind == static_cast<std::uint16_t>(Entry::Kind::kElf);
  if (!known) return std::optional<Entry>();
  Entry entry;
  entry.kind = static_cast<Entry::Kind>(kind);
  entry.target = field<std::uint32_t>(rest, 28);
  const auto flags = field<std::uint64_t>(rest, 40);
  entry.compression = (flags & kFlagZstd) != 0  ? Compression::kZstd
                      : (flags & kFlagLz4) != 0 ? Compression::kLz4
                                                : Compression::kNone;
  entry.of_link = (flags & kFlagOfLink) != 0;
  const auto packed = field<std::uint32_t>(rest, 16);
  const bool compressed = entry.compression != Compression::kNone;
  if (compressed && packed > padded) return malformed("the compressed size of an entry");
  entry.payload =
      rest.subspan(header_bytes, compressed ? packed : static_cast<std::size_t>(padded));
  entry.bytes = compressed ? field<std::uint64_t>(rest, 56) : padded;
  return std::optional(entry);
}

void write_entry(const Input& input, Compression compression, std::vector<std::byte>& out) {
  // The zero that ends a C string is part of the text, as programs hand PTX around as one.
  std::vector<std::byte> text(input.ptx.size() + 1);
  std::memcpy(text.data(), input.ptx.data(), input.ptx.size());
  const auto payload = compress(text, compression);
  const auto padded =
      (payload.size() + kPayloadAlignment - 1) / kPayloadAlignment * kPayloadAlignment;
  const bool compressed = compression != Compression::kNone;
  const std::uint64_t flags = kFlagsOfHost | (input.of_link ? kFlagOfLink : 0) |
                              (compression == Compression::kLz4    ? kFlagLz4
                               : compression == Compression::kZstd ? kFlagZstd
                                                                   : 0);
  put(out, static_cast<std::uint16_t>(Entry::Kind::kPtx));
  put(out, kEntryVersion);
  put(out, static_cast<std::uint32_t>(kEntryHeaderBytes));
  put(out, static_cast<std::uint64_t>(padded));
  put(out, static_cast<std::uint32_t>(compressed ? payload.size() : 0));
  put(out, std::uint32_t{0});
  put(out, std::uint32_t{0});
  put(out, input.target);
  put(out, std::uint64_t{0});
  put(out, flags);
  put(out, std::uint64_t{0});
  put(out, static_cast<std::uint64_t>(compressed ? text.size() : 0));
  out.insert(out.end(), payload.begin(), payload.end());
  out.insert(out.end(), padded - payload.size(), std::byte{0});
}

std::string targets_of(std::span<const Entry> entries) {
  std::string text;
  for (const auto& entry : entries) {
    text += text.empty() ? "" : ", ";
    text += entry.kind == Entry::Kind::kPtx ? "PTX for " : "machine code for ";
    text += "sm_" + std::to_string(entry.target);
  }
  return text.empty() ? "nothing" : text;
}

}  // namespace

base::Result<std::size_t> container_bytes(std::span<const std::byte> header) {
  if (header.size() < kContainerHeaderBytes) return malformed("the header is cut short");
  if (field<std::uint32_t>(header, 0) != kContainerMagic) return malformed("no magic number");
  if (field<std::uint16_t>(header, 4) != kContainerVersion) {
    return base::Error(base::ErrorCode::kUnsupported, "unknown version of a fat binary");
  }
  const auto header_bytes = field<std::uint16_t>(header, 6);
  const auto payload = field<std::uint64_t>(header, 8);
  if (header_bytes < kContainerHeaderBytes) return malformed("the size of the header");
  if (payload > kMaxContainerBytes) {
    return base::Error(base::ErrorCode::kLimit, "the fat binary is over 1 GiB");
  }
  return header_bytes + static_cast<std::size_t>(payload);
}

base::Result<std::vector<Entry>> read(std::span<const std::byte> container) {
  LW_ASSIGN(const std::size_t size, container_bytes(container));
  if (size > container.size()) return malformed("it is cut short");
  auto rest = container.first(size).subspan(field<std::uint16_t>(container, 6));
  std::vector<Entry> entries;
  for (std::size_t count = 0; !rest.empty(); ++count) {
    if (count == kMaxEntries) {
      return base::Error(base::ErrorCode::kLimit, "over 4096 entries in a fat binary");
    }
    std::size_t taken = 0;
    LW_ASSIGN(const std::optional<Entry> entry, read_entry(rest, taken));
    if (entry) entries.push_back(*entry);
    rest = rest.subspan(taken);
  }
  return entries;
}

base::Result<std::string> text_of(const Entry& entry) {
  if (entry.bytes > kMaxPtxBytes) {
    return base::Error(base::ErrorCode::kLimit, "PTX over 256 MiB in a fat binary");
  }
  LW_ASSIGN(std::string text,
            decompress(entry.payload, entry.compression, static_cast<std::size_t>(entry.bytes)));
  text.resize(std::min(text.find('\0'), text.size()));
  return text;
}

base::Result<std::string> best_ptx(std::span<const std::byte> container, std::uint32_t capability) {
  LW_ASSIGN(const std::vector<Entry> entries, read(container));
  const Entry* best = nullptr;
  for (const auto& entry : entries) {
    const bool fits = entry.kind == Entry::Kind::kPtx && entry.target <= capability;
    if (fits && (best == nullptr || entry.target > best->target)) best = &entry;
  }
  if (best != nullptr) return text_of(*best);
  return base::Error(base::ErrorCode::kNotFound, "the fat binary has no PTX for sm_" +
                                                     std::to_string(capability) +
                                                     " or below; it has " + targets_of(entries));
}

base::Result<std::vector<std::string>> texts_for(std::span<const std::byte> container,
                                                 std::uint32_t capability) {
  LW_ASSIGN(const std::vector<Entry> entries, read(container));
  std::vector<std::string> texts;
  std::size_t bytes = 0;
  for (const auto& entry : entries) {
    if (!entry.of_link || entry.kind != Entry::Kind::kPtx) continue;
    LW_ASSIGN(std::string text, text_of(entry));
    bytes += text.size();
    if (bytes > kMaxPtxBytes)
      return base::Error(base::ErrorCode::kLimit, "over 256 MiB of PTX in a link");
    texts.push_back(std::move(text));
  }
  if (!texts.empty()) return texts;
  LW_ASSIGN(std::string best, best_ptx(container, capability));
  texts.push_back(std::move(best));
  return texts;
}

base::Result<std::vector<std::byte>> write(std::span<const Input> inputs, Compression compression) {
  std::vector<std::byte> out;
  put(out, kContainerMagic);
  put(out, kContainerVersion);
  put(out, static_cast<std::uint16_t>(kContainerHeaderBytes));
  put(out, std::uint64_t{0});
  if (inputs.size() > kMaxEntries) {
    return base::Error(base::ErrorCode::kLimit, "over 4096 entries for a fat binary");
  }
  for (const auto& input : inputs) {
    if (input.ptx.size() >= kMaxPtxBytes || out.size() > kMaxContainerBytes - kMaxPtxBytes) {
      return base::Error(base::ErrorCode::kLimit, "too much PTX for a fat binary");
    }
    write_entry(input, compression, out);
  }
  const std::uint64_t payload = out.size() - kContainerHeaderBytes;
  std::memcpy(out.data() + 8, &payload, sizeof payload);
  return out;
}

}  // namespace longwire::softcuda::fatbin
