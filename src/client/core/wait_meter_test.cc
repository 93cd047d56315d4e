#include "client/core/wait_meter.h"

#include <gtest/gtest.h>

#include <thread>

namespace longwire::client::core {
namespace {

class WaitMeterTest : public ::testing::Test {
 protected:
  void wait(WaitMeter& on, wire::Sequence sent, WaitMeter::For what = WaitMeter::For::kAnswer) {
    const WaitMeter::Scope waiting(on, what, sent);
    clock.now += 5;
  }
  static SessionCounters read(const WaitMeter& one) {
    SessionCounters counters;
    one.read_into(counters);
    return counters;
  }
  struct TestClock final : base::Clock {
    base::Nanoseconds now_ns() const noexcept override { return now; }
    base::Nanoseconds now = 0;
  };
  TestClock clock;
  WaitMeter meter{clock};
};

TEST_F(WaitMeterTest, AWaitForAnAnswerToSomethingNewIsARoundTrip) {
  const ThreadCounters before = thread_counters();
  wait(meter, 3);
  wait(meter, 4);
  EXPECT_EQ(read(meter).round_trips, 2u);
  EXPECT_EQ(read(meter).blocked_ns, 10);
  EXPECT_EQ(thread_counters().round_trips - before.round_trips, 2u);
  EXPECT_EQ(thread_counters().blocked_ns - before.blocked_ns, 10);
}

TEST_F(WaitMeterTest, FurtherAnswersToTheSameAreNot) {
  wait(meter, 3);
  wait(meter, 3);
  EXPECT_EQ(read(meter).round_trips, 1u);
  EXPECT_EQ(read(meter).waits, 2u);
}

TEST_F(WaitMeterTest, AWaitForTheLinkIsNot) {
  wait(meter, 3, WaitMeter::For::kLink);
  EXPECT_EQ(read(meter).round_trips, 0u);
  EXPECT_EQ(read(meter).waits, 1u);
  wait(meter, 3);
  EXPECT_EQ(read(meter).round_trips, 1u);
}

TEST_F(WaitMeterTest, EveryThreadWaitsForItself) {
  wait(meter, 3);
  std::thread([&] { wait(meter, 3); }).join();
  EXPECT_EQ(read(meter).round_trips, 2u);
}

TEST_F(WaitMeterTest, SessionsAreApart) {
  WaitMeter other(clock);
  wait(meter, 3);
  wait(other, 3);
  wait(meter, 3);
  EXPECT_EQ(read(meter).round_trips, 1u);
  EXPECT_EQ(read(other).round_trips, 1u);
}

}  // namespace
}  // namespace longwire::client::core
