#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "base/random.h"
#include "wire/frame.h"
#include "wire/opcodes.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace longwire::wire {
namespace {

template <class Out>
void encode_sample(Out& out) {
  out.u32(7);
  out.u16(8);
  out.u8(9);
  out.align();
  out.u64(1ull << 60);
  out.i64(-5);
  out.i32(-6);
  out.align();
  out.f64(2.5);
  out.string("hello, wire");
  out.bytes({});
  const std::array<std::uint64_t, 3> values = {1, 2, 3};
  out.array(values);
  out.handle(0x0100000000000001);
}

std::vector<std::byte> sample() {
  Sizer sizer;
  encode_sample(sizer);
  std::vector<std::byte> bytes(sizer.size());
  Writer writer(bytes);
  encode_sample(writer);
  EXPECT_EQ(writer.remaining(), 0u);
  return bytes;
}

void read_sample(Reader& r) {
  r.u32();
  r.u16();
  r.u8();
  r.align();
  r.u64();
  r.i64();
  r.i32();
  r.align();
  r.f64();
  r.string();
  r.bytes();
  r.array();
  r.handle();
}

TEST(Wire, RoundTrip) {
  const auto bytes = sample();
  Reader r(bytes);
  EXPECT_EQ(r.u32(), 7u);
  EXPECT_EQ(r.u16(), 8u);
  EXPECT_EQ(r.u8(), 9u);
  r.align();
  EXPECT_EQ(r.u64(), 1ull << 60);
  EXPECT_EQ(r.i64(), -5);
  EXPECT_EQ(r.i32(), -6);
  r.align();
  EXPECT_EQ(r.f64(), 2.5);
  EXPECT_EQ(r.string(), "hello, wire");
  EXPECT_TRUE(r.bytes().empty());
  const U64View values = r.array();
  ASSERT_EQ(values.size(), 3u);
  EXPECT_EQ(values[2], 3u);
  EXPECT_EQ(r.handle(), 0x0100000000000001u);
  EXPECT_TRUE(r.finish().ok());
  EXPECT_EQ(r.remaining(), 0u);
}

TEST(Wire, EveryTruncationIsAFault) {
  const auto bytes = sample();
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    Reader r(std::span<const std::byte>(bytes).first(n));
    read_sample(r);
    EXPECT_FALSE(r.ok()) << n;
    EXPECT_EQ(r.finish().error().code(), base::ErrorCode::kWireFault);
  }
}

TEST(Wire, TrailingBytesAreAllowed) {
  auto bytes = sample();
  bytes.resize(bytes.size() + 16);
  Reader r(bytes);
  read_sample(r);
  EXPECT_TRUE(r.finish().ok());
}

TEST(Wire, BytesAreZeroPaddedTo8) {
  std::array<std::byte, 16> out;
  out.fill(std::byte{0xff});
  Writer w(out);
  w.string("abc");
  EXPECT_EQ(w.position(), 16u);
  for (std::size_t i = 11; i < 16; ++i)
    EXPECT_EQ(out[i], std::byte{0});
}

TEST(Reader, HugeLengthsFailWithoutOverflow) {
  for (const std::uint64_t length : {~0ull, ~0ull - 7, 1ull << 61, 1ull << 63, 17ull}) {
    std::array<std::byte, 24> in{};
    Writer(in).u64(length);
    Reader b(in), a(in), c(in);
    EXPECT_TRUE(b.bytes("blob").empty());
    EXPECT_FALSE(b.ok());
    EXPECT_EQ(a.array().size(), 0u);
    EXPECT_FALSE(a.ok());
    EXPECT_EQ(c.count(1), 0u);
    EXPECT_FALSE(c.ok());
  }
}

TEST(Reader, FirstFailureIsLatched) {
  std::array<std::byte, 8> in{};
  Reader r(in);
  r.raw(9, "first");
  EXPECT_EQ(r.u64("second"), 0u);
  EXPECT_EQ(r.remaining(), 0u);
  EXPECT_EQ(r.finish().error().message(), "bad field 'first' at byte 0 of 8");
}

TEST(Reader, FieldsOfNewerPeersDefault) {
  std::array<std::byte, 8> in{};
  Writer(in).u64(3);
  Reader r(in);
  EXPECT_EQ(r.u64_or(9), 3u);
  EXPECT_EQ(r.u64_or(9), 9u);
  EXPECT_EQ(r.string_or("none"), "none");
  EXPECT_TRUE(r.finish().ok());
  Reader torn(std::span<const std::byte>(in).first(4));
  EXPECT_EQ(torn.u64_or(9), 0u);
  EXPECT_FALSE(torn.ok());
}

TEST(Reader, GarbageNeverReadsOutside) {
  base::SeededRandom random(42);
  for (int i = 0; i < 2000; ++i) {
    std::vector<std::byte> bytes(random.below(96));
    random.fill(bytes);
    for (auto& b : bytes) {
      if (random.one_in(2)) b = std::byte{0};
    }
    Reader r(bytes);
    while (r.ok() && r.remaining() > 0) {
      switch (random.below(4)) {
        case 0:
          r.u32();
          break;
        case 1:
          r.bytes();
          break;
        case 2:
          r.array();
          break;
        default:
          r.align();
          r.u8();
          break;
      }
    }
    EXPECT_LE(r.position(), bytes.size());
  }
}

TEST(WriterDeathTest, RunningOverIsOurBug) {
  std::array<std::byte, 4> out{};
  Writer w(out);
  EXPECT_DEATH(w.u64(1), "remaining");
}

}  // namespace
}  // namespace longwire::wire
