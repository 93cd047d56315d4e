// BulkReceiver: the incoming transfers of a BulkPort: which are announced, how much of each has
// come, and who is inside a sink right now.
//
// Threads: any. One lock for the table; sinks are called without it. The calls to one sink's
// received() are one after the other, the one with `complete` last.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "session/bulk.h"

namespace longwire::session {

struct ChunkHeader {
  TransferId transfer = 0;
  std::uint64_t offset = 0;
  std::uint32_t bytes = 0;
};

class BulkReceiver {
 public:
  // `completed_by_frame`: the last bytes of a transfer have come as a frame, after others maybe on
  // lanes. Called inside on_frame() or expect(); must not block.
  BulkReceiver(const base::Clock& clock, std::function<void()> completed_by_frame)
      : clock_(clock), completed_by_frame_(std::move(completed_by_frame)) {}

  void expect(TransferId transfer, std::uint64_t bytes, const std::shared_ptr<BulkSink>& sink);
  void cancel(TransferId transfer);
  void abort(TransferId transfer, const base::Error& why);
  // Aborts everything; later chunks and announcements fail.
  void shut_down(const base::Error& why);
  bool idle() const;  // no transfer is under way

  // One chunk being received. Writes into the sink's memory only between lock_memory() and
  // unlock_memory(), and only what lock_memory() gave, so that a cancel can take it away in
  // between.
  class Chunk {
   public:
    // The rest of the chunk's place in the sink's memory; empty: drop the bytes.
    std::span<std::byte> lock_memory();
    void unlock_memory(std::size_t bytes_received);
    std::size_t missing() const { return header_.bytes - filled_; }
    struct Finished {
      std::uint64_t transfer_bytes = 0;
      bool complete = false;  // the whole transfer
    };
    base::Result<Finished> finish();  // REQUIRES: missing() == 0
    // The rest will not come; all of it will be sent again.
    void abandon();

   private:
    friend class BulkReceiver;
    BulkReceiver* receiver_ = nullptr;
    ChunkHeader header_;
    std::size_t filled_ = 0;
    std::span<std::byte> place_;
    bool asked_ = false;           // the sink, for the place
    std::vector<std::byte> kept_;  // else: not announced yet, and received here
  };

  // Waits until the transfer is announced and its sink has given the memory; of one that is not
  // announced soon the chunk is kept. kWireFault: the chunk cannot belong to the transfer, or there
  // was no room to keep it. kLinkLost: `over` was set meanwhile (see look_again()).
  base::Result<Chunk> begin_chunk(const ChunkHeader& header, const std::atomic<bool>& over);
  void look_again();

  // A chunk that came as a frame. One that is not announced yet is copied and kept.
  base::Status on_frame(const ChunkHeader& header, std::span<const std::byte> data);

 private:
  struct Incoming {
    std::uint64_t bytes = 0;
    std::uint64_t claimed = 0;            // of chunks that have begun to arrive
    std::uint64_t arrived = 0;            // of chunks that received() was told of
    std::shared_ptr<BulkSink> sink;       // shared with who announced it; null: forgotten
    std::vector<std::thread::id> inside;  // threads in the sink, or writing into its memory
    bool telling = false;                 // a thread is in received()
    bool told_all = false;                // that it is complete: nothing else may be told then
  };
  struct Kept {
    ChunkHeader header;
    std::vector<std::byte> data;
  };
  using Lock = std::unique_lock<std::mutex>;

  // Null: the chunk is to be kept, and there is room for it.
  base::Result<Incoming*> wait_for_announcement(Lock& lock, const ChunkHeader& header,
                                                const std::atomic<bool>& over);
  bool may_keep(std::size_t bytes) const;
  Chunk keep(const ChunkHeader& header);
  Incoming* find(TransferId transfer);
  base::Result<Chunk> claim(Lock& lock, Incoming& incoming, const ChunkHeader& header);
  base::Result<Chunk::Finished> copy_chunk(Lock& lock, Incoming& incoming,
                                           const ChunkHeader& header,
                                           std::span<const std::byte> data);
  base::Result<Chunk::Finished> finish_chunk(const ChunkHeader& header);
  base::Result<Chunk::Finished> finish_kept(Chunk& chunk);
  void abandon_chunk(const ChunkHeader& header, bool asked);
  void enter(Incoming& incoming);
  void leave(Incoming& incoming);
  // Takes the sink out of the transfer, once no other thread is inside it.
  std::shared_ptr<BulkSink> take_sink(Lock& lock, TransferId transfer);
  base::Status deliver_kept(TransferId transfer);

  const base::Clock& clock_;
  const std::function<void()> completed_by_frame_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<TransferId, Incoming> incoming_;  // node-based: an Incoming stays where it is
  std::deque<TransferId> forgotten_;         // oldest first; some are gone already
  std::deque<Kept> kept_;
  std::size_t kept_bytes_ = 0;  // those of lanes from their begin on
  std::size_t being_kept_ = 0;  // chunks that lanes are receiving
  std::optional<base::Error> ended_;
};

}  // namespace longwire::session
