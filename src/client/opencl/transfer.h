// Moving bytes between the program's memory and commands: the one road of every read, write, map
// and unmap. docs/ARCHITECTURE.md, decisions 4 and 6.
//
// Up to session::kInlineBytes ride in the command (writes) or its reply (reads); more goes by
// lanes, straight from or into the program's memory where its rows are tight, else through a packed
// copy.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <new>
#include <optional>
#include <utility>

#include "client/opencl/enqueue.h"
#include "client/opencl/hazards.h"
#include "client/opencl/memory.h"
#include "client/opencl/transfer_rows.h"

namespace longwire::client::opencl {

struct TransferMode {
  bool blocking = false;
  bool wants_event = false;  // the program has asked for one
  Memory* keep = nullptr;    // lives until the bytes have moved: the owner of the shadow they use
};

// A download under way. Shared by the reply's handler, the lanes' sink and a waiting thread; the
// last of them deletes it.
class ReadUnderWay {
 public:
  ReadUnderWay(Enqueue& command, const Rows& rows, const TransferMode& mode);

  // False: out of memory; only discard() is allowed.
  bool ready() const noexcept { return ready_; }
  // For the message's `download`.
  const wire::Blob& blob() const noexcept { return blob_; }
  void on_reply(const core::ReplyView& reply) noexcept;

  // The command was not sent: nobody else has this object.
  void discard() noexcept;

  // Waits until the bytes are there; gives the read's own status. Ends the caller's share.
  cl_int wait() noexcept;
  // Ends a share without waiting.
  void drop() noexcept;

  // An event that is complete only when the bytes are there. Before the command is sent.
  void hold_event(Event& event) noexcept;

 private:
  ~ReadUnderWay() = default;
  void parts_done(int count) noexcept;
  void finish() noexcept;

  Node& node_;
  const Ref<Queue> queue_;
  const MemoryHold keep_;
  const Ref<Event> fence_;  // a barrier before it
  Ref<Event> event_;
  const Rows rows_;
  bool ready_ = true;
  std::unique_ptr<std::byte[]> packed_;  // where lanes put bytes whose rows are not tight
  wire::Blob blob_;
  std::optional<core::NodeSession::Download> download_;
  const std::uint64_t number_;                  // in its queue's ReadOrder
  std::optional<PendingReads::Ticket> ticket_;  // of a read that nobody waits for
  std::atomic<cl_int> status_{CL_SUCCESS};
  std::atomic<bool> lanes_done_{true};
  std::atomic<int> parts_{1};   // the reply, and the lanes
  std::atomic<int> shares_{2};  // the caller, and the parts together
  std::atomic<bool> done_{false};
};

// Sends `message` (whose `download` is filled in here) and has its bytes put into `rows`. Blocking:
// returns when they are there, with the read's status.
template <class M>
cl_int read_into(Enqueue& command, M& message, const Rows& rows,
                 const TransferMode& mode) noexcept {
  auto* read = new (std::nothrow) ReadUnderWay(command, rows, mode);
  if (read == nullptr) return CL_OUT_OF_HOST_MEMORY;
  if (!read->ready()) {
    read->discard();
    return CL_OUT_OF_HOST_MEMORY;
  }
  message.download = read->blob();
  if (mode.wants_event) read->hold_event(command.need_event());
  using Flush = core::NodeSession::Flush;
  const cl_int sent = command.request(
      message, [read](const core::ReplyView& reply) { read->on_reply(reply); },
      mode.blocking ? Flush::kByCaller : Flush::kSoon);
  if (sent != CL_SUCCESS) {
    read->discard();
    return sent;
  }
  if (mode.blocking) return read->wait();
  read->drop();
  return CL_SUCCESS;
}

// The bytes of a write between make_blob() and the lanes' end. While a read under way will still
// fill them, a blocking write waits for it, and a non-blocking one has its bytes follow later.
class WriteSource {
 public:
  WriteSource(Enqueue& command, const Rows& rows, const TransferMode& mode);
  bool ready() const noexcept { return ready_; }  // false: out of memory
  wire::Blob blob() const noexcept { return blob_; }
  // After the command was sent. Blocking: returns when `rows` may be used again.
  cl_int start(Enqueue& command) noexcept;

 private:
  bool pack() noexcept;
  std::span<const std::byte> data() const noexcept;
  void upload_when_read(Enqueue& command);

  const Rows rows_;
  const TransferMode mode_;
  bool follows_ = false;  // the bytes are not there yet
  bool ready_ = true;
  std::shared_ptr<std::byte[]> packed_;  // rows that are not tight; shared with the lane
  wire::Blob blob_;
};

// Sends `message` (whose `data` is filled in here) with the bytes of `rows`. Blocking: returns when
// the bytes have been taken from the program's memory.
template <class M>
cl_int write_from(Enqueue& command, M& message, const Rows& rows,
                  const TransferMode& mode) noexcept {
  WriteSource source(command, rows, mode);
  if (!source.ready()) return CL_OUT_OF_HOST_MEMORY;
  message.data = source.blob();
  LW_CL_TRY(command.send(message));
  return source.start(command);
}

// What a blocking write returns about its wait list, as natively: waits for those events.
cl_int wait_for_list(cl_uint count, const cl_event* events) noexcept;

}  // namespace longwire::client::opencl
