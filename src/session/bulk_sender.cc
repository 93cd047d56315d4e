#include "session/bulk_sender.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace longwire::session {

using base::Error;
using base::ErrorCode;
using base::Status;

TransferId BulkSender::Chunk::transfer() const { return whole_->transfer; }

void BulkSender::Due::call() const {
  if (taken) taken(status);
  if (received) received(status);
}

void BulkSender::send(TransferId transfer, std::uint64_t offset, std::span<const std::byte> data,
                      OnSent on_received, OnSent on_taken) {
  Due refused{std::move(on_taken), std::move(on_received), {}};
  {
    const std::lock_guard lock(mutex_);
    if (ended_) {
      refused.status = *ended_;
    } else if (all_.size() >= kMaxTransfers) {
      refused.status = Error(ErrorCode::kLimit, "too many bulk transfers at once");
    } else if (!data.empty()) {
      auto whole = std::make_shared<Outgoing>();
      whole->transfer = transfer;
      whole->begin = offset;
      whole->data = data;
      whole->place = all_.size();
      whole->on_received = std::move(refused.received);
      whole->on_taken = std::move(refused.taken);
      all_.push_back(whole);
      queue_.push_back(std::move(whole));
      wake_one();
      return;
    }
  }
  refused.call();
}

bool BulkSender::rebase(TransferId transfer, std::span<const std::byte> data) {
  std::unique_lock lock(mutex_);
  const auto found = std::ranges::find_if(
      all_, [transfer](const auto& whole) { return whole->transfer == transfer; });
  if (found == all_.end()) return false;
  const std::shared_ptr<Outgoing> whole = *found;  // it may be over before the wait is
  LW_CHECK(whole->data.size() == data.size());
  whole->data = data;
  unread_.wait(lock, [&] { return whole->readers == 0; });
  return true;
}

std::span<const std::byte> BulkSender::lock_data(const Chunk& chunk, std::size_t from) {
  const std::lock_guard lock(mutex_);
  Outgoing& whole = *chunk.whole_;
  ++whole.readers;
  const auto begin = static_cast<std::size_t>(chunk.offset_ - whole.begin);
  return whole.data.subspan(begin, chunk.bytes_).subspan(from);
}

void BulkSender::unlock_data(const Chunk& chunk) {
  const std::lock_guard lock(mutex_);
  if (--chunk.whole_->readers == 0) unread_.notify_all();
}

// REQUIRES: has_work().
BulkSender::Chunk BulkSender::next_chunk() {
  Chunk chunk;
  if (!again_.empty()) {
    chunk = std::move(again_.front());
    again_.pop_front();
  } else {
    std::shared_ptr<Outgoing> whole = std::move(queue_.front());
    queue_.pop_front();
    chunk.offset_ = whole->begin + whole->cut;
    chunk.bytes_ = std::min(whole->data.size() - whole->cut, kChunkBytes);
    chunk.whole_ = whole;
    whole->cut += chunk.bytes_;
    ++whole->untaken;
    ++whole->unreceived;
    if (whole->cut < whole->data.size()) queue_.push_back(std::move(whole));
  }
  ++chunk.whole_->in_hand;
  if (has_work()) wake_one();
  return chunk;
}

void BulkSender::wake_one() {
  if (lanes_.empty()) return frames_wanted_.notify_one();
  const auto first = std::ranges::find_if(lanes_, [](const Lane* lane) { return lane->waits_; });
  if (first != lanes_.end()) (*first)->wake_.notify_one();
}

// --- lanes ---

void BulkSender::add_lane(Lane& lane) {
  const std::lock_guard lock(mutex_);
  lanes_.push_back(&lane);
}

std::optional<BulkSender::Chunk> BulkSender::take(Lane& lane) {
  std::unique_lock lock(mutex_);
  lane.waits_ = true;
  lane.wake_.wait(lock, [&] { return lane.over_ || ended_ || has_work(); });
  lane.waits_ = false;
  if (lane.over_ || ended_) return std::nullopt;
  Chunk chunk = next_chunk();
  if (repairs_) lane.unconfirmed_.push_back(chunk);
  return chunk;
}

void BulkSender::taken(Lane& lane, const Chunk& chunk, Status status) {
  Due due;
  {
    const std::lock_guard lock(mutex_);
    Outgoing& whole = *chunk.whole_;
    --whole.in_hand;
    const bool confirmed =
        repairs_ && lane.unconfirmed_.empty();  // it is the newest, if it is there
    if (status.ok() || confirmed) {
      if (!chunk.taken_) --whole.untaken;
      if (!repairs_) --whole.unreceived;
      // It may have been confirmed already.
      if (!lane.unconfirmed_.empty()) lane.unconfirmed_.back().taken_ = true;
    } else if (!repairs_) {
      fail(whole, std::move(status));
    } else {
      lane.unconfirmed_.back().given_up_ = true;
    }
    due = due_of(whole);
  }
  due.call();
}

void BulkSender::leave(Lane& lane) {
  const std::lock_guard lock(mutex_);
  lane.left_ = true;
  send_again(lane);
}

void BulkSender::end_lane(Lane& lane) {
  const std::lock_guard lock(mutex_);
  if (std::exchange(lane.over_, true)) return;
  std::erase(lanes_, &lane);
  lane.wake_.notify_one();
  if (has_work()) wake_one();  // it may have been woken for a chunk
}

Status BulkSender::confirm(Lane& lane, std::uint64_t chunks, bool final) {
  std::vector<Due> all_due;
  {
    const std::lock_guard lock(mutex_);
    if (chunks < lane.confirmed_ && !final) return {};  // two threads told it, the later one first
    if (chunks < lane.confirmed_ || chunks - lane.confirmed_ > lane.unconfirmed_.size()) {
      return Error(ErrorCode::kWireFault, "chunks were confirmed that were never sent");
    }
    for (; lane.confirmed_ < chunks; ++lane.confirmed_) {
      const Chunk chunk = std::move(lane.unconfirmed_.front());
      lane.unconfirmed_.pop_front();
      --chunk.whole_->unreceived;
      // The write failed and yet it has arrived: nobody else counts it.
      if (chunk.given_up_ && !chunk.taken_) --chunk.whole_->untaken;
      if (Due due = due_of(*chunk.whole_); due.received || due.taken)
        all_due.push_back(std::move(due));
    }
    if (final) lane.final_ = true;
    send_again(lane);
  }
  for (const Due& due : all_due)
    due.call();
  return {};
}

// What a lane has lost, once that is certain and its writer has let go of it. REQUIRES: mutex_.
void BulkSender::send_again(Lane& lane) {
  if (!lane.final_ || !lane.left_ || ended_) return;
  for (Chunk& chunk : lane.unconfirmed_) {
    chunk.given_up_ = false;
    again_.push_back(std::move(chunk));
  }
  lane.unconfirmed_.clear();
  if (has_work()) wake_one();
}

// --- frames ---

bool BulkSender::await_frame_work() {
  std::unique_lock lock(mutex_);
  frames_wanted_.wait(lock, [&] { return ended_ || poked_ || (lanes_.empty() && has_work()); });
  poked_ = false;
  return !ended_;
}

void BulkSender::poke() {
  const std::lock_guard lock(mutex_);
  poked_ = true;
  frames_wanted_.notify_one();
}

std::optional<BulkSender::Chunk> BulkSender::take_for_frames() {
  const std::lock_guard lock(mutex_);
  if (ended_ || !lanes_.empty() || !has_work()) return std::nullopt;
  return next_chunk();
}

void BulkSender::sent_as_frames(const Chunk& chunk, Status status) {
  Due due;
  {
    const std::lock_guard lock(mutex_);
    Outgoing& whole = *chunk.whole_;
    --whole.in_hand;
    if (!chunk.taken_) --whole.untaken;
    --whole.unreceived;
    if (!status.ok()) fail(whole, std::move(status));
    due = due_of(whole);
  }
  due.call();
}

// --- ends ---

// A failure is told when no writer reads the data any more. REQUIRES: mutex_.
BulkSender::Due BulkSender::due_of(Outgoing& whole) {
  Due due;
  const bool failed = !whole.status.ok() && whole.in_hand == 0;
  const bool all_taken = whole.cut == whole.data.size() && whole.untaken == 0;
  if (!failed && !all_taken) return due;
  due.status = whole.status;
  due.taken = std::exchange(whole.on_taken, nullptr);
  if (failed || (whole.unreceived == 0 && whole.in_hand == 0)) {
    due.received = std::exchange(whole.on_received, nullptr);
    if (due.received) finish(whole);
  }
  return due;
}

// REQUIRES: mutex_.
void BulkSender::fail(Outgoing& whole, Status status) {
  if (whole.status.ok()) whole.status = std::move(status);
  std::erase_if(queue_, [&whole](const auto& one) { return one.get() == &whole; });
}

void BulkSender::finish(Outgoing& whole) {
  const std::size_t place = whole.place;
  all_.back()->place = place;
  std::swap(all_[place], all_.back());
  all_.pop_back();  // the caller still shares it
}

void BulkSender::shut_down(const Error& why) {
  std::vector<Due> all_due;
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return;
    ended_ = why;
    for (Lane* lane : lanes_)
      lane->wake_.notify_one();
    frames_wanted_.notify_one();
    queue_.clear();
    again_.clear();
    const auto unfinished = all_;
    for (const auto& whole : unfinished) {
      if (whole->status.ok()) whole->status = why;
      all_due.push_back(due_of(*whole));
    }
  }
  for (const Due& due : all_due)
    due.call();
}

std::size_t BulkSender::waiting_lanes() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(
      std::ranges::count_if(lanes_, [](const Lane* lane) { return lane->waits_; }));
}

bool BulkSender::idle() const {
  const std::lock_guard lock(mutex_);
  return all_.empty();
}

}  // namespace longwire::session
