// Fat binaries: the container in which compilers put device code. The layout is described where it
// is read (fatbin.cc); only PTX in it is of use here, machine code is passed over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace longwire::softcuda::fatbin {

inline constexpr std::uint32_t kContainerMagic = 0xba55ed50;
inline constexpr std::uint32_t kWrapperMagic = 0x466243b1;  // of __fatBinC_Wrapper_t
inline constexpr std::size_t kContainerHeaderBytes = 16;
inline constexpr std::size_t kMaxContainerBytes = std::size_t{1} << 30;
inline constexpr std::size_t kMaxPtxBytes = std::size_t{256} << 20;  // uncompressed, of an entry
inline constexpr std::size_t kMaxEntries = 4096;

enum class Compression : std::uint8_t { kNone, kLz4, kZstd };

struct Entry {
  enum class Kind : std::uint16_t { kPtx = 1, kElf = 2 };
  Kind kind = Kind::kPtx;
  Compression compression = Compression::kNone;
  bool of_link = false;      // part of a link: all such entries of a container go together
  std::uint32_t target = 0;  // 80 is sm_80
  std::uint64_t bytes = 0;   // uncompressed
  std::span<const std::byte> payload;
};

// The size of a container, header and all, from its first kContainerHeaderBytes: for who has only a
// pointer to one. kInvalidArgument: it is none.
base::Result<std::size_t> container_bytes(std::span<const std::byte> header);

// What is in it; the payloads are views of `container`. Entries of other kinds are left out.
base::Result<std::vector<Entry>> read(std::span<const std::byte> container);

// The PTX of an entry, uncompressed, without the zeros that end it.
base::Result<std::string> text_of(const Entry& entry);

// The PTX for a device of compute capability `capability` (80 is 8.0): that of the highest target
// which the device has. kNotFound: there is none (the message says what there is).
base::Result<std::string> best_ptx(std::span<const std::byte> container, std::uint32_t capability);

// The same as what is to be linked: one text, or all of them where the container was made by
// cuLinkComplete (our own flag of its entries).
base::Result<std::vector<std::string>> texts_for(std::span<const std::byte> container,
                                                 std::uint32_t capability);

struct Input {
  std::string_view ptx;
  std::uint32_t target = 0;
  bool of_link = false;
};
// A container with these.
base::Result<std::vector<std::byte>> write(std::span<const Input> inputs, Compression compression);

}  // namespace longwire::softcuda::fatbin
