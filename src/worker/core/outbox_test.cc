#include "worker/core/outbox.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

#include "link/inproc/inproc.h"

namespace longwire::worker::core {
namespace {

struct HandClock final : base::Clock {
  base::Nanoseconds now_ns() const noexcept override { return now; }
  base::Nanoseconds now = base::kSecond;
};

struct NoFrames final : session::FrameSink {
  base::Status on_frame(const session::Frame&) override { return {}; }
};

class OutboxTest : public ::testing::Test {
 protected:
  OutboxTest() {
    auto [ours, theirs] = link::make_inproc_pair();
    peer_ = std::move(theirs);
    EXPECT_TRUE(stream_.attach(std::move(ours), 0).ok());
  }
  // A completion that is followed by others. On this thread, which is not the dispatch thread.
  void complete(base::Nanoseconds after_ns) {
    clock_.now += after_ns;
    outbox_.turn().credit(1);
    outbox_.flush_in_burst();
  }
  bool all_sent() const { return !stream_.needs_flush(); }

  HandClock clock_;
  NoFrames sink_;
  base::StderrLogger logger_{base::LogLevel::kError};
  session::Stream stream_{clock_, {}, sink_};
  std::unique_ptr<link::Link> peer_;
  Outbox outbox_{stream_, logger_, clock_};
};

TEST_F(OutboxTest, ALoneCompletionGoesAtOnce) {
  complete(0);
  EXPECT_TRUE(all_sent());
  complete(kBurstGapNs);
  EXPECT_TRUE(all_sent());
  EXPECT_EQ(outbox_.flushes(), 2u);
}

TEST_F(OutboxTest, ABurstSharesItsFlushes) {
  constexpr int kCompletions = 1000;
  constexpr base::Nanoseconds kApartNs = 1000;
  for (int i = 0; i < kCompletions; ++i)
    complete(kApartNs);
  EXPECT_LE(outbox_.flushes(), 2u + kCompletions * kApartNs / kBatchNs);
}

TEST_F(OutboxTest, WhatABurstLeavesWakesTheDispatchThread) {
  EXPECT_TRUE(outbox_.before_wait().is_never());
  complete(0);
  EXPECT_TRUE(outbox_.before_wait().is_never()) << "it has been sent";
  complete(1000);
  EXPECT_FALSE(all_sent());
  // The dispatch thread, in its wait without end: it is woken, and pumping flushes.
  EXPECT_TRUE(stream_.pump(base::Deadline::never()).ok());
  EXPECT_TRUE(all_sent());
  // It looks again for as long as the burst lasts.
  EXPECT_EQ(outbox_.before_wait().at_ns, clock_.now + kBatchNs);
  complete(1000);
  EXPECT_FALSE(all_sent());
  EXPECT_EQ(outbox_.before_wait().at_ns, clock_.now + kBatchNs);
  EXPECT_TRUE(outbox_.before_wait().is_never());
}

TEST_F(OutboxTest, BetweenCommandsWhatIsOverdueGoes) {
  complete(0);
  complete(1000);
  outbox_.flush_overdue();
  EXPECT_FALSE(all_sent());
  clock_.now += kBatchNs;
  outbox_.flush_overdue();
  EXPECT_TRUE(all_sent());
}

TEST_F(OutboxTest, TheDispatchThreadFlushesByItself) {
  outbox_.set_dispatch_thread();
  complete(kBurstGapNs);
  EXPECT_EQ(outbox_.flushes(), 0u);
}

// Many threads defer, one looks: nothing stays behind, though nobody comes after it.
TEST(OutboxBurstTest, NothingStaysBehind) {
  NoFrames sink;
  const base::Clock& clock = base::monotonic_clock();
  base::StderrLogger logger{base::LogLevel::kError};
  session::Stream stream(clock, {}, sink);
  auto [ours, theirs] = link::make_inproc_pair();
  ASSERT_TRUE(stream.attach(std::move(ours), 0).ok());
  Outbox outbox(stream, logger, clock);
  for (int round = 0; round < 300; ++round) {
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 5; ++i) {
          outbox.turn().credit(1);
          outbox.flush_in_burst();
        }
      });
    }
    for (auto& thread : threads)
      thread.join();
    // Woken, or due in kBatchNs; a wait without end would hang here.
    while (stream.needs_flush())
      ASSERT_TRUE(stream.pump(outbox.before_wait()).ok());
    outbox.before_wait();
  }
}

}  // namespace
}  // namespace longwire::worker::core
