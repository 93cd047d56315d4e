#include "session/bulk_receiver.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace longwire::session {

using base::Error;
using base::ErrorCode;
using base::Status;

namespace {
Error impossible(const ChunkHeader& header, const char* why) {
  return Error(ErrorCode::kWireFault,
               "bulk transfer " + std::to_string(header.transfer) + ": " + why);
}
}  // namespace

// --- announcing ---

void BulkReceiver::expect(TransferId transfer, std::uint64_t bytes,
                          const std::shared_ptr<BulkSink>& sink) {
  std::optional<Error> refused;
  {
    const Lock lock(mutex_);
    if (ended_) {
      refused = *ended_;
    } else if (incoming_.size() >= kMaxTransfers) {
      refused = Error(ErrorCode::kLimit, "too many bulk transfers at once");
    } else if (find(transfer) != nullptr) {
      refused = Error(ErrorCode::kWireFault, "a bulk transfer was announced twice");
    } else if (bytes > 0) {
      Incoming& incoming = incoming_[transfer];
      incoming.bytes = bytes;
      incoming.sink = sink;
    }
    changed_.notify_all();
  }
  if (refused) return sink->aborted(*refused);
  if (bytes == 0) return sink->received(0, 0, true);
  const Status delivered = deliver_kept(transfer);
  if (!delivered.ok()) abort(transfer, delivered.error());
}

void BulkReceiver::cancel(TransferId transfer) {
  Lock lock(mutex_);
  take_sink(lock, transfer);
}

void BulkReceiver::abort(TransferId transfer, const Error& why) {
  Lock lock(mutex_);
  const std::shared_ptr<BulkSink> sink = take_sink(lock, transfer);
  lock.unlock();
  if (sink) sink->aborted(why);
}

void BulkReceiver::shut_down(const Error& why) {
  std::vector<std::shared_ptr<BulkSink>> sinks;
  {
    Lock lock(mutex_);
    if (ended_) return;
    ended_ = why;
    changed_.notify_all();
    std::vector<TransferId> transfers;
    for (const auto& [transfer, incoming] : incoming_)
      transfers.push_back(transfer);
    for (const TransferId transfer : transfers)
      sinks.push_back(take_sink(lock, transfer));
    kept_.clear();
  }
  for (const auto& sink : sinks) {
    if (sink) sink->aborted(why);
  }
}

bool BulkReceiver::idle() const {
  const Lock lock(mutex_);
  return std::ranges::all_of(incoming_, [](const auto& entry) { return !entry.second.sink; });
}

BulkReceiver::Incoming* BulkReceiver::find(TransferId transfer) {
  const auto found = incoming_.find(transfer);
  return found == incoming_.end() ? nullptr : &found->second;
}

std::shared_ptr<BulkSink> BulkReceiver::take_sink(Lock& lock, TransferId transfer) {
  Incoming* incoming = find(transfer);
  if (incoming == nullptr || !incoming->sink) return nullptr;
  std::shared_ptr<BulkSink> sink = std::move(incoming->sink);
  if (incoming->told_all) sink.reset();  // who is told that may be gone already
  const auto others_inside = [&](const Incoming& i) {
    return std::ranges::any_of(i.inside,
                               [](std::thread::id id) { return id != std::this_thread::get_id(); });
  };
  while (incoming != nullptr && others_inside(*incoming)) {
    changed_.wait(lock);
    incoming = find(transfer);
  }
  // Its number is remembered for a while: chunks may still be under way.
  forgotten_.push_back(transfer);
  if (forgotten_.size() > kMaxForgottenTransfers) {
    const Incoming* oldest = find(forgotten_.front());
    if (oldest != nullptr && oldest->inside.empty()) incoming_.erase(forgotten_.front());
    forgotten_.pop_front();
  }
  return sink;
}

void BulkReceiver::enter(Incoming& incoming) {
  incoming.inside.push_back(std::this_thread::get_id());
}

void BulkReceiver::leave(Incoming& incoming) {
  const auto self = std::ranges::find(incoming.inside, std::this_thread::get_id());
  LW_CHECK(self != incoming.inside.end());
  incoming.inside.erase(self);
  changed_.notify_all();
}

// --- chunks of lanes ---

base::Result<BulkReceiver::Chunk> BulkReceiver::begin_chunk(const ChunkHeader& header,
                                                            const std::atomic<bool>& over) {
  if (header.bytes == 0 || header.bytes > kChunkBytes) return impossible(header, "bad chunk size");
  Lock lock(mutex_);
  LW_ASSIGN(Incoming * incoming, wait_for_announcement(lock, header, over));
  if (incoming == nullptr) return keep(header);
  return claim(lock, *incoming, header);
}

void BulkReceiver::look_again() {
  const Lock lock(mutex_);
  changed_.notify_all();
}

base::Result<BulkReceiver::Incoming*> BulkReceiver::wait_for_announcement(
    Lock& lock, const ChunkHeader& header, const std::atomic<bool>& over) {
  const base::Nanoseconds began_ns = clock_.now_ns();
  for (;;) {
    if (ended_) return *ended_;
    if (Incoming* incoming = find(header.transfer)) return incoming;
    if (over) return Error(ErrorCode::kLinkLost, "the lane is over");
    const base::Nanoseconds waited_ns = clock_.now_ns() - began_ns;
    const bool room = may_keep(header.bytes);
    if (waited_ns >= kHoldUpNs && room) return nullptr;
    if (waited_ns >= kUnannouncedTimeoutNs) {
      return impossible(header, "bytes came that nobody announced");
    }
    // Room is looked for again now and then.
    changed_.wait_for(lock, std::chrono::nanoseconds(kHoldUpNs));
  }
}

// --- chunks of lanes that are kept ---

bool BulkReceiver::may_keep(std::size_t bytes) const {
  return kept_bytes_ + bytes <= kMaxUnannouncedBytes &&
         kept_.size() + being_kept_ < kMaxUnannouncedChunks;
}

// REQUIRES: mutex_, may_keep().
BulkReceiver::Chunk BulkReceiver::keep(const ChunkHeader& header) {
  Chunk chunk;
  chunk.receiver_ = this;
  chunk.header_ = header;
  chunk.kept_.resize(header.bytes);
  kept_bytes_ += header.bytes;
  ++being_kept_;
  return chunk;
}

base::Result<BulkReceiver::Chunk::Finished> BulkReceiver::finish_kept(Chunk& chunk) {
  Lock lock(mutex_);
  --being_kept_;
  if (ended_) return *ended_;
  Incoming* const incoming = find(chunk.header_.transfer);
  if (incoming == nullptr) {
    kept_.push_back({chunk.header_, std::move(chunk.kept_)});
    return Chunk::Finished{};
  }
  kept_bytes_ -= chunk.header_.bytes;
  return copy_chunk(lock, *incoming, chunk.header_, chunk.kept_);
}

base::Result<BulkReceiver::Chunk> BulkReceiver::claim(Lock& lock, Incoming& incoming,
                                                      const ChunkHeader& header) {
  if (header.offset > incoming.bytes || header.bytes > incoming.bytes - header.offset ||
      header.bytes > incoming.bytes - incoming.claimed) {
    return impossible(header, "a chunk lies outside, or came twice");
  }
  incoming.claimed += header.bytes;
  Chunk chunk;
  chunk.receiver_ = this;
  chunk.header_ = header;
  if (!incoming.sink) return chunk;  // forgotten: to be dropped
  chunk.asked_ = true;
  enter(incoming);
  const std::shared_ptr<BulkSink> sink = incoming.sink;
  lock.unlock();
  chunk.place_ = sink->buffer(header.offset, header.bytes);
  lock.lock();
  leave(incoming);  // it cannot be gone while somebody is inside
  LW_CHECK(chunk.place_.empty() || chunk.place_.size() >= header.bytes);
  return chunk;
}

std::span<std::byte> BulkReceiver::Chunk::lock_memory() {
  if (!kept_.empty()) return std::span(kept_).subspan(filled_);
  if (place_.empty()) return {};
  const Lock lock(receiver_->mutex_);
  Incoming* incoming = receiver_->find(header_.transfer);
  if (incoming == nullptr || !incoming->sink) {
    place_ = {};
    return {};
  }
  receiver_->enter(*incoming);
  return place_.subspan(filled_, missing());
}

void BulkReceiver::Chunk::unlock_memory(std::size_t bytes_received) {
  filled_ += bytes_received;
  if (place_.empty()) return;
  const Lock lock(receiver_->mutex_);
  if (Incoming* incoming = receiver_->find(header_.transfer)) receiver_->leave(*incoming);
}

base::Result<BulkReceiver::Chunk::Finished> BulkReceiver::Chunk::finish() {
  LW_CHECK(missing() == 0);
  return kept_.empty() ? receiver_->finish_chunk(header_) : receiver_->finish_kept(*this);
}

void BulkReceiver::Chunk::abandon() {
  if (kept_.empty()) return receiver_->abandon_chunk(header_, asked_);
  const Lock lock(receiver_->mutex_);
  --receiver_->being_kept_;
  receiver_->kept_bytes_ -= header_.bytes;
}

void BulkReceiver::abandon_chunk(const ChunkHeader& header, bool asked) {
  Lock lock(mutex_);
  Incoming* const incoming = find(header.transfer);
  if (incoming == nullptr) return;
  incoming->claimed -= header.bytes;
  if (!asked || !incoming->sink) return;
  enter(*incoming);
  const std::shared_ptr<BulkSink> sink = incoming->sink;
  lock.unlock();
  sink->returned(header.offset, header.bytes);
  lock.lock();
  leave(*incoming);
}

base::Result<BulkReceiver::Chunk::Finished> BulkReceiver::finish_chunk(const ChunkHeader& header) {
  Lock lock(mutex_);
  Incoming* incoming = find(header.transfer);
  while (incoming != nullptr && incoming->telling) {
    changed_.wait(lock);
    incoming = find(header.transfer);
  }
  if (incoming == nullptr) return Chunk::Finished{};
  incoming->arrived += header.bytes;
  const std::uint64_t transfer_bytes = incoming->bytes;
  const bool complete = incoming->arrived == transfer_bytes;
  if (incoming->sink) {
    incoming->telling = true;
    incoming->told_all = complete;
    enter(*incoming);
    const std::shared_ptr<BulkSink> sink = incoming->sink;
    lock.unlock();
    sink->received(header.offset, header.bytes, complete);
    lock.lock();
    incoming->telling = false;
    leave(*incoming);
  }
  if (complete && incoming->inside.empty()) incoming_.erase(header.transfer);
  return Chunk::Finished{transfer_bytes, complete};
}

// --- chunks that come as frames ---

Status BulkReceiver::on_frame(const ChunkHeader& header, std::span<const std::byte> data) {
  if (header.bytes == 0) return impossible(header, "bad chunk size");
  Lock lock(mutex_);
  if (ended_) return *ended_;
  if (Incoming* incoming = find(header.transfer)) {
    LW_ASSIGN(const Chunk::Finished finished, copy_chunk(lock, *incoming, header, data));
    if (finished.complete) completed_by_frame_();
    return {};
  }
  if (!may_keep(data.size())) {
    return impossible(header, "too many bytes came that nobody announced");
  }
  kept_bytes_ += data.size();
  kept_.push_back({header, std::vector<std::byte>(data.begin(), data.end())});
  return {};
}

base::Result<BulkReceiver::Chunk::Finished> BulkReceiver::copy_chunk(
    Lock& lock, Incoming& incoming, const ChunkHeader& header, std::span<const std::byte> data) {
  LW_ASSIGN(Chunk chunk, claim(lock, incoming, header));
  lock.unlock();
  const std::span<std::byte> place = chunk.lock_memory();
  if (!place.empty()) std::memcpy(place.data(), data.data(), data.size());
  chunk.unlock_memory(data.size());
  return chunk.finish();
}

Status BulkReceiver::deliver_kept(TransferId transfer) {
  for (;;) {
    Lock lock(mutex_);
    const auto found = std::ranges::find_if(
        kept_, [&](const Kept& kept) { return kept.header.transfer == transfer; });
    Incoming* incoming = find(transfer);
    if (found == kept_.end() || incoming == nullptr) return {};
    const Kept kept = std::move(*found);
    kept_.erase(found);
    kept_bytes_ -= kept.data.size();
    LW_ASSIGN(const Chunk::Finished finished, copy_chunk(lock, *incoming, kept.header, kept.data));
    if (finished.complete) completed_by_frame_();
  }
}

}  // namespace longwire::session
