// The streamed transfers of transfers.h: what becomes of them between their two commands on the
// program's queue. Each is kept alive by its callbacks. Threads: the driver's callbacks, lanes.
#pragma once

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "worker/opencl/transfers.h"

namespace longwire::worker::opencl {

// What both directions share.
class Transfers::Stream : public std::enable_shared_from_this<Transfers::Stream> {
 public:
  Stream(Transfers& owner, const SessionState::Command& command, const wire::Blob& blob,
         std::shared_ptr<Gate> gate, cl_command_queue hidden);
  virtual ~Stream() = default;

  // The two commands on the program's queue: the one whose completion begins the stream, and the
  // one behind the gate, whose event is the program's.
  virtual cl_int enqueue_start(const SessionState::Command& command, cl_event* event);
  virtual cl_int enqueue_end(const SessionState::Command& command, cl_event* event);
  // The first has completed with `status`. Callback thread.
  virtual void begin(cl_int status) = 0;
  // The program's event is being reported.
  virtual void reported(core::Outbox::Turn&) {}

  void note_start(cl_event start);

  const std::shared_ptr<Gate> gate;  // shared with the list that gives up
  Ref<Event> event;                  // the program's

 protected:
  // Watches one native chunk; `done` runs when it is complete.
  void watch_chunk(cl_event native, std::function<void(cl_int)> done);
  // Lets the program's event complete. Once.
  void end(cl_int status);

  Transfers& owner_;
  const NativeApi& api_;
  const Ref<Queue> queue_;
  const wire::Blob blob_;
  const cl_command_queue hidden_;
  std::mutex mutex_;

 private:
  void note_times(cl_event chunk);
  EventTimes times_{};
  std::uint64_t last_end_ = 0;
  bool ended_ = false;  // guarded by mutex_
};

// Reads piece after piece, a few at once, and sends each as it comes.
class Transfers::StreamedRead final : public Stream {
 public:
  StreamedRead(Transfers& owner, const SessionState::Command& command, const wire::Blob& blob,
               std::shared_ptr<Gate> gate, cl_command_queue hidden, wire::Token token,
               const Shape& shape, const NativeRead& native);
  // It never came to begin: somebody else replies.
  void withdraw();
  void begin(cl_int status) override;

 private:
  void go_on();
  void issue(const Piece& piece);
  void note_read(std::size_t bytes);
  void chunk_over(cl_int status);

  const wire::Token token_;
  const Shape shape_;
  const NativeRead native_;
  const std::uint64_t read_number_;
  std::uint64_t next_ = 0;
  std::uint64_t read_ = 0;
  std::size_t under_way_ = 0;
  cl_int failed_ = CL_SUCCESS;
  bool issuing_ = false;
  bool again_ = false;
  bool replied_ = false;
};

// Writes chunk by chunk. Where the device's memory is the host's the two commands are a map and an
// unmap, and lanes receive straight into the mapped range; otherwise chunks go through blocks and
// native writes. A rendezvous is granted when its turn has come. Eager bytes may come before that:
// they wait in blocks, for which the client has credit.
class Transfers::StreamedWrite final : public Stream, public core::ChunkConsumer {
 public:
  StreamedWrite(Transfers& owner, const SessionState::Command& command, const wire::Blob& blob,
                std::shared_ptr<Gate> gate, cl_command_queue hidden, const BufferRange& range);

  // After enqueue_start(), on the dispatch thread: eager bytes may come from now on.
  base::Status expect_eager();

  cl_int enqueue_start(const SessionState::Command& command, cl_event* event) override;
  cl_int enqueue_end(const SessionState::Command& command, cl_event* event) override;
  void begin(cl_int status) override;
  void reported(core::Outbox::Turn& turn) override;

  std::span<std::byte> place(std::uint64_t offset, std::size_t bytes) override;
  void on_placed(std::size_t bytes, bool last) override;
  void on_chunk(std::uint64_t offset, std::size_t bytes, core::Block chunk, bool last) override;
  void on_aborted(const base::Error& why) override;

 private:
  struct Chunk {
    std::uint64_t offset;
    core::Block block;
  };
  bool eager() const { return blob_.mode == wire::BlobMode::kEager; }
  std::shared_ptr<StreamedWrite> self() {
    return std::static_pointer_cast<StreamedWrite>(shared_from_this());
  }
  void write(std::uint64_t offset, core::Block chunk);
  void chunk_over(cl_int status, std::size_t bytes);
  bool over();
  void finish(cl_int status);
  void unmap_aside();

  const BufferRange range_;
  std::mutex copy_mutex_;        // held while a block is copied to the mapped range
  std::byte* mapped_ = nullptr;  // since the start was enqueued; to be touched once it is complete
  bool begun_ = false;
  bool finished_ = false;
  std::vector<Chunk> early_;  // before it began
  std::uint64_t written_ = 0;
  cl_int failed_ = CL_SUCCESS;
  // The event has been reported; all bytes have come. Whoever is second gives the credit back.
  std::atomic<int> credit_waits_for_{2};
};

}  // namespace longwire::worker::opencl
