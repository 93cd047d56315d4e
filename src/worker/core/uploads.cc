#include "worker/core/uploads.h"

#include <optional>
#include <utility>
#include <vector>

namespace longwire::worker::core {

class Uploads::Sink : public session::BulkSink {
 public:
  Sink(Uploads& owner, session::TransferId transfer) : owner_(owner), transfer_(transfer) {}
  session::TransferId transfer() const { return transfer_; }

 protected:
  void forget() { owner_.forget(transfer_); }
  void got_on() { owner_.progress_.fetch_add(1, std::memory_order_relaxed); }
  Uploads& owner_;
  const session::TransferId transfer_;
};

// Nobody wants the bytes, which are on their way all the same.
class DropSink final : public session::BulkSink {
 public:
  std::span<std::byte> buffer(std::uint64_t, std::size_t) override { return {}; }
  void received(std::uint64_t, std::size_t, bool) override {}
  void aborted(const base::Error&) override {}
};

class Uploads::WholeSink final : public Sink {
 public:
  WholeSink(Uploads& owner, session::TransferId transfer, Block block, Done done)
      : Sink(owner, transfer), block_(std::move(block)), done_(std::move(done)) {}

  std::span<std::byte> buffer(std::uint64_t offset, std::size_t bytes) override {
    const std::lock_guard lock(mutex_);
    if (!done_) return {};
    return block_.bytes().subspan(offset, bytes);
  }
  void received(std::uint64_t, std::size_t, bool complete) override {
    got_on();
    if (!complete) return;
    forget();
    if (Done done = take()) done(std::move(block_));
  }
  // A lane may still be writing into the block: it stays until the sink goes.
  void aborted(const base::Error& why) override {
    forget();
    if (Done done = take()) done(why);
  }

 private:
  Done take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(done_, nullptr);
  }
  std::mutex mutex_;
  Block block_;
  Done done_;
};

class Uploads::LentSink final : public Sink {
 public:
  LentSink(Uploads& owner, session::TransferId transfer, std::shared_ptr<Block> block,
           std::function<void(base::Status)> done)
      : Sink(owner, transfer), block_(std::move(block)), done_(std::move(done)) {}

  std::span<std::byte> buffer(std::uint64_t offset, std::size_t bytes) override {
    const std::lock_guard lock(mutex_);
    return done_ ? block_->bytes().subspan(offset, bytes) : std::span<std::byte>{};
  }
  void received(std::uint64_t, std::size_t, bool complete) override {
    if (!complete) return;
    forget();
    if (const auto done = take()) done({});
  }
  void aborted(const base::Error& why) override {
    forget();
    if (const auto done = take()) done(why);
  }

 private:
  std::function<void(base::Status)> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(done_, nullptr);
  }
  std::mutex mutex_;
  const std::shared_ptr<Block> block_;  // shared with the command that reads it
  std::function<void(base::Status)> done_;
};

class Uploads::ChunkSink final : public Sink {
 public:
  ChunkSink(Uploads& owner, const wire::Blob& blob, std::shared_ptr<ChunkConsumer> consumer)
      : Sink(owner, blob.transfer),
        may_wait_(blob.mode == wire::BlobMode::kRendezvous),
        consumer_(std::move(consumer)) {}

  std::span<std::byte> buffer(std::uint64_t offset, std::size_t bytes) override {
    if (const auto place = consumer_->place(offset, bytes); !place.empty()) return place;
    Block block = may_wait_ ? owner_.ring_.acquire_wait(bytes) : owner_.staging_.acquire(bytes);
    const auto view = block.bytes();
    owner_.staged_bytes_ += view.size();
    const std::lock_guard lock(mutex_);
    if (ended_) return {};
    coming_.emplace_back(offset, std::move(block));
    return view;
  }
  void returned(std::uint64_t offset, std::size_t) override {
    std::optional<Block> block;  // given back without the lock
    const std::lock_guard lock(mutex_);
    block = take_coming(offset);
  }
  void received(std::uint64_t offset, std::size_t bytes, bool complete) override {
    std::optional<Block> block;
    {
      const std::lock_guard lock(mutex_);
      block = take_coming(offset);
      if (ended_) return;
      ended_ = complete;
    }
    if (complete) forget();
    if (block)
      consumer_->on_chunk(offset, bytes, *std::move(block), complete);
    else
      consumer_->on_placed(bytes, complete);
  }
  void aborted(const base::Error& why) override {
    forget();
    {
      const std::lock_guard lock(mutex_);
      if (std::exchange(ended_, true)) return;
    }
    consumer_->on_aborted(why);
  }

 private:
  // REQUIRES: mutex_.
  std::optional<Block> take_coming(std::uint64_t offset) {
    for (std::size_t i = 0; i < coming_.size(); ++i) {
      if (coming_[i].first != offset) continue;
      std::optional<Block> block = std::move(coming_[i].second);
      coming_[i] = std::move(coming_.back());
      coming_.pop_back();
      return block;
    }
    return std::nullopt;
  }

  std::mutex mutex_;
  std::vector<std::pair<std::uint64_t, Block>> coming_;  // at most one per lane
  bool ended_ = false;
  const bool may_wait_;
  const std::shared_ptr<ChunkConsumer> consumer_;  // shared with the native writes under way
};

Uploads::Uploads(Outbox& outbox, session::BulkPort& bulk, BlockPool& staging,
                 std::uint64_t eager_credit)
    : outbox_(outbox), bulk_(bulk), staging_(staging), eager_credit_(eager_credit) {}

Uploads::~Uploads() { shut_down({base::ErrorCode::kClosed, "the worker ends"}); }

base::Status Uploads::take_credit(const wire::Blob& blob) {
  if (blob.mode != wire::BlobMode::kEager) return {};
  const std::lock_guard lock(mutex_);
  if (blob.bytes > eager_credit_ - eager_out_)
    return base::Error(base::ErrorCode::kWireFault, "eager transfer beyond the credit");
  eager_out_ += blob.bytes;
  return {};
}

base::Status Uploads::open(const wire::Blob& blob, std::shared_ptr<Sink> sink) {
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return base::Error(base::ErrorCode::kClosed, "the session has ended");
    if (open_.size() >= kMaxOpenUploads)
      return base::Error(base::ErrorCode::kWireFault, "too many transfers at once");
    if (!open_.emplace(blob.transfer, sink).second)
      return base::Error(base::ErrorCode::kWireFault, "transfer number used twice");
  }
  bulk_.expect(blob.transfer, blob.bytes, std::move(sink));
  if (blob.mode == wire::BlobMode::kRendezvous) {
    outbox_.turn().grant(blob.transfer);
    outbox_.flush();
  }
  return {};
}

base::Status Uploads::receive(const wire::Blob& blob, Done done) {
  LW_TRY(take_credit(blob));
  Block block;
  if (blob.bytes <= kMaxWholeUploadBytes) block = staging_.acquire(blob.bytes);
  if (!block) {
    give_back(blob);
    refuse(blob, -6);  // CL_OUT_OF_HOST_MEMORY, CUDA has its own: the client only needs "failed"
    return base::Error(base::ErrorCode::kLimit, "no staging memory for the transfer");
  }
  staged_bytes_ += blob.bytes;
  return open(blob,
              std::make_shared<WholeSink>(*this, blob.transfer, std::move(block), std::move(done)));
}

base::Status Uploads::receive_into(const wire::Blob& blob, std::shared_ptr<Block> block,
                                   std::function<void(base::Status)> done) {
  LW_TRY(take_credit(blob));
  staged_bytes_ += blob.bytes;
  return open(blob,
              std::make_shared<LentSink>(*this, blob.transfer, std::move(block), std::move(done)));
}

base::Status Uploads::stream(const wire::Blob& blob, std::shared_ptr<ChunkConsumer> consumer) {
  LW_TRY(take_credit(blob));
  return open(blob, std::make_shared<ChunkSink>(*this, blob, std::move(consumer)));
}

void Uploads::give_back(const wire::Blob& blob) {
  if (blob.mode != wire::BlobMode::kEager) return;
  const std::lock_guard lock(mutex_);
  eager_out_ -= blob.bytes;
}

void Uploads::consumed(const wire::Blob& blob) {
  if (blob.mode != wire::BlobMode::kEager) return;
  {
    auto turn = outbox_.turn();
    consumed(blob, turn);
  }
  outbox_.flush();
}

void Uploads::consumed(const wire::Blob& blob, Outbox::Turn& turn) {
  if (blob.mode != wire::BlobMode::kEager) return;
  give_back(blob);
  turn.credit(blob.bytes);
}

void Uploads::refuse(const wire::Blob& blob, std::int32_t status) {
  if (blob.transfer == 0) return;
  if (blob.mode == wire::BlobMode::kEager) {
    bulk_.expect(blob.transfer, blob.bytes, std::make_shared<DropSink>());
    outbox_.turn().credit(blob.bytes);
    outbox_.flush();
  } else {
    bulk_.cancel(blob.transfer);
    outbox_.turn().abort(blob.transfer, status);
    outbox_.flush();
  }
}

void Uploads::forget(session::TransferId transfer) {
  std::shared_ptr<Sink> last;  // dropped outside the lock
  const std::lock_guard lock(mutex_);
  if (auto found = open_.find(transfer); found != open_.end()) {
    last = std::move(found->second);
    open_.erase(found);
  }
}

void Uploads::abort(session::TransferId transfer) {
  std::shared_ptr<Sink> sink;
  {
    const std::lock_guard lock(mutex_);
    if (auto found = open_.find(transfer); found != open_.end()) sink = found->second;
  }
  if (sink == nullptr) return;
  bulk_.cancel(transfer);
  sink->aborted({base::ErrorCode::kClosed, "the client gave the transfer up"});
}

void Uploads::shut_down(const base::Error& why) {
  std::vector<std::shared_ptr<Sink>> sinks;
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    for (auto& [transfer, sink] : open_)
      sinks.push_back(sink);
  }
  ring_.stop();
  for (auto& sink : sinks) {
    bulk_.cancel(sink->transfer());
    sink->aborted(why);
  }
}

}  // namespace longwire::worker::core
