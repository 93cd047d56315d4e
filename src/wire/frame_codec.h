// Encoding and decoding of the frame header (wire/frame.h).
#pragma once

#include <cstddef>
#include <span>

#include "wire/frame.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace longwire::wire {

inline void encode_frame_header(const FrameHeader& header,
                                std::span<std::byte, kFrameHeaderBytes> out) {
  Writer w(out);
  w.u32(header.payload_bytes);
  w.u16(header.opcode);
  w.u16(header.flags);
  w.u64(header.sequence);
  w.u64(header.acknowledged);
}

// The fields as they are; whether they make sense is for the receiver to check.
inline FrameHeader decode_frame_header(std::span<const std::byte, kFrameHeaderBytes> in) {
  Reader r(in);
  FrameHeader header;
  header.payload_bytes = r.u32("payload_bytes");
  header.opcode = r.u16("opcode");
  header.flags = r.u16("flags");
  header.sequence = r.u64("sequence");
  header.acknowledged = r.u64("acknowledged");
  return header;
}

}  // namespace longwire::wire
