#include "client/opencl/residency.h"

#include <memory>

#include "client/opencl/enqueue.h"
#include "client/opencl/image.h"
#include "client/opencl/memory.h"
#include "client/opencl/transfer.h"
#include "opencl/messages.h"

namespace longwire::client::opencl {
namespace {

namespace msg = ::longwire::opencl::msg;

// Node indexes beyond the bits are never taken to be current.
constexpr std::size_t kTrackedNodes = 64;

// All bytes of a memory object, packed, between two nodes. Shared by the read, which fills it, and
// the upload, which empties it.
struct Passage {
  explicit Passage(std::size_t size) : bytes(size), data(new std::byte[size]) {}
  std::size_t bytes;
  std::unique_ptr<std::byte[]> data;
};

std::size_t tight_bytes(Memory& memory) noexcept {
  Image* const image = memory.as_image();
  if (image == nullptr) return memory.size();
  const std::size_t row_pitch = image->shape().tight_row_pitch();
  return image->shape().bytes(row_pitch, image->shape().tight_slice_pitch(row_pitch));
}

// Calls send(message) with the message that moves all of `memory`; buffers and images differ in it.
template <class BufferMessage, class ImageMessage, class Send>
cl_int with_message(Memory& memory, Send&& send) {
  if (Image* const image = memory.as_image(); image != nullptr) {
    const WireExtent origin({0, 0, 0});
    const WireExtent region(image->shape().box());
    ImageMessage message;
    message.image = memory.handle();
    message.origin = origin.view();
    message.region = region.view();
    return send(message);
  }
  BufferMessage message;
  message.buffer = memory.handle();
  message.offset = 0;
  return send(message);
}

// What follows on an out-of-order queue starts only behind a barrier; `wait_for`: 0, or an event.
cl_int put_barrier(Queue& queue, wire::Handle wait_for = 0) noexcept {
  msg::EnqueueBarrierWithWaitList message;
  message.queue = queue.handle();
  if (wait_for != 0) message.wait_list = wire::U64View(&wait_for, 1);
  return queue.node().send(message);
}

// Reads what `writer` wrote, behind it. *arrived is complete when the bytes are in the passage.
cl_int start_reading(Queue& writer, Memory& root, Passage& passage, Ref<Event>* arrived) {
  if (writer.out_of_order()) LW_CL_TRY(put_barrier(writer));
  Enqueue command(CL_COMMAND_MIGRATE_MEM_OBJECTS);
  LW_CL_TRY(command.open(to_cl<cl_command_queue>(&writer), 0, nullptr, nullptr));
  *arrived = Ref<Event>(&command.need_event());
  LW_CL_TRY((with_message<msg::EnqueueReadBuffer, msg::EnqueueReadImage>(root, [&](auto& message) {
    const Rows rows = Rows::linear(passage.data.get(), passage.bytes);
    return read_into(command, message, rows, {false, true, &root});
  })));
  return writer.flush();
}

// A write that keeps its place in the queue, whose bytes are sent once they have arrived here. A
// read that failed leaves bytes that nobody may rely on, but nobody waiting.
cl_int start_writing(const EnqueueContext& at, Memory& root,
                     const std::shared_ptr<Passage>& passage, Event& arrived) {
  Node& node = at.queue.node();
  Enqueue command(CL_COMMAND_MIGRATE_MEM_OBJECTS);
  LW_CL_TRY(command.open(to_cl<cl_command_queue>(&at.queue),
                         static_cast<cl_uint>(at.wait_events.size()), at.wait_events.data(),
                         nullptr));
  const Ref<Event> copied(&command.need_event());
  const wire::Blob blob = node.session().make_blob_for_later(passage->bytes);
  LW_CL_TRY(
      (with_message<msg::EnqueueWriteBuffer, msg::EnqueueWriteImage>(root, [&](auto& message) {
        message.data = blob;
        return command.send(message);
      })));
  arrived.when_done([&node, blob, passage](cl_int) {
    node.session().post([&node, blob, passage] {
      const std::span<const std::byte> data(passage->data.get(), passage->bytes);
      node.session().start_upload(blob, data, [passage](const base::Status&) {});
    });
  });
  if (at.queue.out_of_order()) LW_CL_TRY(put_barrier(at.queue));
  root.residency().note_copy(node, copied);
  return CL_SUCCESS;
}

// The latest bytes pass through this process, from where they were written last to where `at` is.
// Nothing waits here: a program may enqueue all of it before it sets the user event that starts it.
cl_int start_copy(const EnqueueContext& at, Memory& root) {
  const Ref<Queue> writer = root.residency().last_writer();
  const auto passage = std::make_shared<Passage>(tight_bytes(root));
  Ref<Event> arrived;
  LW_CL_TRY(start_reading(*writer, root, *passage, &arrived));
  // The passage lives until the read has ended, also where nothing is uploaded from it.
  arrived->when_done([passage](cl_int) {});
  return start_writing(at, root, passage, *arrived);
}

cl_int make_current(const EnqueueContext& at, Memory& root) {
  Residency& residency = root.residency();
  Node& node = at.queue.node();
  if (!residency.holds(node)) return start_copy(at, root);
  const Ref<Event> copy = residency.copy_under_way(node);
  if (!copy || copy->queue() == &at.queue) return CL_SUCCESS;
  const wire::Handle wait_for = copy->handle_on(node);
  return wait_for == 0 ? CL_SUCCESS : put_barrier(at.queue, wait_for);
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

void Residency::note_copy(const Node& node, Ref<Event> copied) {
  const std::lock_guard lock(mutex_);
  current_ |= bit(node);
  copies_.push_back(std::move(copied));
}

Ref<Event> Residency::copy_under_way(const Node& node) const noexcept {
  const std::lock_guard lock(mutex_);
  for (const Ref<Event>& copy : copies_) {
    if (&copy->node() == &node && !copy->done()) return copy;
  }
  return {};
}

void Residency::note_write(Queue& queue) noexcept {
  Ref<Queue> before(&queue);
  std::vector<Ref<Event>> old;
  const std::lock_guard lock(mutex_);
  current_ = bit(queue.node());
  std::swap(last_writer_, before);
  copies_.swap(old);
}

cl_int bring_memory_up_to_date(const EnqueueContext& at) noexcept {
  for (const auto* list : {&at.reads, &at.writes}) {
    for (Memory* memory : *list)
      LW_CL_TRY(make_current(at, memory->root()));
  }
  for (Memory* memory : at.writes)
    memory->residency().note_write(at.queue);
  return CL_SUCCESS;
}

}  // namespace longwire::client::opencl
