// BulkSender: the outgoing transfers of a BulkPort. Lanes take chunks from one queue, the transfers
// taking turns, so that a small one is not stuck behind a large one. Where lanes are repaired it
// also knows what each lane has taken and the other side has not confirmed, and sends that again.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "session/bulk.h"

namespace longwire::session {

class BulkSender {
 private:
  struct Outgoing;

 public:
  using OnSent = BulkPort::OnSent;

  class Chunk {
   public:
    TransferId transfer() const;
    std::uint64_t offset() const { return offset_; }
    std::size_t bytes() const { return bytes_; }

   private:
    friend class BulkSender;
    std::shared_ptr<Outgoing> whole_;  // shared by the queues and the lanes that send its chunks
    std::uint64_t offset_ = 0;         // in the transfer
    std::size_t bytes_ = 0;
    bool taken_ = false;     // by a link, once
    bool given_up_ = false;  // by the lane that has it now, which could not write it
  };

  // What one lane has taken. Guarded by the sender's lock.
  class Lane {
   private:
    friend class BulkSender;
    std::deque<Chunk> unconfirmed_;  // oldest first
    std::uint64_t confirmed_ = 0;    // chunks, since the lane began
    std::condition_variable wake_;
    bool waits_ = false;  // inside take()
    bool over_ = false;   // takes no more
    bool left_ = false;   // its writer has gone
    bool final_ = false;  // no more will be confirmed
  };

  explicit BulkSender(LaneLoss lane_loss) : repairs_(lane_loss == LaneLoss::kIsRepaired) {}

  void send(TransferId transfer, std::uint64_t offset, std::span<const std::byte> data,
            OnSent on_received, OnSent on_taken);
  bool rebase(TransferId transfer, std::span<const std::byte> data);

  // The bytes of a chunk that take() gave, from the so-manyth on. They stay where they are until
  // unlock_data(): not while anybody waits, as rebase() waits for that.
  std::span<const std::byte> lock_data(const Chunk& chunk, std::size_t from);
  void unlock_data(const Chunk& chunk);

  // --- a lane's writer ---
  void add_lane(Lane& lane);
  // The next chunk to send; waits for one. Of the lanes that wait the oldest gets it, whose window
  // is the widest: TCP forgets the window of a connection that has rested. Nothing: the port, or
  // the lane, has ended.
  std::optional<Chunk> take(Lane& lane);
  // What take() gave was sent, or not.
  void taken(Lane& lane, const Chunk& chunk, base::Status status);
  void leave(Lane& lane);  // the writer's last call

  // The lane takes no more; its writer is woken. May be called again.
  void end_lane(Lane& lane);
  // The other side has received so many chunks of the lane, in all; `final`: and it will be no more
  // of them. kWireFault: so many were never sent.
  base::Status confirm(Lane& lane, std::uint64_t chunks, bool final);

  // --- while there is no lane ---
  // Waits until no lane is there to take what is to be sent, or poke() was called. False: the port
  // has ended.
  bool await_frame_work();
  void poke();
  // The next chunk to be sent as frames, which never get lost.
  std::optional<Chunk> take_for_frames();
  void sent_as_frames(const Chunk& chunk, base::Status status);

  // Fails all that is not received yet; later send()s fail.
  void shut_down(const base::Error& why);
  bool idle() const;
  std::size_t waiting_lanes() const;  // inside take()

 private:
  struct Outgoing {
    TransferId transfer = 0;
    std::uint64_t begin = 0;  // offset in the transfer of `data`
    std::span<const std::byte> data;
    std::size_t cut = 0;         // bytes of `data` that are in chunks
    std::size_t untaken = 0;     // chunks that no link has taken yet
    std::size_t unreceived = 0;  // chunks that are not confirmed yet
    std::size_t in_hand = 0;     // chunks that a writer is sending now
    std::size_t readers = 0;     // of `data`, at this moment
    std::size_t place = 0;       // in all_
    base::Status status;
    OnSent on_received;
    OnSent on_taken;
  };
  // Calls that are due, to be made without the lock.
  struct Due {
    OnSent taken;
    OnSent received;
    base::Status status;
    void call() const;
  };
  Due due_of(Outgoing& whole);
  Chunk next_chunk();
  bool has_work() const { return !again_.empty() || !queue_.empty(); }
  void send_again(Lane& lane);
  void wake_one();
  void fail(Outgoing& whole, base::Status status);
  void finish(Outgoing& whole);

  const bool repairs_;
  mutable std::mutex mutex_;
  std::condition_variable frames_wanted_;        // for who sends while there is no lane
  std::condition_variable unread_;               // for rebase()
  std::vector<std::shared_ptr<Outgoing>> all_;   // until they are received
  std::deque<std::shared_ptr<Outgoing>> queue_;  // those with bytes that are in no chunk yet
  std::deque<Chunk> again_;                      // of lanes that broke
  std::vector<Lane*> lanes_;                     // that take chunks, the oldest first
  bool poked_ = false;
  std::optional<base::Error> ended_;
};

}  // namespace longwire::session
