// The simulator itself: it must be deterministic, or nothing that it finds can be repeated.
#include "link/sim/sim_network.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace longwire::link {
namespace {

using base::Deadline;
using base::ErrorCode;
using base::kMillisecond;
using base::kSecond;

constexpr Interest kToRead{.readable = true, .writable = false};

// Two actors that talk for a while over a bad link; what happened, as text.
std::string talk(std::uint64_t seed) {
  SimNetwork net(seed);
  std::string log;
  auto [a, b] = net.connect({.jitter_ns = 500'000,
                             .bytes_per_second = 1'000'000,
                             .max_step_bytes = 10,
                             .stall_one_in = 5,
                             .stall_ns = 3 * kMillisecond});
  const auto actor = [&](Link& link, char name) {
    std::size_t sent = 0;
    std::size_t received = 0;
    std::vector<std::byte> data(200, std::byte(name));
    while (received < data.size()) {
      const ConstBuffer rest = std::span(data).subspan(sent);
      sent += link.write_some({&rest, 1}).value();
      const auto ready = link.wait({true, sent < data.size()}, Deadline::in(net, kMillisecond));
      ASSERT_TRUE(ready.ok());
      std::byte in[64];
      const std::size_t n = link.read_some(in).value();
      received += n;
      log += std::string(1, name) + std::to_string(net.now_ns()) + ":" + std::to_string(n) + " ";
    }
  };
  net.spawn([&, &link = *a] { actor(link, 'a'); });
  net.spawn([&, &link = *b] { actor(link, 'b'); });
  EXPECT_TRUE(net.run().ok());
  return log;
}

TEST(SimNetwork, TheSameSeedIsTheSameRun) {
  const std::string once = talk(7);
  EXPECT_EQ(once, talk(7));
  EXPECT_NE(once, talk(8));
}

TEST(SimNetwork, TimePassesOnlyWhenAllWait) {
  SimNetwork net(1);
  auto [a, b] = net.connect({.latency_ns = 5 * kSecond});
  net.spawn([&, &link = *a] {
    const std::byte data[1] = {};
    const ConstBuffer part = data;
    EXPECT_EQ(link.write_some({&part, 1}).value(), 1u);
  });
  net.spawn([&, &link = *b] {
    EXPECT_TRUE(link.wait(kToRead, Deadline::in(net, kSecond)).value().timed_out());
    EXPECT_EQ(net.now_ns(), kSecond);
    EXPECT_TRUE(link.wait(kToRead, Deadline::never()).value().readable);
    EXPECT_EQ(net.now_ns(), 5 * kSecond);
  });
  EXPECT_TRUE(net.run().ok());
}

TEST(SimNetwork, EverybodyWaitingForeverIsReported) {
  SimNetwork net(1);
  auto [a, b] = net.connect({});
  net.spawn([&link = *a] { EXPECT_FALSE(link.wait(kToRead, Deadline::never()).ok()); });
  net.spawn([&link = *b] { EXPECT_FALSE(link.wait(kToRead, Deadline::never()).ok()); });
  EXPECT_EQ(net.run().error().code(), ErrorCode::kInternal);
}

TEST(SimNetwork, CutsReachBothEnds) {
  SimNetwork net(1);
  auto [a, b] = net.connect({.cut_after_max_ns = kSecond});
  for (Link* link : {a.get(), b.get()}) {
    net.spawn([link] {
      EXPECT_TRUE(link->wait(kToRead, Deadline::never()).value().readable);
      std::byte in[1];
      EXPECT_EQ(link->read_some(in).error().code(), ErrorCode::kLinkLost);
    });
  }
  EXPECT_TRUE(net.run().ok());
}

}  // namespace
}  // namespace longwire::link
