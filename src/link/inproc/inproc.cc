#include "link/inproc/inproc.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <vector>

namespace longwire::link {
namespace {

using base::Error;
using base::ErrorCode;

// One direction: a ring of bytes. Guarded by the Channel's mutex.
class Pipe {
 public:
  explicit Pipe(std::size_t capacity) : ring_(capacity) {}

  bool empty() const { return size_ == 0; }
  bool full() const { return size_ == ring_.size(); }

  std::size_t put(ConstBuffer from) {
    std::size_t done = 0;
    while (done < from.size() && !full()) {
      const std::size_t at = (start_ + size_) % ring_.size();
      const std::size_t n = std::min({from.size() - done, ring_.size() - size_, ring_.size() - at});
      std::memcpy(ring_.data() + at, from.data() + done, n);
      size_ += n;
      done += n;
    }
    return done;
  }

  std::size_t take(std::span<std::byte> to) {
    std::size_t done = 0;
    while (done < to.size() && !empty()) {
      const std::size_t n = std::min({to.size() - done, size_, ring_.size() - start_});
      std::memcpy(to.data() + done, ring_.data() + start_, n);
      start_ = (start_ + n) % ring_.size();
      size_ -= n;
      done += n;
    }
    return done;
  }

 private:
  std::vector<std::byte> ring_;
  std::size_t start_ = 0;
  std::size_t size_ = 0;
};

// What the two ends share.
struct Channel {
  explicit Channel(std::size_t pipe_bytes) : pipes{Pipe(pipe_bytes), Pipe(pipe_bytes)} {}
  std::mutex mutex;
  std::condition_variable changed;
  std::array<Pipe, 2> pipes;  // pipes[i] is what end i reads
  std::array<bool, 2> closed{};
  std::array<bool, 2> woken{};
};

class InprocLink final : public Link {
 public:
  // The channel is shared by the two ends, whichever is destroyed last.
  InprocLink(std::shared_ptr<Channel> channel, int end) : channel_(std::move(channel)), end_(end) {}
  ~InprocLink() override { InprocLink::close(); }

  base::Result<std::size_t> read_some(std::span<std::byte> out) override {
    const std::lock_guard lock(channel_->mutex);
    if (channel_->closed[end_]) return Error(ErrorCode::kClosed, "link closed");
    const std::size_t n = mine().take(out);
    if (n > 0) channel_->changed.notify_all();
    if (n == 0 && !out.empty() && channel_->closed[1 - end_]) {
      return Error(ErrorCode::kClosed, "the peer closed the connection");
    }
    return n;
  }

  base::Result<std::size_t> write_some(std::span<const ConstBuffer> parts) override {
    const std::lock_guard lock(channel_->mutex);
    if (channel_->closed[end_]) return Error(ErrorCode::kClosed, "link closed");
    if (channel_->closed[1 - end_]) return Error(ErrorCode::kLinkLost, "the peer is gone");
    std::size_t written = 0;
    for (const ConstBuffer part : parts)
      written += theirs().put(part);
    if (written > 0) channel_->changed.notify_all();
    return written;
  }

  base::Result<Readiness> wait(Interest interest, base::Deadline deadline) override {
    std::unique_lock lock(channel_->mutex);
    Readiness found;
    const auto look = [&] {
      const bool over = channel_->closed[0] || channel_->closed[1];
      found.readable = interest.readable && (over || !mine().empty());
      found.writable = interest.writable && (over || !theirs().full());
      found.woken = std::exchange(channel_->woken[end_], false) || channel_->closed[end_];
      return !found.timed_out();
    };
    if (deadline.is_never()) {
      channel_->changed.wait(lock, look);
    } else {
      using Point = std::chrono::steady_clock::time_point;  // CLOCK_MONOTONIC
      channel_->changed.wait_until(lock, Point(std::chrono::nanoseconds(deadline.at_ns)), look);
    }
    return found;
  }

  void wake() noexcept override {
    const std::lock_guard lock(channel_->mutex);
    channel_->woken[end_] = true;
    channel_->changed.notify_all();
  }

  void close() noexcept override {
    const std::lock_guard lock(channel_->mutex);
    channel_->closed[end_] = true;
    channel_->changed.notify_all();
  }

  bool closed_by_peer() const noexcept override {
    const std::lock_guard lock(channel_->mutex);
    return channel_->closed[1 - end_] && !channel_->closed[end_];
  }

  LinkInfo info() const override {
    return {.kind = "inproc", .peer_address = "this process", .encrypted = false};
  }

 private:
  Pipe& mine() { return channel_->pipes[end_]; }
  Pipe& theirs() { return channel_->pipes[1 - end_]; }

  const std::shared_ptr<Channel> channel_;
  const int end_;
};

}  // namespace

std::pair<std::unique_ptr<Link>, std::unique_ptr<Link>> make_inproc_pair(std::size_t pipe_bytes) {
  auto channel = std::make_shared<Channel>(pipe_bytes);
  return {std::make_unique<InprocLink>(channel, 0), std::make_unique<InprocLink>(channel, 1)};
}

}  // namespace longwire::link
