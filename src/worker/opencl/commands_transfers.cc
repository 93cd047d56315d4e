// Reads and writes, Finish, and what else needs its own completion.
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

// The host side is tightly packed: its bytes are the region's, exactly.
void check_bytes(const Triple& region, std::size_t element, std::uint64_t bytes,
                 SessionState::Command& command) {
  std::uint64_t expected = element;
  bool fits = true;
  for (const std::size_t extent : region)
    fits = fits && !__builtin_mul_overflow(expected, extent, &expected);
  if (!fits || expected != bytes) command.fail(CL_INVALID_VALUE);
}

}  // namespace

base::Status Commands::on(const msg::EnqueueReadBuffer& m) {
  auto command = state_.begin(m.queue, m.wait_list, m.event);
  const auto mem = state_.find<Mem>(m.buffer);
  command.fail(mem.status);
  const BufferRange range{Ref<Mem>(mem.object), m.offset};
  return transfers_.read(
      command, m.download, m.token,
      [&](cl_command_queue queue, void* to, cl_uint count, const cl_event* wait, cl_event* event) {
        return api().clEnqueueReadBuffer(queue, mem.object->native, CL_FALSE, m.offset,
                                         m.download.bytes, to, count, wait, event);
      },
      &range);
}

base::Status Commands::on(const msg::EnqueueWriteBuffer& m) {
  auto command = state_.begin(m.queue, m.wait_list, m.event);
  const auto mem = state_.find<Mem>(m.buffer);
  command.fail(mem.status);
  const BufferRange range{Ref<Mem>(mem.object), m.offset};
  return transfers_.write(
      command, m.data,
      [&](cl_command_queue queue, const void* from, cl_uint count, const cl_event* wait,
          cl_event* event) {
        return api().clEnqueueWriteBuffer(queue, mem.object->native, CL_FALSE, m.offset,
                                          m.data.bytes, from, count, wait, event);
      },
      &range);
}

base::Status Commands::on(const msg::EnqueueReadBufferRect& m) {
  auto command = state_.begin(m.queue, m.wait_list, m.event);
  const auto mem = state_.find<Mem>(m.buffer);
  command.fail(mem.status);
  const Triple origin = triple(m.origin, command);
  const Triple region = triple(m.region, command);
  check_bytes(region, 1, m.download.bytes, command);
  const Triple host_origin{};
  return transfers_.read(
      command, m.download, m.token,
      [&](cl_command_queue queue, void* to, cl_uint count, const cl_event* wait, cl_event* event) {
        return api().clEnqueueReadBufferRect(queue, mem.object->native, CL_FALSE, origin.data(),
                                             host_origin.data(), region.data(), m.row_pitch,
                                             m.slice_pitch, 0, 0, to, count, wait, event);
      },
      nullptr);
}

base::Status Commands::on(const msg::EnqueueWriteBufferRect& m) {
  auto command = state_.begin(m.queue, m.wait_list, m.event);
  const auto mem = state_.find<Mem>(m.buffer);
  command.fail(mem.status);
  const Triple origin = triple(m.origin, command);
  const Triple region = triple(m.region, command);
  check_bytes(region, 1, m.data.bytes, command);
  const Triple host_origin{};
  return transfers_.write(
      command, m.data,
      [&](cl_command_queue queue, const void* from, cl_uint count, const cl_event* wait,
          cl_event* event) {
        return api().clEnqueueWriteBufferRect(queue, mem.object->native, CL_FALSE, origin.data(),
                                              host_origin.data(), region.data(), m.row_pitch,
                                              m.slice_pitch, 0, 0, from, count, wait, event);
      },
      nullptr);
}

base::Status Commands::on(const msg::EnqueueReadImage& m) {
  auto command = state_.begin(m.queue, m.wait_list, m.event);
  const auto mem = state_.find<Mem>(m.image);
  command.fail(mem.status);
  const Triple origin = triple(m.origin, command);
  const Triple region = triple(m.region, command);
  if (command.ok()) check_bytes(region, mem.object->element_bytes, m.download.bytes, command);
  return transfers_.read(
      command, m.download, m.token,
      [&](cl_command_queue queue, void* to, cl_uint count, const cl_event* wait, cl_event* event) {
        return api().clEnqueueReadImage(queue, mem.object->native, CL_FALSE, origin.data(),
                                        region.data(), 0, 0, to, count, wait, event);
      },
      nullptr);
}

base::Status Commands::on(const msg::EnqueueWriteImage& m) {
  auto command = state_.begin(m.queue, m.wait_list, m.event);
  const auto mem = state_.find<Mem>(m.image);
  command.fail(mem.status);
  const Triple origin = triple(m.origin, command);
  const Triple region = triple(m.region, command);
  if (command.ok()) check_bytes(region, mem.object->element_bytes, m.data.bytes, command);
  return transfers_.write(
      command, m.data,
      [&](cl_command_queue queue, const void* from, cl_uint count, const cl_event* wait,
          cl_event* event) {
        return api().clEnqueueWriteImage(queue, mem.object->native, CL_FALSE, origin.data(),
                                         region.data(), 0, 0, from, count, wait, event);
      },
      nullptr);
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
