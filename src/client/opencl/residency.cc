#include "client/opencl/residency.h"

#include <memory>
#include <vector>

#include "client/opencl/enqueue.h"
#include "client/opencl/image.h"
#include "client/opencl/memory.h"
#include "client/opencl/transfer.h"
#include "opencl/messages.h"

namespace longwire::client::opencl {
namespace {

namespace msg = ::longwire::opencl::msg;

// Node indexes beyond the bits share the last one, which is then never taken to be current.
constexpr std::size_t kTrackedNodes = 63;

// Reads or writes all bytes of `memory` by a command of our own on `queue`, and waits for it.
// `images` and buffers differ in the message alone.
template <class BufferMessage, class ImageMessage, class Move>
cl_int move_all(Queue& queue, Memory& memory, std::byte* bytes, Move&& move) noexcept {
  Enqueue command(CL_COMMAND_MIGRATE_MEM_OBJECTS);
  LW_CL_TRY(command.open(to_cl<cl_command_queue>(&queue), 0, nullptr, nullptr));
  if (Image* const image = memory.as_image(); image != nullptr) {
    const ImageShape& shape = image->shape();
    const WireExtent origin({0, 0, 0});
    const WireExtent region(shape.box());
    const std::size_t row_pitch = shape.tight_row_pitch();
    ImageMessage message;
    message.image = memory.handle();
    message.origin = origin.view();
    message.region = region.view();
    return move(command, message,
                shape.rows_of(shape.box(), bytes, row_pitch, shape.tight_slice_pitch(row_pitch)));
  }
  BufferMessage message;
  message.buffer = memory.handle();
  message.offset = 0;
  return move(command, message, Rows::linear(bytes, memory.size()));
}

std::size_t tight_bytes(Memory& memory) noexcept {
  Image* const image = memory.as_image();
  if (image == nullptr) return memory.size();
  const std::size_t row_pitch = image->shape().tight_row_pitch();
  return image->shape().bytes(row_pitch, image->shape().tight_slice_pitch(row_pitch));
}

// An out-of-order queue starts the command that needs the copy only behind a barrier.
cl_int put_barrier(Queue& queue) noexcept {
  if (!queue.out_of_order()) return CL_SUCCESS;
  msg::EnqueueBarrierWithWaitList message;
  message.queue = queue.handle();
  return queue.node().send(message);
}

// Fetches the latest bytes from where they were written last, and puts them where `queue` is.
cl_int copy_to(Queue& queue, Memory& root) noexcept {
  const Ref<Queue> writer = root.residency().last_writer();
  if (!writer) return CL_SUCCESS;
  LW_CL_TRY(writer->finish());
  const auto bytes = std::make_unique_for_overwrite<std::byte[]>(tight_bytes(root));
  const TransferMode blocking{true, false, nullptr};
  LW_CL_TRY((move_all<msg::EnqueueReadBuffer, msg::EnqueueReadImage>(
      *writer, root, bytes.get(), [&](Enqueue& command, auto& message, const Rows& rows) {
        return read_into(command, message, rows, blocking);
      })));
  LW_CL_TRY((move_all<msg::EnqueueWriteBuffer, msg::EnqueueWriteImage>(
      queue, root, bytes.get(), [&](Enqueue& command, auto& message, const Rows& rows) {
        return write_from(command, message, rows, blocking);
      })));
  LW_CL_TRY(put_barrier(queue));
  root.residency().note_copy(queue.node());
  return CL_SUCCESS;
}

}  // namespace

std::uint64_t Residency::bit(const Node& node) noexcept {
  return node.index() < kTrackedNodes ? std::uint64_t{1} << node.index() : 0;
}

bool Residency::holds(const Node& node) const noexcept {
  const std::lock_guard lock(mutex_);
  return (current_ & bit(node)) != 0 || !last_writer_;
}

Ref<Queue> Residency::last_writer() const noexcept {
  const std::lock_guard lock(mutex_);
  return last_writer_;
}

void Residency::note_copy(const Node& node) noexcept {
  const std::lock_guard lock(mutex_);
  current_ |= bit(node);
}

void Residency::note_write(Queue& queue) noexcept {
  Ref<Queue> before(&queue);
  const std::lock_guard lock(mutex_);
  current_ = bit(queue.node());
  std::swap(last_writer_, before);
}

cl_int bring_memory_up_to_date(const EnqueueContext& at) noexcept {
  for (const auto* list : {&at.reads, &at.writes}) {
    for (Memory* memory : *list) {
      Memory& root = memory->root();
      if (!root.residency().holds(at.queue.node())) LW_CL_TRY(copy_to(at.queue, root));
    }
  }
  for (Memory* memory : at.writes)
    memory->residency().note_write(at.queue);
  return CL_SUCCESS;
}

}  // namespace longwire::client::opencl
