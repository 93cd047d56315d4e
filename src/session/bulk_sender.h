// BulkSender: the outgoing transfers of a BulkPort. Lanes take chunks from one queue, the transfers
// taking turns, so that a small one is not stuck behind a large one.
#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>

#include "session/bulk.h"

namespace longwire::session {

class BulkSender {
 private:
  struct Outgoing;

 public:
  struct Chunk {
    TransferId transfer = 0;
    std::uint64_t offset = 0;
    std::span<const std::byte> data;
    std::shared_ptr<Outgoing> whole;  // shared by the queue and the lanes that send its chunks
  };
  using OnSent = std::function<void(base::Status)>;

  void send(TransferId transfer, std::uint64_t offset, std::span<const std::byte> data,
            OnSent on_sent);
  // The next chunk for this lane to send; waits for one. Of the lanes that wait the lowest gets it,
  // whose window is the widest: TCP forgets the window of a connection that has rested.
  // Nothing: the port, or the lane (its `over`), has ended.
  std::optional<Chunk> take(std::size_t lane, const bool& over);
  // What take() gave was sent, or not. Calls on_sent after the last chunk of a transfer.
  void done(const Chunk& chunk, base::Status status);
  // Sets a lane's `over` and wakes its writer.
  void end_lane(std::size_t lane, bool& over);
  // Fails all that no lane has taken yet; later send()s fail.
  void shut_down(const base::Error& why);
  bool idle() const;
  std::size_t waiting_lanes() const;  // inside take()

 private:
  struct Outgoing {
    TransferId transfer = 0;
    std::uint64_t offset = 0;         // of `rest`
    std::span<const std::byte> rest;  // taken by no lane yet
    std::size_t being_sent = 0;       // chunks
    base::Status status;
    OnSent on_sent;
  };

  struct Lane {
    std::condition_variable wake;
    bool waits = false;
  };

  void wake_one();  // REQUIRES: the lock

  mutable std::mutex mutex_;
  std::array<Lane, kMaxLanes> lanes_;
  std::deque<std::shared_ptr<Outgoing>> queue_;
  std::size_t unfinished_ = 0;
  std::optional<base::Error> ended_;
};

}  // namespace longwire::session
