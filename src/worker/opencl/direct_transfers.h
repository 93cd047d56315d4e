// Direct transfers: of an idle queue, in memory that host and device share (shared_buffers.h),
// nobody wants their event. The driver has no part in them, and nothing is copied on the way: lanes
// send from the buffer (LentRead) and receive into it (PlacedWrite). Small ones are over at once;
// what is under way when another command comes to the queue gives way to it:
//
//   a read    its bytes that may still be needed are copied, and the links go on with the copy;
//             another read needs no copy
//   a write   a marker is put in its place in the native queue, which waits until the bytes are
//             there
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "session/bulk.h"
#include "wire/blob.h"
#include "worker/core/uploads.h"
#include "worker/opencl/completions.h"
#include "worker/opencl/objects.h"
#include "worker/opencl/transfers.h"

namespace longwire::worker::opencl {

// Reads of one queue that may be under way in this manner at once: what a command behind them must
// copy at most, which takes a few milliseconds.
inline constexpr std::uint64_t kMostLentBytes = std::uint64_t{16} << 20;

// Shared by its queue and the links. Any thread, but for settle().
class LentRead {
 public:
  // `copy`: a place for as many bytes, in case that they are needed.
  LentRead(session::TransferId transfer, Ref<Mem> mem, std::span<const std::byte> bytes,
           core::Block copy)
      : transfer_(transfer), bytes_(bytes), mem_(std::move(mem)), copy_(std::move(copy)) {}

  std::size_t size() const noexcept { return bytes_.size(); }
  // The client has all of it.
  void end();
  bool over() const;
  // From now on the buffer may change. Dispatch thread.
  void settle(session::BulkPort& bulk);

 private:
  const session::TransferId transfer_;
  const std::span<const std::byte> bytes_;
  mutable std::mutex mutex_;
  bool over_ = false;
  Ref<Mem> mem_;
  core::Block copy_;
};

// Shared by its queue and the upload.
class PlacedWrite final : public core::ChunkConsumer {
 public:
  // REQUIRES: the queue has just been given this, and nothing else is under way.
  PlacedWrite(const core::Services& services, Completions& completions, Queue& queue, Ref<Mem> mem,
              std::byte* to, const wire::Blob& blob)
      : services_(services),
        completions_(completions),
        to_(to),
        blob_(blob),
        number_(queue.given),
        queue_(&queue),
        mem_(std::move(mem)) {}

  bool over(const core::Outbox::Turn&) const { return over_; }
  // True: the Finish is replied to when this is over, as nothing else is before it.
  bool take(const core::Outbox::Turn&, const Queue::WaitingFinish& finish);
  // What the native queue waits for. It is opened at once where this is over.
  void hold(std::shared_ptr<Gate> gate);

  std::span<std::byte> place(std::uint64_t offset, std::size_t bytes) override {
    return {to_ + offset, bytes};
  }
  void on_placed(std::size_t bytes, bool last) override;
  void on_chunk(std::uint64_t offset, std::size_t bytes, core::Block chunk, bool last) override;
  void on_aborted(const base::Error& why) override;

 private:
  void end();

  const core::Services& services_;
  Completions& completions_;
  std::byte* const to_;
  const wire::Blob blob_;
  const std::uint64_t number_;  // of the queue's commands
  // Guarded by the outbox's turn.
  bool over_ = false;
  Ref<Queue> queue_;
  Ref<Mem> mem_;
  std::shared_ptr<Gate> gate_;  // shared with the list that gives up
  std::vector<Queue::WaitingFinish> finishes_;
};

}  // namespace longwire::worker::opencl
