#include "node/gate.h"

#include <gtest/gtest.h>

namespace longwire::node {
namespace {

class HandClock final : public base::Clock {
 public:
  base::Nanoseconds now_ns() const noexcept override { return now; }
  base::Nanoseconds now = 0;
};

class GateTest : public testing::Test {
 protected:
  GateTest() {
    limits.handshakes = 4;
    limits.handshakes_per_address = 2;
    limits.connections_per_minute = 6;
  }
  HandClock clock;
  LimitsConfig limits;
  Gate gate{clock, limits};
  using Verdict = Gate::Verdict;
};

TEST_F(GateTest, CountsWhatIsInFlight) {
  EXPECT_EQ(gate.enter("a"), Verdict::kAdmitted);
  EXPECT_EQ(gate.enter("a"), Verdict::kAdmitted);
  EXPECT_EQ(gate.enter("a"), Verdict::kAddressFull);
  EXPECT_EQ(gate.enter("b"), Verdict::kAdmitted);
  EXPECT_EQ(gate.enter("c"), Verdict::kAdmitted);
  EXPECT_EQ(gate.enter("d"), Verdict::kFull);
  gate.leave("a", false);
  EXPECT_EQ(gate.enter("d"), Verdict::kAdmitted);
  EXPECT_EQ(gate.in_flight(), 4u);
}

TEST_F(GateTest, KnowsWhoHasTheMostInFlight) {
  EXPECT_EQ(gate.most_crowded(), "");
  gate.enter("a");
  gate.enter("b");
  gate.enter("b");
  EXPECT_EQ(gate.most_crowded(), "b");
  EXPECT_EQ(gate.in_flight("b"), 2u);
  EXPECT_EQ(gate.in_flight("c"), 0u);
}

TEST_F(GateTest, FruitlessConnectionsAreSlowedDownAndForgiven) {
  for (int i = 0; i < 6; ++i) {
    ASSERT_EQ(gate.enter("a"), Verdict::kAdmitted);
    gate.leave("a", false);
  }
  EXPECT_EQ(gate.enter("a"), Verdict::kTooFast);
  EXPECT_EQ(gate.enter("b"), Verdict::kAdmitted);  // not the others' fault
  clock.now += 10 * base::kSecond + 1;
  EXPECT_EQ(gate.enter("a"), Verdict::kAdmitted);
}

TEST_F(GateTest, FruitfulConnectionsCostNothing) {
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(gate.enter("a"), Verdict::kAdmitted);
    gate.leave("a", true);
  }
}

TEST_F(GateTest, RemembersABoundedNumberOfAddresses) {
  for (std::size_t i = 0; i < kMaxGateAddresses; ++i) {
    const std::string address = std::to_string(i);
    ASSERT_EQ(gate.enter(address), Verdict::kAdmitted);
    gate.leave(address, false);
  }
  EXPECT_EQ(gate.enter("one more"), Verdict::kFull);
  clock.now += 60 * base::kSecond;  // the others are forgotten
  EXPECT_EQ(gate.enter("one more"), Verdict::kAdmitted);
}

}  // namespace
}  // namespace longwire::node
