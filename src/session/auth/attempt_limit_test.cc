#include "session/auth/attempt_limit.h"

#include <gtest/gtest.h>

namespace longwire::session {
namespace {

class HandClock final : public base::Clock {
 public:
  base::Nanoseconds now_ns() const noexcept override { return now; }
  base::Nanoseconds now = 1;
};

TEST(AttemptLimit, AnAddressHasAFewTriesPerWindow) {
  HandClock clock;
  AttemptLimit limit(clock);
  for (int i = 0; i < kAttemptsPerAddress; ++i)
    EXPECT_TRUE(limit.take("a"));
  EXPECT_FALSE(limit.take("a"));
  EXPECT_TRUE(limit.take("b"));  // another has its own
  clock.now += kAttemptWindowNs - 1;
  EXPECT_FALSE(limit.take("a"));
  clock.now += 1;
  EXPECT_TRUE(limit.take("a"));
}

TEST(AttemptLimit, WhoSucceedsIsForgotten) {
  HandClock clock;
  AttemptLimit limit(clock);
  for (int i = 0; i < kAttemptsPerAddress; ++i)
    EXPECT_TRUE(limit.take("a"));
  limit.forget("a");
  EXPECT_TRUE(limit.take("a"));
}

TEST(AttemptLimit, ItRemembersABoundedNumberAndForgetsNobodyForAnother) {
  HandClock clock;
  AttemptLimit limit(clock);
  for (std::size_t i = 0; i < kMaxAttemptAddresses; ++i)
    EXPECT_TRUE(limit.take(std::to_string(i)));
  EXPECT_FALSE(limit.take("one more"));
  clock.now += kAttemptWindowNs;
  EXPECT_TRUE(limit.take("one more"));
}

}  // namespace
}  // namespace longwire::session
