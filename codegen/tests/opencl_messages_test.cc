// Every generated message, filled with random contents: round trips, cuts, garbage, seeds.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "opencl/message_visit.h"
#include "opencl/messages.h"
#include "opencl/opcodes.h"
#include "random_message.h"

namespace longwire::opencl {
namespace {

constexpr std::uint64_t kSeeds = 40;

template <class M>
base::Status decode_from(std::span<const std::byte> bytes, M& message) {
  wire::Reader reader(bytes);
  decode(reader, message);
  return reader.finish();
}

// Calls test(name, M) for random values of every message, push and reply.
template <class Test>
void with_random_messages(std::uint64_t seeds, Test&& test) {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    for_each_struct([&](std::string_view name, auto message) {
      SCOPED_TRACE(std::string(name) + ", seed " + std::to_string(seed));
      RandomMessage random(seed);
      random.fill(message);
      test(message);
    });
  }
}

TEST(OpenClMessages, RoundTrip) {
  with_random_messages(kSeeds, [](const auto& message) {
    const auto bytes = encoded(message);
    EXPECT_EQ(bytes.size() % 8, 0u);
    std::decay_t<decltype(message)> again;
    const auto status = decode_from(bytes, again);
    ASSERT_TRUE(status.ok()) << status.error().message();
    EXPECT_EQ(encoded(again), bytes);
  });
}

TEST(OpenClMessages, CutAnywhereIsAnErrorAndNeverReadsOutside) {
  with_random_messages(3, [](const auto& message) {
    const auto bytes = encoded(message);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const std::vector<std::byte> cut(bytes.begin(), bytes.begin() + static_cast<long>(size));
      std::decay_t<decltype(message)> again;
      EXPECT_FALSE(decode_from(cut, again).ok()) << size << " of " << bytes.size();
    }
  });
}

TEST(OpenClMessages, NewerPeersMayAppend) {
  with_random_messages(3, [](const auto& message) {
    auto bytes = encoded(message);
    const auto original = bytes;
    bytes.resize(bytes.size() + 16, std::byte{0x5a});
    std::decay_t<decltype(message)> again;
    ASSERT_TRUE(decode_from(bytes, again).ok());
    EXPECT_EQ(encoded(again), original);
  });
}

TEST(OpenClMessages, NewerPeersMayAppendToRecords) {
  record::event_done done{.event = 7, .status = -5, .times = {}};
  const auto fields = encoded(done);  // without the size in front
  std::vector<std::byte> bytes(8 + 2 * (8 + fields.size() + 8));
  wire::Writer out(bytes);
  out.u64(2);
  for (int i = 0; i < 2; ++i) {
    out.u64(fields.size() + 8);
    out.raw(fields);
    out.u64(99);  // a field that we do not know
  }
  push::EventsDone events;
  ASSERT_TRUE(decode_from(bytes, events).ok());
  ASSERT_EQ(events.events.size(), 2u);
  EXPECT_EQ(events.events[1].event, 7u);
  EXPECT_EQ(events.events[1].status, -5);
}

TEST(OpenClMessages, GarbageIsRefusedOrReadButNeverMore) {
  base::SeededRandom random(4711);
  with_random_messages(kSeeds, [&](const auto& message) {
    auto bytes = encoded(message);
    if (bytes.empty()) return;
    for (int i = 0; i < 4; ++i)
      bytes[random.below(bytes.size())] = std::byte(random.u64());
    std::decay_t<decltype(message)> again;
    if (decode_from(bytes, again).ok()) {
      EXPECT_LE(encoded(again).size(), bytes.size());
    }
  });
}

TEST(OpenClMessages, HugeCountsAllocateNothing) {
  std::vector<std::byte> bytes(24, std::byte{0xff});
  msg::DescribePlatforms::Reply reply;
  const auto status = decode_from(bytes, reply);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code(), base::ErrorCode::kWireFault);
  EXPECT_EQ(reply.platforms.capacity(), 0u);
}

TEST(OpenClMessages, ErrorsNameTheFieldOfTheRecord) {
  push::EventsDone events;
  events.events.push_back({.event = 1, .status = 0, .times = {}});
  auto bytes = encoded(events);
  bytes[16] = std::byte{1};
  bytes[24 + 4] = std::byte{1};  // a status larger than an i32
  const auto status = decode_from(bytes, events);
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().message().find("event_done.status"), std::string::npos)
      << status.error().message();
}

TEST(OpenClMessages, BlobsAreConsistent) {
  const auto refused = [](wire::Blob blob) {
    msg::EnqueueWriteBuffer message;
    message.data = blob;
    const auto bytes = encoded(message);
    msg::EnqueueWriteBuffer again;
    return !decode_from(bytes, again).ok();
  };
  const std::vector<std::byte> data(24);
  EXPECT_FALSE(refused(wire::Blob::inlined(data)));
  EXPECT_FALSE(refused({wire::BlobMode::kInline, 0, 100, {}}));  // asks for inline data
  EXPECT_TRUE(refused({wire::BlobMode::kInline, 5, 24, data}));
  EXPECT_TRUE(refused({wire::BlobMode::kInline, 0, 25, data}));
  EXPECT_TRUE(refused({wire::BlobMode::kEager, 5, 24, data}));
  EXPECT_TRUE(refused({wire::BlobMode::kRendezvous, 0, 24, {}}));
  EXPECT_TRUE(refused({static_cast<wire::BlobMode>(3), 5, 24, {}}));
}

TEST(OpenClMessages, OpcodesAndNames) {
  EXPECT_EQ(msg::DescribePlatforms::kOpcode, wire::kFirstCommand);
  EXPECT_EQ(kOpFinish, msg::Finish::kOpcode);
  EXPECT_EQ(message_name(kOpFinish), "Finish");
  EXPECT_EQ(message_name(7), "unknown command");
  EXPECT_EQ(push::EventsDone::kOpcode, wire::kOpEventsDone);
}

// The seeds are encoded by the generator itself: a second reading of the format.
TEST(OpenClMessages, SeedsOfTheFuzzerDecode) {
  const char* build = std::getenv("LONGWIRE_BUILD_DIR");
  if (build == nullptr) GTEST_SKIP() << "LONGWIRE_BUILD_DIR is not set (ctest sets it)";
  const auto folder = std::filesystem::path(build) / "gen" / "opencl" / "fuzz_seeds";
  std::size_t index = 0;
  for_each_struct([&](std::string_view name, auto message) {
    std::string file(name);
    for (char& c : file)
      c = c == '.' ? '_' : c;
    char number[8];
    std::snprintf(number, sizeof number, "%03zu_", index++);
    std::ifstream in(folder / (number + file + ".bin"), std::ios::binary);
    ASSERT_TRUE(in) << file;
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    const auto all = std::as_bytes(std::span(bytes));
    const auto status = decode_from(all.subspan(8), message);
    EXPECT_TRUE(status.ok()) << file << ": " << status.error().message();
    const auto again = encoded(message);
    EXPECT_TRUE(std::ranges::equal(again, all.subspan(8))) << file;
  });
  EXPECT_GT(index, 60u);
}

}  // namespace
}  // namespace longwire::opencl
