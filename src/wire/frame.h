// The frame: what every byte on a session's command stream belongs to. docs/PROTOCOL.md, "Frames".
//
//   offset  bytes  field
//        0      4  payload_bytes   multiple of 8, at most kMaxPayloadBytes
//        4      2  opcode          src/wire/opcodes.h (control) or the API's lock file (commands)
//        6      2  flags           kFrameUnnumbered; the other bits are zero
//        8      8  sequence        1, 2, 3, … per direction of a session; 0 in unnumbered frames
//       16      8  acknowledged    the highest sequence received in order from the other side
//
// Little-endian. Unnumbered frames (acknowledgements, keep-alives) are never replayed.
#pragma once

#include <cstddef>
#include <cstdint>

namespace longwire::wire {

using Opcode = std::uint16_t;
using Sequence = std::uint64_t;

inline constexpr std::size_t kFrameHeaderBytes = 24;
inline constexpr std::size_t kMaxPayloadBytes = std::size_t{1} << 20;  // bulk data goes beside
inline constexpr std::uint16_t kFrameUnnumbered = 1;

struct FrameHeader {
  std::uint32_t payload_bytes = 0;
  Opcode opcode = 0;
  std::uint16_t flags = 0;
  Sequence sequence = 0;
  Sequence acknowledged = 0;
};

// A 64-bit id that the client makes up for an object; 0 is "no object". The upper 8 bits are the
// object kind (as the API's description numbers them), the rest counts up and is never used again.
using Handle = std::uint64_t;

// A client-made number that a reply carries back; 0 means that no reply is wanted.
using Token = std::uint64_t;

}  // namespace longwire::wire
