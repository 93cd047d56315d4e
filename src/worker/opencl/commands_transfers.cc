// Reads and writes, Finish, and what else needs its own completion.
#include <algorithm>
#include <array>

#include "worker/opencl/commands.h"

namespace longwire::worker::opencl {
namespace {

using Triple = std::array<std::size_t, 3>;

// Three numbers; anything else fails the command.
Triple triple(wire::U64View values, SessionState::Command& command) {
  if (values.size() != 3) {
    command.fail(CL_INVALID_VALUE);
    return {};
  }
  return {values[0], values[1], values[2]};
}

// The host side is tightly packed: its bytes are the region's, exactly, and there are some.
void check_bytes(const Triple& region, std::size_t element, std::uint64_t bytes,
                 SessionState::Command& command) {
  std::uint64_t expected = element;
  bool fits = bytes > 0;
  for (const std::size_t extent : region)
    fits = fits && !__builtin_mul_overflow(expected, extent, &expected);
  if (!fits || expected != bytes) command.fail(CL_INVALID_VALUE);
}

// What a transfer touches: a box of a memory object. Of a buffer the elements are bytes.
struct Box {
  SessionState::Command command;
  Ref<Mem> mem;
  Triple origin{};
  Triple region{};
  Shape shape;

  struct Part {
    Triple origin;
    Triple region;
  };
  Part part(const Piece& piece) const {
    Part part{origin, region};
    const std::uint64_t slice_bytes = shape.slice_bytes();
    part.origin[2] += piece.offset / slice_bytes;
    part.region[2] = std::max<std::uint64_t>(piece.bytes / slice_bytes, 1);
    if (piece.bytes >= slice_bytes) return part;
    part.origin[1] += piece.offset % slice_bytes / shape.row_bytes;
    part.region[1] = piece.bytes / shape.row_bytes;
    return part;
  }
};

template <class M>
Box box_of(SessionState& state, const M& m, Handle object, const wire::Blob& data) {
  Box box;
  box.command = state.begin(m.queue, m.wait_list, m.event);
  const auto mem = state.find<Mem>(object);
  box.command.fail(mem.status);
  box.mem = Ref<Mem>(mem.object);
  box.origin = triple(m.origin, box.command);
  box.region = triple(m.region, box.command);
  if (!box.command.ok()) return box;
  const std::size_t element = std::max<std::size_t>(mem.object->element_bytes, 1);
  check_bytes(box.region, element, data.bytes, box.command);
  box.shape = {element * box.region[0], box.region[1], box.region[2]};
  return box;
}

// The three kinds of native call, each for both directions.
template <class Call>
auto linear_call(Call call, const Ref<Mem>& mem, std::uint64_t offset) {
  return [=](cl_command_queue queue, const Piece& piece, auto* host, cl_uint count,
             const cl_event* wait, cl_event* event) {
    return call(queue, mem->native, CL_FALSE, offset + piece.offset, piece.bytes, host, count, wait,
                event);
  };
}
template <class Call>
auto rect_call(Call call, const Box& box, std::size_t row_pitch, std::size_t slice_pitch) {
  // Said in numbers: what 0 stands for depends on the region, and a piece has another.
  if (row_pitch == 0) row_pitch = box.region[0];
  if (slice_pitch == 0) slice_pitch = box.region[1] * row_pitch;
  return [=](cl_command_queue queue, const Piece& piece, auto* host, cl_uint count,
             const cl_event* wait, cl_event* event) {
    const Triple host_origin{};
    const Box::Part part = box.part(piece);
    return call(queue, box.mem->native, CL_FALSE, part.origin.data(), host_origin.data(),
                part.region.data(), row_pitch, slice_pitch, 0, 0, host, count, wait, event);
  };
}
template <class Call>
auto image_call(Call call, const Box& box) {
  return [=](cl_command_queue queue, const Piece& piece, auto* host, cl_uint count,
             const cl_event* wait, cl_event* event) {
    const Box::Part part = box.part(piece);
    return call(queue, box.mem->native, CL_FALSE, part.origin.data(), part.region.data(), 0, 0,
                host, count, wait, event);
  };
}

}  // namespace

base::Status Commands::on(const msg::EnqueueReadBuffer& m) {
  auto command = state_.begin(m.queue, m.wait_list, m.event, SessionState::Access::kReads);
  const auto mem = state_.find<Mem>(m.buffer);
  command.fail(mem.status);
  const BufferRange range{Ref<Mem>(mem.object), m.offset};
  return transfers_.read(command, m.download, m.token, Shape::linear(m.download.bytes),
                         linear_call(api().clEnqueueReadBuffer, range.mem, m.offset), &range);
}

base::Status Commands::on(const msg::EnqueueWriteBuffer& m) {
  auto command = state_.begin(m.queue, m.wait_list, m.event);
  const auto mem = state_.find<Mem>(m.buffer);
  command.fail(mem.status);
  const BufferRange range{Ref<Mem>(mem.object), m.offset};
  return transfers_.write(command, m.data,
                          linear_call(api().clEnqueueWriteBuffer, range.mem, m.offset), &range);
}

base::Status Commands::on(const msg::EnqueueReadBufferRect& m) {
  const Box box = box_of(state_, m, m.buffer, m.download);
  return transfers_.read(box.command, m.download, m.token, box.shape,
                         rect_call(api().clEnqueueReadBufferRect, box, m.row_pitch, m.slice_pitch),
                         nullptr);
}

base::Status Commands::on(const msg::EnqueueWriteBufferRect& m) {
  const Box box = box_of(state_, m, m.buffer, m.data);
  return transfers_.write(
      box.command, m.data,
      rect_call(api().clEnqueueWriteBufferRect, box, m.row_pitch, m.slice_pitch), nullptr);
}

base::Status Commands::on(const msg::EnqueueReadImage& m) {
  const Box box = box_of(state_, m, m.image, m.download);
  return transfers_.read(box.command, m.download, m.token, box.shape,
                         image_call(api().clEnqueueReadImage, box), nullptr);
}

base::Status Commands::on(const msg::EnqueueWriteImage& m) {
  const Box box = box_of(state_, m, m.image, m.data);
  return transfers_.write(box.command, m.data, image_call(api().clEnqueueWriteImage, box), nullptr);
}

// A marker without wait list waits for everything before it, which an out-of-order queue has not
// asked for: there, nothing is complete at once.
base::Status Commands::on(const msg::EnqueueNothing& m) {
  auto command = state_.begin(m.queue, m.wait_list, m.event);
  cl_event native = nullptr;
  if (command.ok()) {
    if (command.queue->in_order || !command.wait.empty()) {
      command.fail(api().clEnqueueMarkerWithWaitList(command.queue->native, command.wait_count(),
                                                     command.wait_events(), &native));
    } else {
      cl_int status = CL_SUCCESS;
      native = api().clCreateUserEvent(command.queue->context->native, &status);
      if (status == CL_SUCCESS) status = api().clSetUserEventStatus(native, CL_COMPLETE);
      command.fail(status);
    }
  }
  if (!command.ok()) {
    state_.not_started(command);
    reply(m.token, command.status);
    return {};
  }
  const auto event = state_.make_event(command, native);
  if (m.token != 0) {
    event->in_turn = [token = m.token](core::Outbox::Turn& turn, cl_int status) {
      turn.reply(token, status < 0 ? status : CL_SUCCESS);
    };
  }
  state_.started(command, event);
  return {};
}

base::Status Commands::on(const msg::Finish& m) {
  const auto queue = state_.find<Queue>(m.queue);
  if (queue.ok()) {
    state_.completions.finish(*queue.object, m.token);
  } else {
    reply(m.token, queue.status);
  }
  return {};
}

}  // namespace longwire::worker::opencl
