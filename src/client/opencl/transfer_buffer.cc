// clEnqueueRead/WriteBuffer and clEnqueueRead/WriteBufferRect. OpenCL 3.0, section 5.2.2.
#include "client/opencl/memory_checks.h"
#include "client/opencl/transfer.h"
#include "opencl/client_api.h"
#include "opencl/messages.h"

namespace longwire::client::opencl {
namespace {

namespace msg = ::longwire::opencl::msg;

struct RectCall {
  const std::size_t* buffer_origin;
  const std::size_t* host_origin;
  const std::size_t* region;
  std::size_t buffer_row_pitch;
  std::size_t buffer_slice_pitch;
  std::size_t host_row_pitch;
  std::size_t host_slice_pitch;
  const void* host;
};

cl_int check_rect(const RectCall& call, const Memory& buffer, BufferRect* device,
                  BufferRect* host) noexcept {
  if (call.host == nullptr) return CL_INVALID_VALUE;
  LW_CL_TRY(BufferRect::make(call.buffer_origin, call.region, call.buffer_row_pitch,
                             call.buffer_slice_pitch, device));
  LW_CL_TRY(BufferRect::make(call.host_origin, call.region, call.host_row_pitch,
                             call.host_slice_pitch, host));
  return device->end() <= buffer.size() ? CL_SUCCESS : CL_INVALID_VALUE;
}

// Fills in what the messages of both directions have in common.
template <class M>
struct RectMessage {
  RectMessage(const Memory& buffer, const BufferRect& rect)
      : origin(rect.origin), region(rect.region) {
    message.buffer = buffer.handle();
    message.origin = origin.view();
    message.region = region.view();
    message.row_pitch = rect.row_pitch;
    message.slice_pitch = rect.slice_pitch;
  }
  const WireExtent origin;
  const WireExtent region;
  M message;
};

// No bytes: since OpenCL 2.1 no error, but still a command in its queue.
cl_int transfer_nothing(Enqueue& command, cl_bool blocking) {
  msg::EnqueueNothing nothing;
  Event& event = command.need_event();
  LW_CL_TRY(command.send(nothing));
  if (blocking == CL_FALSE) return CL_SUCCESS;
  LW_CL_TRY(event.wait());
  return event.status() < 0 ? CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST : CL_SUCCESS;
}

}  // namespace

namespace api {

cl_int EnqueueReadBuffer(cl_command_queue command_queue, cl_mem buffer, cl_bool blocking_read,
                         size_t offset, size_t size, void* ptr, cl_uint num_events_in_wait_list,
                         const cl_event* event_wait_list, cl_event* event) noexcept {
  Enqueue command(CL_COMMAND_READ_BUFFER);
  LW_CL_TRY(command.open(command_queue, num_events_in_wait_list, event_wait_list, event));
  Memory* memory = nullptr;
  LW_CL_TRY(use_buffer(command.at(), buffer, &memory));
  if (ptr == nullptr || !in_bounds(offset, size, memory->size())) return CL_INVALID_VALUE;
  if (!memory->host_may_read()) return CL_INVALID_OPERATION;
  if (size == 0) return transfer_nothing(command, blocking_read);
  command.at().note_read(*memory);
  msg::EnqueueReadBuffer message;
  message.buffer = memory->handle();
  message.offset = offset;
  return read_into(command, message, Rows::linear(ptr, size),
                   {blocking_read != CL_FALSE, event != nullptr, nullptr});
}

cl_int EnqueueWriteBuffer(cl_command_queue command_queue, cl_mem buffer, cl_bool blocking_write,
                          size_t offset, size_t size, const void* ptr,
                          cl_uint num_events_in_wait_list, const cl_event* event_wait_list,
                          cl_event* event) noexcept {
  Enqueue command(CL_COMMAND_WRITE_BUFFER);
  LW_CL_TRY(command.open(command_queue, num_events_in_wait_list, event_wait_list, event));
  Memory* memory = nullptr;
  LW_CL_TRY(use_buffer(command.at(), buffer, &memory));
  if (ptr == nullptr || !in_bounds(offset, size, memory->size())) return CL_INVALID_VALUE;
  if (!memory->host_may_write()) return CL_INVALID_OPERATION;
  if (size == 0) return transfer_nothing(command, blocking_write);
  command.at().note_write(*memory);
  msg::EnqueueWriteBuffer message;
  message.buffer = memory->handle();
  message.offset = offset;
  const bool blocking = blocking_write != CL_FALSE;
  LW_CL_TRY(
      write_from(command, message, Rows::linear(ptr, size), {blocking, event != nullptr, nullptr}));
  return blocking ? wait_for_list(num_events_in_wait_list, event_wait_list) : CL_SUCCESS;
}

cl_int EnqueueReadBufferRect(cl_command_queue command_queue, cl_mem buffer, cl_bool blocking_read,
                             const size_t* buffer_origin, const size_t* host_origin,
                             const size_t* region, size_t buffer_row_pitch,
                             size_t buffer_slice_pitch, size_t host_row_pitch,
                             size_t host_slice_pitch, void* ptr, cl_uint num_events_in_wait_list,
                             const cl_event* event_wait_list, cl_event* event) noexcept {
  Enqueue command(CL_COMMAND_READ_BUFFER_RECT);
  LW_CL_TRY(command.open(command_queue, num_events_in_wait_list, event_wait_list, event));
  Memory* memory = nullptr;
  LW_CL_TRY(use_buffer(command.at(), buffer, &memory));
  BufferRect device;
  BufferRect host;
  LW_CL_TRY(check_rect({buffer_origin, host_origin, region, buffer_row_pitch, buffer_slice_pitch,
                        host_row_pitch, host_slice_pitch, ptr},
                       *memory, &device, &host));
  if (!memory->host_may_read()) return CL_INVALID_OPERATION;
  command.at().note_read(*memory);
  RectMessage<msg::EnqueueReadBufferRect> rect(*memory, device);
  return read_into(command, rect.message, host.rows_at(ptr),
                   {blocking_read != CL_FALSE, event != nullptr, nullptr});
}

cl_int EnqueueWriteBufferRect(cl_command_queue command_queue, cl_mem buffer, cl_bool blocking_write,
                              const size_t* buffer_origin, const size_t* host_origin,
                              const size_t* region, size_t buffer_row_pitch,
                              size_t buffer_slice_pitch, size_t host_row_pitch,
                              size_t host_slice_pitch, const void* ptr,
                              cl_uint num_events_in_wait_list, const cl_event* event_wait_list,
                              cl_event* event) noexcept {
  Enqueue command(CL_COMMAND_WRITE_BUFFER_RECT);
  LW_CL_TRY(command.open(command_queue, num_events_in_wait_list, event_wait_list, event));
  Memory* memory = nullptr;
  LW_CL_TRY(use_buffer(command.at(), buffer, &memory));
  BufferRect device;
  BufferRect host;
  LW_CL_TRY(check_rect({buffer_origin, host_origin, region, buffer_row_pitch, buffer_slice_pitch,
                        host_row_pitch, host_slice_pitch, ptr},
                       *memory, &device, &host));
  if (!memory->host_may_write()) return CL_INVALID_OPERATION;
  command.at().note_write(*memory);
  RectMessage<msg::EnqueueWriteBufferRect> rect(*memory, device);
  const bool blocking = blocking_write != CL_FALSE;
  LW_CL_TRY(
      write_from(command, rect.message, host.rows_at(ptr), {blocking, event != nullptr, nullptr}));
  return blocking ? wait_for_list(num_events_in_wait_list, event_wait_list) : CL_SUCCESS;
}

}  // namespace api
}  // namespace longwire::client::opencl
