// Transfers: bytes between the client and memory objects (session/bulk.h).
//
//   inline      up to 64 KiB: in the command, or in the reply
//   direct      of an idle queue, in a buffer that the host may touch: without the driver, and with
//               no copy beside the one between link and buffer (direct_transfers.h)
//   staged      whole in one block: eager writes up to kStagedWriteBytes, reads up to
//   kStagedReadBytes,
//               all writes of rects and images
//   streamed    chunk by chunk (transfer_streams.h): writes straight into device memory where that
//               is the host's, else through blocks and a hidden queue of the same device
//
// A streamed transfer stands on the program's queue as two commands: a start (a marker, or a map)
// with the program's wait list, whose completion begins the transfer, and an end (a marker, or an
// unmap) that waits for a user event, the gate, and whose event is the program's. So it keeps its
// place in the queue, and nothing blocks.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>

#include "worker/opencl/session_state.h"

namespace longwire::worker::opencl {

inline constexpr std::uint64_t kStagedReadBytes = std::uint64_t{2} << 20;
inline constexpr std::uint64_t kStagedWriteBytes = std::uint64_t{1} << 20;
inline constexpr std::uint64_t kMaxStagedBytes = std::uint64_t{2} << 30;

// A user event that holds native commands back until it is opened, once. Any thread.
class Gate {
 public:
  Gate(const NativeApi& api, cl_event native) : api_(api), native_(native) {}
  ~Gate();
  cl_event native() const { return native_; }
  // CL_COMPLETE, or negative: what waits for it fails.
  void open(cl_int status);

 private:
  const NativeApi& api_;
  const cl_event native_;
  std::atomic<bool> opened_{false};
};

// A part of a transfer: these of its bytes.
struct Piece {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

// What a transfer's bytes are, tightly packed: rows of slices. A native call moves whole rows of
// one slice, or whole slices; a linear range is one slice with rows of one byte.
struct Shape {
  std::uint64_t row_bytes = 1;
  std::uint64_t rows = 0;
  std::uint64_t slices = 1;
  static Shape linear(std::uint64_t bytes) { return {1, bytes, 1}; }
  std::uint64_t slice_bytes() const { return row_bytes * rows; }
  // The piece that begins at `offset`: at most `most_bytes`, but one row at least.
  // REQUIRES: 0 < all three; offset is where a piece may begin, and inside.
  Piece piece(std::uint64_t offset, std::uint64_t most_bytes) const;
};

// The native call of a transfer, with everything but queue, piece, memory and wait list bound. Kept
// until a streamed transfer has ended.
using NativeRead = std::function<cl_int(cl_command_queue queue, const Piece& piece, void* to,
                                        cl_uint wait_count, const cl_event* wait, cl_event* event)>;
using NativeWrite =
    std::function<cl_int(cl_command_queue queue, const Piece& piece, const void* from,
                         cl_uint wait_count, const cl_event* wait, cl_event* event)>;

// A linear range of a buffer, for streamed writes.
struct BufferRange {
  Ref<Mem> mem;
  std::uint64_t offset = 0;
};

class Transfers {
 public:
  explicit Transfers(SessionState& state);

  // The bytes go to the client, then the reply.
  // `range` is set where a linear range is read.
  base::Status read(SessionState::Command command, const wire::Blob& download, wire::Token token,
                    const Shape& shape, const NativeRead& native, const BufferRange* range);
  // `range` is set where a linear range is written, which can be streamed.
  base::Status write(SessionState::Command command, const wire::Blob& data,
                     const NativeWrite& native, const BufferRange* range);

  // Opens every gate with an error, so that all that waits for data ends. Dispatch thread.
  void give_up();

  // For the streams.
  const NativeApi& api() const { return state_.cl(); }
  const core::Services& services() const { return state_.services(); }
  Completions& completions() { return state_.completions; }

 private:
  class Stream;
  class StreamedRead;
  class StreamedWrite;

  // Where the host may touch the bytes now, so that no native command is needed: nothing of the
  // queue is under way, no event is waited for or wanted. Else null.
  std::byte* at_hand(const core::Outbox::Turn&, const SessionState::Command& command,
                     const BufferRange* range, std::uint64_t bytes) const;
  bool read_at_once(const SessionState::Command& command, const wire::Blob& download,
                    wire::Token token, const BufferRange* range);
  bool write_at_once(const SessionState::Command& command, const wire::Blob& data,
                     const BufferRange* range);
  // Larger ones, by lanes. False: not possible now, to be done by the driver.
  bool lend(const SessionState::Command& command, const wire::Blob& download, wire::Token token,
            const BufferRange* range);
  bool place(const SessionState::Command& command, const wire::Blob& data, const BufferRange* range,
             base::Status* status);
  cl_int make_way(Queue& queue, SessionState::Access access);
  cl_int hold_behind_placed(Queue& queue);
  void read_inline(SessionState::Command& command, const wire::Blob& download, wire::Token token,
                   const NativeRead& native);
  void read_staged(SessionState::Command& command, const wire::Blob& download, wire::Token token,
                   const NativeRead& native);
  void read_streamed(SessionState::Command& command, const wire::Blob& download, wire::Token token,
                     const Shape& shape, const NativeRead& native);
  void write_inline(SessionState::Command& command, const wire::Blob& data,
                    const NativeWrite& native);
  base::Status write_staged(SessionState::Command& command, const wire::Blob& data,
                            const NativeWrite& native);
  base::Status write_streamed(SessionState::Command& command, const wire::Blob& data,
                              const BufferRange& range);
  // `data` is given back when the client has it; `on_taken` when the links have.
  void send_bytes(session::TransferId transfer, std::uint64_t offset,
                  const std::shared_ptr<core::Block>& data,
                  std::function<void(base::Status)> on_taken);
  void reply_read(Queue& queue, std::uint64_t read, wire::Token token, cl_int status);
  void read_failed(const SessionState::Command& command, wire::Token token);

  std::shared_ptr<Gate> make_gate(const SessionState::Command& command, cl_int* status);
  bool can_stream(const SessionState::Command& command) const;
  // The two commands of a streamed transfer on the program's queue.
  bool enqueue_stream(SessionState::Command& command, const std::shared_ptr<Stream>& stream);

  SessionState& state_;
  std::list<std::weak_ptr<Gate>> gates_;  // dispatch thread
  std::size_t prune_gates_at_ = 64;
};

}  // namespace longwire::worker::opencl
