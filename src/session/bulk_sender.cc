#include "session/bulk_sender.h"

#include <algorithm>
#include <utility>

namespace longwire::session {

using base::Error;
using base::ErrorCode;
using base::Status;

void BulkSender::send(TransferId transfer, std::uint64_t offset, std::span<const std::byte> data,
                      OnSent on_sent) {
  Status refused;
  {
    const std::lock_guard lock(mutex_);
    if (ended_) {
      refused = *ended_;
    } else if (unfinished_ >= kMaxTransfers) {
      refused = Error(ErrorCode::kLimit, "too many bulk transfers at once");
    } else if (!data.empty()) {
      ++unfinished_;
      queue_.push_back(
          std::make_shared<Outgoing>(Outgoing{transfer, offset, data, 0, {}, std::move(on_sent)}));
      wake_one();
      return;
    }
  }
  on_sent(std::move(refused));
}

void BulkSender::wake_one() {
  const auto first = std::ranges::find_if(lanes_, &Lane::waits);
  if (first != lanes_.end()) first->wake.notify_one();
}

std::optional<BulkSender::Chunk> BulkSender::take(std::size_t lane, const bool& over) {
  std::unique_lock lock(mutex_);
  Lane& self = lanes_[lane];
  self.waits = true;
  self.wake.wait(lock, [&] { return over || ended_ || !queue_.empty(); });
  self.waits = false;
  if (over || ended_) return std::nullopt;
  std::shared_ptr<Outgoing> whole = std::move(queue_.front());
  queue_.pop_front();
  const std::size_t bytes = std::min(whole->rest.size(), kChunkBytes);
  Chunk chunk{whole->transfer, whole->offset, whole->rest.first(bytes), whole};
  whole->rest = whole->rest.subspan(bytes);
  whole->offset += bytes;
  ++whole->being_sent;
  if (!whole->rest.empty()) queue_.push_back(std::move(whole));
  if (!queue_.empty()) wake_one();
  return chunk;
}

void BulkSender::done(const Chunk& chunk, Status status) {
  Outgoing& whole = *chunk.whole;
  {
    const std::lock_guard lock(mutex_);
    --whole.being_sent;
    if (!status.ok() && whole.status.ok()) whole.status = std::move(status);
    if (!whole.rest.empty() || whole.being_sent > 0) return;
    --unfinished_;
  }
  whole.on_sent(std::move(whole.status));
}

void BulkSender::end_lane(std::size_t lane, bool& over) {
  const std::lock_guard lock(mutex_);
  over = true;
  lanes_[lane].wake.notify_one();
  if (!queue_.empty()) wake_one();  // it may have been woken for a chunk
}

void BulkSender::shut_down(const Error& why) {
  std::deque<std::shared_ptr<Outgoing>> failed;
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return;
    ended_ = why;
    for (Lane& lane : lanes_)
      lane.wake.notify_one();
    for (auto& whole : queue_) {
      whole->rest = {};
      whole->status = why;
      if (whole->being_sent > 0) continue;  // the lane that sends its last chunk says so
      --unfinished_;
      failed.push_back(std::move(whole));
    }
    queue_.clear();
  }
  for (const auto& whole : failed)
    whole->on_sent(why);
}

std::size_t BulkSender::waiting_lanes() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(std::ranges::count_if(lanes_, &Lane::waits));
}

bool BulkSender::idle() const {
  const std::lock_guard lock(mutex_);
  return unfinished_ == 0;
}

}  // namespace longwire::session
