// The words that `longwire bench` has for its figures.
#include "app/longwire/bench_figures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace longwire::app {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::int64_t kUs = 1000;
constexpr std::int64_t kMs = 1'000'000;

Figures figures(std::int64_t round_trip_ns) {
  Figures f;
  f.node = "gpu-box";
  f.device = "H200";
  f.tls = true;
  f.set_up.add(40 * kMs);
  f.set_up_round_trips = 4;
  f.round_trip.add(round_trip_ns);
  f.read_4.add(round_trip_ns + 10 * kUs);
  f.finish.add(round_trip_ns + 10 * kUs);
  f.launches = 200'000;
  f.launches_took_ns = 1000 * kMs;
  f.launches_cpu_ns = 100 * kMs;
  f.to_device = f.from_device = {100'000'000, 1000 * kMs, 200 * kMs};
  return f;
}

TEST(Samples, MedianAndP99) {
  Samples samples;
  EXPECT_EQ(samples.median(), 0);
  for (int i = 100; i >= 0; --i)
    samples.add(i);
  EXPECT_EQ(samples.median(), 50);
  EXPECT_EQ(samples.p99(), 99);
}

TEST(Verdict, AFarNodeIsItsLatency) {
  const Verdicts v = judge(figures(20 * kMs));
  EXPECT_THAT(v.read_4, StartsWith("the link: 100% is its round trip"));
  EXPECT_THAT(v.set_up, StartsWith("4 round trips; the link"));
  EXPECT_THAT(v.round_trip, StartsWith("the link's latency"));
  EXPECT_THAT(v.pair, HasSubstr("lose 20.0 ms each time"));
}

TEST(Verdict, ANearNodeWithASlowDeviceIsItsDevice) {
  Figures f = figures(40 * kUs);
  f.finish = {};
  f.finish.add(500 * kUs);
  const Verdicts v = judge(f);
  EXPECT_THAT(v.finish, StartsWith("the device and its driver: 460 us beyond"));
  EXPECT_THAT(v.pair, HasSubstr("wait for the device more than for the link"));
}

TEST(Verdict, ABusyProcessorIsTheLimit) {
  Figures f = figures(40 * kUs);
  EXPECT_THAT(judge(f).to_device, StartsWith("the link, or the node's processor"));
  EXPECT_THAT(judge(f).launches, StartsWith("the node"));
  f.to_device.cpu_ns = 950 * kMs;
  f.launches_cpu_ns = 950 * kMs;
  EXPECT_THAT(judge(f).to_device, StartsWith("this machine's processor, with TLS: 0.9 cores"));
  EXPECT_THAT(judge(f).launches, StartsWith("this machine's processor: 4.8 us"));
  f.tls = false;
  EXPECT_THAT(judge(f).to_device, StartsWith("this machine's processor: "));
}

TEST(Verdict, NothingMeasuredDividesByNothing) {
  const Verdicts v = judge({});
  EXPECT_FALSE(v.pair.empty());
  EXPECT_FALSE(bench_text({}).empty());
}

TEST(Bench, IsForProgramsToo) {
  const auto json = nlohmann::json::parse(bench_json(figures(kMs)));
  EXPECT_EQ(json["round_trip"]["median_ns"], kMs);
  EXPECT_EQ(json["small_kernels"]["per_s"], 200'000);
  EXPECT_EQ(json["to_device"]["bytes_per_s"], 100'000'000);
}

}  // namespace
}  // namespace longwire::app
