#include "client/core/redial.h"

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <optional>

#include "client/core/node_session.h"

namespace longwire::client::core {
namespace {

using base::Error;
using base::ErrorCode;

// A node that answers attempts as told, then for ever as the last one; its clock moves with each.
class RedialTest : public ::testing::Test, private base::Clock {
 protected:
  void start(std::deque<ErrorCode> answers, base::Nanoseconds grace_ns = 3600 * base::kSecond) {
    answers_ = std::move(answers);
    Redial::Session session;
    session.grace_ns = grace_ns;
    session.open = [this](base::Deadline) { return attempt(); };
    session.resumed = [this](Connector::Opened) { finish(std::nullopt); };
    session.lost = [this](Error why) { finish(std::move(why)); };
    const base::Clock& clock = *this;
    redial.emplace(clock, std::move(session));
  }
  // How it ended; nothing: resumed.
  std::optional<Error> wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ends_ > 0; });
    --ends_;
    return std::exchange(why_, std::nullopt);
  }
  int attempts() {
    const std::lock_guard lock(mutex_);
    return attempts_;
  }
  static constexpr ErrorCode kYes = ErrorCode::kInternal;  // the attempt succeeds
  static constexpr base::Nanoseconds kStep = 600 * base::kMillisecond;

 private:
  base::Nanoseconds now_ns() const noexcept override { return now_; }
  base::Result<Connector::Opened> attempt() {
    const std::lock_guard lock(mutex_);
    ++attempts_;
    now_ += kStep;
    const ErrorCode answer = answers_.front();
    if (answers_.size() > 1) answers_.pop_front();
    if (answer == kYes) return Connector::Opened{};
    return Error(answer, "attempt " + std::to_string(attempts_));
  }
  void finish(std::optional<Error> why) {
    const std::lock_guard lock(mutex_);
    why_ = std::move(why);
    ++ends_;
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<ErrorCode> answers_;
  std::optional<Error> why_;
  int ends_ = 0;
  int attempts_ = 0;
  std::atomic<base::Nanoseconds> now_{1};

 protected:
  std::optional<Redial> redial;  // goes first
};

TEST(FirstLanes, HaveAsLongAsTheWayToTheNodeAsksFor) {
  EXPECT_EQ(first_lanes_timeout(base::kMillisecond), base::kSecond);
  EXPECT_EQ(first_lanes_timeout(300 * base::kMillisecond), 3 * base::kSecond);
  EXPECT_EQ(first_lanes_timeout(10 * base::kSecond), kLaneConnectTimeout);
}

TEST_F(RedialTest, TriesUntilItIsTakenUp) {
  start({ErrorCode::kUnavailable, ErrorCode::kTimeout, ErrorCode::kWireFault, kYes});
  redial->begin(false);
  EXPECT_FALSE(wait().has_value());
  EXPECT_EQ(attempts(), 4);
}

TEST_F(RedialTest, EveryLossIsRepaired) {
  start({kYes});
  for (int loss = 1; loss <= 5; ++loss) {
    redial->begin(loss % 2 == 0);
    EXPECT_FALSE(wait().has_value());
    EXPECT_EQ(attempts(), loss);
  }
}

TEST_F(RedialTest, ASessionThatIsOverIsLostAtOnce) {
  start({ErrorCode::kNotFound});
  redial->begin(false);
  EXPECT_EQ(wait()->code(), ErrorCode::kNotFound);
  EXPECT_EQ(attempts(), 1);
}

TEST_F(RedialTest, TheGracePeriodEnds) {
  start({ErrorCode::kUnavailable}, 3 * kStep);
  redial->begin(true);
  EXPECT_EQ(wait()->code(), ErrorCode::kUnavailable);
  EXPECT_EQ(attempts(), 3);
}

TEST_F(RedialTest, NobodyThereAfterACloseIsTheEnd) {
  start({ErrorCode::kClosed});
  redial->begin(true);
  EXPECT_EQ(wait()->code(), ErrorCode::kClosed);
  EXPECT_EQ(attempts(), 1 + kNobodyThereNs / kStep);
}

TEST_F(RedialTest, NobodyThereIsLessSurelyTheEndWhereTheWorkerHasSaidSo) {
  start({ErrorCode::kClosed}, 20 * kStep);
  redial->expect_nobody_for(10 * kStep / base::kMillisecond);
  redial->begin(true);
  EXPECT_EQ(wait()->code(), ErrorCode::kClosed);
  EXPECT_EQ(attempts(), 11);
}

TEST_F(RedialTest, WhatAWorkerSaysStaysWithinTheGracePeriod) {
  start({ErrorCode::kClosed}, 5 * kStep);
  redial->expect_nobody_for(~std::uint64_t{0});
  redial->begin(true);
  EXPECT_EQ(wait()->code(), ErrorCode::kClosed);
  EXPECT_EQ(attempts(), 5);
}

TEST_F(RedialTest, NobodyThereIsTheEndAgainOnceTheAgentIsBack) {
  start({ErrorCode::kClosed}, 20 * kStep);
  redial->expect_nobody_for(10 * kStep / base::kMillisecond);
  redial->expect_nobody_for(0);
  redial->begin(true);
  EXPECT_EQ(wait()->code(), ErrorCode::kClosed);
  EXPECT_EQ(attempts(), 1 + kNobodyThereNs / kStep);
}

TEST_F(RedialTest, NobodyThereAfterSilenceMayBeARestart) {
  start({ErrorCode::kClosed}, 20 * kStep);
  redial->begin(false);
  EXPECT_TRUE(wait().has_value());
  EXPECT_EQ(attempts(), 20);
}

TEST_F(RedialTest, StoppingEndsTheAttempts) {
  start({ErrorCode::kUnavailable});
  redial->begin(false);
  redial.reset();
  redial.emplace(base::monotonic_clock(), Redial::Session{});
  redial->stop();
  redial->begin(true);  // nothing happens
}

}  // namespace
}  // namespace longwire::client::core
