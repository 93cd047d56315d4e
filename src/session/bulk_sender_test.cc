#include "session/bulk_sender.h"

#include <gtest/gtest.h>

#include <array>
#include <thread>
#include <vector>

namespace longwire::session {
namespace {

// Lanes that take chunks and say which of them took how many.
struct Lanes {
  static constexpr std::size_t kCount = 3;

  Lanes() {
    for (BulkSender::Lane& lane : all)
      sender.add_lane(lane);
    for (std::size_t i = 0; i < kCount; ++i)
      threads.emplace_back([this, i] {
        while (const auto chunk = sender.take(all[i])) {
          ++taken[i];
          sender.taken(all[i], *chunk, {});
        }
        sender.leave(all[i]);
      });
  }
  ~Lanes() { stop(); }
  void stop() {
    sender.shut_down(base::Error(base::ErrorCode::kClosed, "over"));
    for (std::thread& thread : threads)
      thread.join();
    threads.clear();
  }
  void await_waiting(std::size_t count) const {
    while (!sender.idle() || sender.waiting_lanes() != count)
      std::this_thread::yield();
  }

  BulkSender sender{LaneLoss::kEndsSession};
  std::array<BulkSender::Lane, kCount> all;
  std::array<int, kCount> taken{};
  std::vector<std::thread> threads;
};

// A lane that rests loses its congestion window: transfers one after another belong on one lane.
TEST(BulkSender, OfTheLanesThatWaitTheLowestIsUsed) {
  const std::vector<std::byte> data(100);
  Lanes lanes;
  for (TransferId transfer = 1; transfer <= 50; ++transfer) {
    lanes.await_waiting(Lanes::kCount);
    lanes.sender.send(
        transfer, 0, data, [](const base::Status&) {}, nullptr);
  }
  lanes.await_waiting(Lanes::kCount);
  while (!lanes.sender.idle())
    std::this_thread::yield();
  lanes.stop();
  EXPECT_EQ(lanes.taken, (std::array{50, 0, 0}));
}

TEST(BulkSender, AnotherLaneServesWhenTheLowestHasEnded) {
  const std::vector<std::byte> data(100);
  Lanes lanes;
  lanes.await_waiting(Lanes::kCount);
  lanes.sender.end_lane(lanes.all[0]);
  lanes.await_waiting(Lanes::kCount - 1);
  lanes.sender.send(
      1, 0, data, [](const base::Status&) {}, nullptr);
  while (!lanes.sender.idle())
    std::this_thread::yield();
  lanes.stop();
  EXPECT_EQ(lanes.taken, (std::array{0, 1, 0}));
}

TEST(BulkSender, AChunkThatArrivedThoughItsWriteFailedCounts) {
  const std::vector<std::byte> data(100);
  BulkSender sender{LaneLoss::kIsRepaired};
  BulkSender::Lane lane;
  sender.add_lane(lane);
  int received = 0;
  int taken = 0;
  sender.send(
      1, 0, data, [&](const base::Status& status) { received += status.ok() ? 1 : 0; },
      [&](const base::Status& status) { taken += status.ok() ? 1 : 0; });
  const auto chunk = sender.take(lane);
  ASSERT_TRUE(chunk.has_value());
  sender.taken(lane, *chunk, base::Error(base::ErrorCode::kLinkLost, "reset behind the last byte"));
  sender.end_lane(lane);
  sender.leave(lane);
  EXPECT_TRUE(sender.confirm(lane, 1, true).ok());
  EXPECT_EQ(received, 1);
  EXPECT_EQ(taken, 1);
}

}  // namespace
}  // namespace longwire::session
