// How the fields of generated messages are written and read: what the code generator calls.
// docs/PROTOCOL.md, "Values". Every scalar takes 8 bytes, so everything is 8-aligned.
//
// put_*(out, value) works on Sizer and Writer; get_*(in, what) reads, and latches a failure that
// names `what`. Records are prefixed by their size, so that fields may be appended to them.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>
#include <vector>

#include "wire/reader.h"
#include "wire/writer.h"

namespace longwire::wire {

inline constexpr std::size_t kMaxListElements = std::size_t{1} << 16;

template <class Out>
void put_u32(Out& out, std::uint32_t v) {
  out.u64(v);
}
template <class Out>
void put_i32(Out& out, std::int32_t v) {
  out.i64(v);
}
template <class Out>
void put_f32(Out& out, float v) {
  out.u64(std::bit_cast<std::uint32_t>(v));
}
template <class Out>
void put_view(Out& out, U64View v) {
  out.u64(v.size());
  out.raw(v.bytes());
}
template <class Out>
void put_strings(Out& out, const std::vector<std::string_view>& strings) {
  out.u64(strings.size());
  for (const auto& one : strings)
    out.string(one);
}

inline std::uint32_t get_u32(Reader& in, const char* what) {
  const std::uint64_t v = in.u64(what);
  if (v > std::numeric_limits<std::uint32_t>::max()) in.fail(what);
  return in.ok() ? static_cast<std::uint32_t>(v) : 0;
}
inline std::int32_t get_i32(Reader& in, const char* what) {
  const std::int64_t v = in.i64(what);
  if (v != static_cast<std::int32_t>(v)) in.fail(what);
  return in.ok() ? static_cast<std::int32_t>(v) : 0;
}
inline float get_f32(Reader& in, const char* what) {
  return std::bit_cast<float>(get_u32(in, what));
}

// A list's count, checked before anything is allocated for it.
inline std::size_t get_count(Reader& in, std::size_t least_element_bytes, const char* what) {
  const std::size_t count = in.count(least_element_bytes, what);
  if (count > kMaxListElements) in.fail(what);
  return in.ok() ? count : 0;
}
inline std::vector<std::string_view> get_strings(Reader& in, const char* what) {
  std::vector<std::string_view> strings(get_count(in, 8, what));
  for (auto& one : strings)
    one = in.string(what);
  return strings;
}

// A record: u64 size in bytes, then its fields.
template <class Body>
void put_sized(Sizer& out, Body&& body) {
  out.skip(8);
  body(out);
}
template <class Body>
void put_sized(Writer& out, Body&& body) {
  const auto place = out.reserve(8);
  const std::size_t start = out.position();
  body(out);
  const std::uint64_t size = out.position() - start;
  std::memcpy(place.data(), &size, sizeof size);
}
template <class Body>
void get_sized(Reader& in, const char* what, Body&& body) {
  const std::size_t size = in.count(1, what);
  if (size % 8 != 0) in.fail(what);
  Reader record(in.raw(in.ok() ? size : 0, what));
  if (!in.ok()) return;
  body(record);
  if (!record.ok()) in.fail(record.failed_field());
}

}  // namespace longwire::wire
