#include "session/bulk_receiver.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

namespace longwire::session {
namespace {

// Stays in received() until it is let go.
class SlowSink final : public BulkSink {
 public:
  std::span<std::byte> buffer(std::uint64_t, std::size_t bytes) override {
    return std::span(memory_).first(bytes);
  }
  void received(std::uint64_t, std::size_t, bool complete) override {
    std::unique_lock lock(mutex_);
    ++(complete ? completed : parts);
    inside_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return let_go_; });
  }
  void aborted(const base::Error&) override { ++aborts; }

  void await_inside() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return inside_; });
  }
  void let_go() {
    const std::lock_guard lock(mutex_);
    let_go_ = true;
    changed_.notify_all();
  }

  int completed = 0;
  int parts = 0;
  int aborts = 0;

 private:
  std::array<std::byte, 64> memory_{};
  std::mutex mutex_;
  std::condition_variable changed_;
  bool inside_ = false;
  bool let_go_ = false;
};

void end_while_told(std::uint64_t bytes, SlowSink& sink) {
  constexpr TransferId kTransfer = 1;
  constexpr TransferId kUnannounced = 2;
  const std::shared_ptr<BulkSink> shared(&sink, [](BulkSink*) {});
  const std::array<std::byte, 8> data{};
  BulkReceiver receiver(base::monotonic_clock(), [] {});
  const std::atomic<bool> lane_over{false};
  receiver.expect(kTransfer, bytes, shared);
  std::thread lane([&] {
    EXPECT_TRUE(receiver.on_frame({kTransfer, 0, std::uint32_t{data.size()}}, data).ok());
  });
  sink.await_inside();
  std::thread end([&] { receiver.shut_down(base::Error(base::ErrorCode::kClosed, "over")); });
  // Answered once the end has begun and waits for the lane.
  EXPECT_FALSE(receiver.begin_chunk({kUnannounced, 0, 8}, lane_over).ok());
  sink.let_go();
  lane.join();
  end.join();
}

// Whoever was told that all is there may have gone: a word more would go to freed memory.
TEST(BulkReceiver, NothingIsToldAfterTheEndOfATransfer) {
  SlowSink sink;
  end_while_told(8, sink);
  EXPECT_EQ(sink.completed, 1);
  EXPECT_EQ(sink.aborts, 0);
}

TEST(BulkReceiver, AnUnfinishedTransferIsToldOfTheEnd) {
  SlowSink sink;
  end_while_told(16, sink);
  EXPECT_EQ(sink.parts, 1);
  EXPECT_EQ(sink.aborts, 1);
}

}  // namespace
}  // namespace longwire::session
