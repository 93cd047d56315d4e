#include "session/pump.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "link/inproc/inproc.h"
#include "link/unix/unix.h"
#include "session/testing.h"

namespace longwire::session {
namespace {

using base::Deadline;
using base::Error;
using base::ErrorCode;
using base::kMillisecond;
using base::kSecond;
using base::Status;
using testing::FunctionSink;
using testing::send_u64;
using testing::u64_of;

const base::Clock& clock_of_tests() { return base::monotonic_clock(); }
Deadline soon() { return Deadline::in(clock_of_tests(), 20 * kSecond); }

// A peer that echoes every frame, in a thread of its own.
class Echo {
 public:
  explicit Echo(std::unique_ptr<link::Link> link) : stream_(clock_of_tests(), {}, sink_) {
    sink_.set([this](const Frame& frame) { return send_u64(stream_, u64_of(frame)); });
    EXPECT_TRUE(stream_.attach(std::move(link), 0).ok());
    thread_ = std::thread([this] {
      while (stream_.pump(Deadline::never()).ok()) {
      }
    });
  }
  ~Echo() {
    end();
    thread_.join();
  }
  void end() { stream_.shut_down(Error(ErrorCode::kClosed, "test over")); }
  Stream& stream() { return stream_; }

 private:
  FunctionSink sink_;
  Stream stream_;
  std::thread thread_;
};

std::pair<std::unique_ptr<link::Link>, std::unique_ptr<link::Link>> unix_links() {
  auto sockets = link::unix_socket_pair().value();
  return {link::make_unix_link(std::move(sockets.first)).value(),
          link::make_unix_link(std::move(sockets.second)).value()};
}

class PumpTest : public ::testing::TestWithParam<bool> {
 protected:
  PumpTest()
      : links_(GetParam() ? unix_links() : link::make_inproc_pair()),
        counters_(links_.first->counters()),
        echo_(std::move(links_.second)),
        stream_(clock_of_tests(), {}, sink_),
        pump_(stream_, clock_of_tests()) {
    sink_.set([this](const Frame& frame) {
      replies_.fetch_add(1);
      const std::uint64_t value = u64_of(frame);
      answered_[value >> 32].store(value & 0xffffffffu);
      return Status();
    });
    EXPECT_TRUE(stream_.attach(std::move(links_.first), 0).ok());
  }

  // Asks and waits for the answer, `rounds` times, as thread `id`.
  void ask(std::uint64_t id, std::uint64_t rounds) {
    for (std::uint64_t i = 1; i <= rounds; ++i) {
      ASSERT_TRUE(send_u64(stream_, id << 32 | i).ok());
      const Status answered = pump_.wait_until([&] { return answered_[id] == i; }, soon());
      ASSERT_TRUE(answered.ok()) << answered.error().to_string();
    }
  }

  std::pair<std::unique_ptr<link::Link>, std::unique_ptr<link::Link>> links_;
  const std::shared_ptr<const link::LinkCounters> counters_;  // null: that link counts nothing
  Echo echo_;
  FunctionSink sink_;
  Stream stream_;
  Pump pump_;
  std::atomic<std::uint64_t> answered_[16] = {};
  std::atomic<std::uint64_t> replies_{0};
};

TEST_P(PumpTest, AWaitingThreadNeedsNoBackground) { ask(1, 200); }

TEST_P(PumpTest, ManyThreadsWaitAtOnce) {
  for (const bool background : {false, true}) {
    if (background) pump_.start_background();
    std::vector<std::thread> threads;
    for (std::uint64_t id = 1; id <= 8; ++id)
      threads.emplace_back([this, id] { ask(id, 300); });
    for (auto& thread : threads)
      thread.join();
  }
}

TEST_P(PumpTest, BackgroundDeliversWhenNobodyWaits) {
  pump_.start_background();
  for (std::uint64_t i = 1; i <= 50; ++i) {
    ASSERT_TRUE(send_u64(stream_, i).ok());
    pump_.flush_soon();
    while (replies_ < i)
      std::this_thread::yield();
  }
}

TEST_P(PumpTest, FlushSoonWakesNobodyWhereAllHasGone) {
  if (!counters_) GTEST_SKIP() << "a link without counters";
  pump_.start_background();
  for (std::uint64_t i = 1; i <= 50; ++i) {
    ASSERT_TRUE(send_u64(stream_, i).ok());
    ASSERT_TRUE(stream_.flush().ok());
    pump_.flush_soon();
    while (replies_ < i)  // the background thread reads them
      std::this_thread::yield();
  }
  EXPECT_EQ(counters_->wakes, 0u);
}

TEST_P(PumpTest, FlushSoonWorksBesideAWaitingThread) {
  pump_.start_background();
  std::atomic<bool> release{false};
  std::thread waiting(
      [&] { EXPECT_TRUE(pump_.wait_until([&] { return release.load(); }, soon()).ok()); });
  for (std::uint64_t i = 1; i <= 50; ++i) {
    ASSERT_TRUE(send_u64(stream_, i).ok());
    pump_.flush_soon();
    while (replies_ < i)
      std::this_thread::yield();
  }
  release = true;
  pump_.notify();
  waiting.join();
}

TEST_P(PumpTest, ForegroundAndIdleTimesTakeTurns) {
  pump_.start_background();
  for (int round = 0; round < 20; ++round) {
    ask(1, 1);
    answered_[1] = 0;
    std::this_thread::sleep_for(std::chrono::microseconds(200 * (round % 8)));
  }
}

TEST_P(PumpTest, Timeout) {
  const auto deadline = [] { return Deadline::in(clock_of_tests(), 2 * kMillisecond); };
  const auto never = [] { return false; };
  EXPECT_EQ(pump_.wait_until(never, deadline()).error().code(), ErrorCode::kTimeout);
  pump_.start_background();
  EXPECT_EQ(pump_.wait_until(never, deadline()).error().code(), ErrorCode::kTimeout);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      EXPECT_EQ(pump_.wait_until(never, deadline()).error().code(), ErrorCode::kTimeout);
    });
  }
  for (auto& thread : threads)
    thread.join();
  ask(1, 10);
}

TEST_P(PumpTest, NotifyReachesEveryWaiter) {
  pump_.start_background();
  std::atomic<bool> release{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back(
        [&] { EXPECT_TRUE(pump_.wait_until([&] { return release.load(); }, soon()).ok()); });
  }
  release = true;
  pump_.notify();
  for (auto& thread : threads)
    thread.join();
}

TEST_P(PumpTest, AllLearnOfALostLink) {
  pump_.start_background();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      const Status status = pump_.wait_until([] { return false; }, soon());
      EXPECT_EQ(status.error().code(), ErrorCode::kLinkLost);
    });
  }
  echo_.end();
  for (auto& thread : threads)
    thread.join();
  EXPECT_TRUE(stream_.ended());
  EXPECT_EQ(send_u64(stream_, 1).error().code(), ErrorCode::kLinkLost);
}

TEST_P(PumpTest, ThreadsWaitForRoomInTheRing) {
  pump_.start_background();
  std::vector<std::thread> threads;
  constexpr std::uint64_t kFrames = 100'000;  // times 32 bytes times 4 threads: more than the ring
  for (std::uint64_t id = 1; id <= 4; ++id) {
    threads.emplace_back([this, id] {
      for (std::uint64_t i = 1; i <= kFrames; ++i)
        ASSERT_TRUE(send_u64(stream_, id << 32 | i).ok());
      EXPECT_TRUE(pump_.wait_until([&] { return answered_[id] == kFrames; }, soon()).ok());
    });
  }
  for (auto& thread : threads)
    thread.join();
  EXPECT_EQ(replies_, 4 * kFrames);
}

INSTANTIATE_TEST_SUITE_P(Links, PumpTest, ::testing::Values(false, true),
                         [](const auto& info) { return info.param ? "Unix" : "Inproc"; });

}  // namespace
}  // namespace longwire::session
