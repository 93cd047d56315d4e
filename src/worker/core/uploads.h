// Uploads: bulk data that comes in (session/bulk.h), either whole into one staging block, or chunk
// by chunk: straight into the consumer's memory, or through blocks. Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "base/result.h"
#include "session/bulk.h"
#include "wire/blob.h"
#include "worker/core/block_pool.h"
#include "worker/core/outbox.h"

namespace longwire::worker::core {

inline constexpr std::uint64_t kMaxWholeUploadBytes = std::uint64_t{2} << 30;
inline constexpr std::size_t kUploadRingBytes = std::size_t{32} << 20;
inline constexpr std::size_t kMaxOpenUploads = 65536;

// Takes the bytes of a streamed upload. Exactly one of a call with `last` and on_aborted() ends it.
class ChunkConsumer {
 public:
  virtual ~ChunkConsumer() = default;
  // Where a lane may receive [offset, offset + bytes) without a copy; empty: into a block. Ends
  // with on_placed(), or with on_aborted() once nobody writes there any more.
  virtual std::span<std::byte> place(std::uint64_t offset, std::size_t bytes) = 0;
  virtual void on_placed(std::size_t bytes, bool last) = 0;
  // Chunks come in any order, from several threads; `last` with the one that makes it complete.
  // Without a block: there was no memory for those bytes, and they are lost.
  virtual void on_chunk(std::uint64_t offset, std::size_t bytes, Block chunk, bool last) = 0;
  virtual void on_aborted(const base::Error& why) = 0;
};

class Uploads {
 public:
  Uploads(Outbox& outbox, session::BulkPort& bulk, BlockPool& staging, std::uint64_t eager_credit);
  ~Uploads();

  using Done = std::function<void(base::Result<Block>)>;
  // Receives all of `blob` into one block; grants a rendezvous at once. `done` is called exactly
  // once, on any thread, possibly inside. Error (a wire fault, or kLimit): `done` is not called.
  // REQUIRES: blob.transfer != 0.
  base::Status receive(const wire::Blob& blob, Done done);

  // As receive(), into a block of the caller's. Shared: a lane may still be writing into it when
  // the upload was aborted.
  base::Status receive_into(const wire::Blob& blob, std::shared_ptr<Block> block,
                            std::function<void(base::Status)> done);

  // Receives chunk by chunk, and grants a rendezvous. The blocks of a rendezvous are those of a
  // bounded ring, for which the link waits: only for a consumer that needs nothing else to go on.
  base::Status stream(const wire::Blob& blob, std::shared_ptr<ChunkConsumer> consumer);

  // The eager blob's staging is free again: gives the client its credit back (nothing otherwise).
  void consumed(const wire::Blob& blob);
  void consumed(const wire::Blob& blob, Outbox::Turn& turn);
  // The command that named the blob failed before anything was received: its bytes are dropped,
  // and its credit goes back.
  void refuse(const wire::Blob& blob, std::int32_t status);

  // What went through blocks of ours, and so is copied once more, instead of straight to its place.
  std::uint64_t staged_bytes() const noexcept {
    return staged_bytes_.load(std::memory_order_relaxed);
  }

  // Rises whenever bytes of a receive() come: whether somebody who waits for them gets on.
  std::uint64_t progress() const noexcept { return progress_.load(std::memory_order_relaxed); }
  // The client will send no (more) bytes.
  void abort(session::TransferId transfer);
  // Ends every upload and every wait for the ring.
  void shut_down(const base::Error& why);

 private:
  class Sink;
  class WholeSink;
  class LentSink;
  class ChunkSink;
  base::Status open(const wire::Blob& blob, std::shared_ptr<Sink> sink);
  void forget(session::TransferId transfer);
  base::Status take_credit(const wire::Blob& blob);
  void give_back(const wire::Blob& blob);

  Outbox& outbox_;
  session::BulkPort& bulk_;
  BlockPool& staging_;
  BlockPool ring_{kUploadRingBytes};
  const std::uint64_t eager_credit_;
  std::atomic<std::uint64_t> staged_bytes_{0};
  std::atomic<std::uint64_t> progress_{0};
  std::mutex mutex_;
  std::uint64_t eager_out_ = 0;
  bool ended_ = false;
  // Shared with the bulk port, which calls a sink while the map may already have dropped it.
  std::unordered_map<session::TransferId, std::shared_ptr<Sink>> open_;
};

}  // namespace longwire::worker::core
