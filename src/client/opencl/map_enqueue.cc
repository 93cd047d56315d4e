// clEnqueueMapBuffer, clEnqueueMapImage, clEnqueueUnmapMemObject. See map.h.
#include <utility>

#include "client/opencl/enqueue.h"
#include "client/opencl/map.h"
#include "client/opencl/memory_checks.h"
#include "client/opencl/transfer.h"
#include "opencl/client_api.h"
#include "opencl/messages.h"

namespace longwire::client::opencl {
namespace {

namespace msg = ::longwire::opencl::msg;

struct MapCall {
  cl_command_queue queue;
  cl_mem memory;
  cl_bool blocking;
  cl_map_flags flags;
  cl_uint wait_count;
  const cl_event* wait_events;
  cl_event* event;
};

cl_int check_map_flags(const Memory& memory, cl_map_flags flags) noexcept {
  constexpr cl_map_flags kWrites = CL_MAP_WRITE | CL_MAP_WRITE_INVALIDATE_REGION;
  if ((flags & ~(CL_MAP_READ | kWrites)) != 0) return CL_INVALID_VALUE;
  if ((flags & CL_MAP_WRITE_INVALIDATE_REGION) != 0 && (flags & (CL_MAP_READ | CL_MAP_WRITE)) != 0)
    return CL_INVALID_VALUE;
  const bool refused = ((flags & CL_MAP_READ) != 0 && !memory.host_may_read()) ||
                       ((flags & kWrites) != 0 && !memory.host_may_write());
  return refused ? CL_INVALID_OPERATION : CL_SUCCESS;
}

// After the wait list (and in order); the map or unmap moves no data.
cl_int send_nothing(Enqueue& command, bool blocking) noexcept {
  msg::EnqueueNothing message;
  if (!blocking) return command.send(message);
  struct Outcome {
    std::atomic<bool> done{false};
    cl_int status = kLostCallStatus;
  };
  const auto outcome = std::make_shared<Outcome>();  // shared with the reply's handler
  Node& node = command.node();
  const auto on_reply = [outcome, &node](const core::ReplyView& reply) {
    if (reply.lost == nullptr) outcome->status = reply.status;
    outcome->done.store(true, std::memory_order_release);
    node.session().notify();
  };
  LW_CL_TRY(command.request(message, on_reply, core::NodeSession::Flush::kByCaller));
  LW_CL_TRY(node.wait_until([&] { return outcome->done.load(std::memory_order_acquire); }));
  if (outcome->status == CL_SUCCESS) LW_CL_TRY(command.queue().wait_for_reads());
  return outcome->status;
}

// The message that moves a mapping's bytes, for a buffer or for an image: given to `move`.
template <class BufferMessage, class ImageMessage, class Move>
cl_int move_mapped(const Mapping& mapping, Move&& move) noexcept {
  if (mapping.memory->as_image() == nullptr) {
    BufferMessage message;
    message.buffer = mapping.memory->handle();
    message.offset = mapping.origin[0];
    return move(message);
  }
  const WireExtent origin(mapping.origin);
  const WireExtent region(mapping.region);
  ImageMessage message;
  message.image = mapping.memory->handle();
  message.origin = origin.view();
  message.region = region.view();
  return move(message);
}

cl_int read_mapped(Enqueue& command, const Mapping& mapping, const TransferMode& mode) noexcept {
  command.at().note_read(*mapping.memory);
  return move_mapped<msg::EnqueueReadBuffer, msg::EnqueueReadImage>(
      mapping, [&](auto& message) { return read_into(command, message, mapping.rows, mode); });
}

cl_int write_mapped(Enqueue& command, const Mapping& mapping, const TransferMode& mode) noexcept {
  command.at().note_write(*mapping.memory);
  return move_mapped<msg::EnqueueWriteBuffer, msg::EnqueueWriteImage>(
      mapping, [&](auto& message) { return write_from(command, message, mapping.rows, mode); });
}

// Notes the mapping and sends its command. *pointer is set on success alone.
cl_int map_region(Enqueue& command, Mapping mapping, const MapCall& call, void** pointer) noexcept {
  MapTable& table = mapping.memory->maps();
  MapTable::Ticket ticket;
  bool is_current = false;
  LW_CL_TRY(table.add(std::move(mapping), &ticket, &is_current));
  const bool blocking = call.blocking != CL_FALSE;
  const TransferMode mode{blocking, call.event != nullptr, ticket->memory.get()};
  void* const first = ticket->rows.first;
  const cl_int status = ticket->reads() && !is_current ? read_mapped(command, *ticket, mode)
                                                       : send_nothing(command, blocking);
  if (status != CL_SUCCESS) {
    table.remove(ticket);
    return status;
  }
  *pointer = first;
  return CL_SUCCESS;
}

cl_int map_buffer(const MapCall& call, std::size_t offset, std::size_t size,
                  void** pointer) noexcept {
  Enqueue command(CL_COMMAND_MAP_BUFFER);
  LW_CL_TRY(command.open(call.queue, call.wait_count, call.wait_events, call.event));
  Memory* buffer = nullptr;
  LW_CL_TRY(use_buffer(command.at(), call.memory, &buffer));
  if (size == 0 || !in_bounds(offset, size, buffer->size())) return CL_INVALID_VALUE;
  LW_CL_TRY(check_map_flags(*buffer, call.flags));
  std::byte* const base = buffer->maps().host_region(buffer->root());
  if (base == nullptr) return CL_MAP_FAILURE;
  const Rows rows = Rows::linear(base + buffer->origin_in_root() + offset, size);
  Mapping mapping{Ref<Memory>(buffer), call.flags, {offset, 0, 0}, {size, 1, 1}, rows};
  return map_region(command, std::move(mapping), call, pointer);
}

struct ImagePitches {
  std::size_t* row;
  std::size_t* slice;
};

cl_int map_image(const MapCall& call, const std::size_t* origin, const std::size_t* region,
                 const ImagePitches& pitches, void** pointer) noexcept {
  Enqueue command(CL_COMMAND_MAP_IMAGE);
  LW_CL_TRY(command.open(call.queue, call.wait_count, call.wait_events, call.event));
  Image* image = nullptr;
  LW_CL_TRY(use_image(command.at(), call.memory, &image));
  if (origin == nullptr || region == nullptr || pitches.row == nullptr) return CL_INVALID_VALUE;
  const ImageShape& shape = image->shape();
  if (shape.has_slices() && pitches.slice == nullptr) return CL_INVALID_VALUE;
  const Extent3 at = extent3(origin);
  const Extent3 size = extent3(region);
  LW_CL_TRY(shape.check_region(at, size));
  LW_CL_TRY(check_map_flags(*image, call.flags));
  std::byte* const base = image->maps().host_region(image->root());
  if (base == nullptr) return CL_MAP_FAILURE;
  const Rows rows = image->shadow_rows(at, size, base + image->origin_in_root());
  Mapping mapping{Ref<Memory>(image), call.flags, at, size, rows};
  LW_CL_TRY(map_region(command, std::move(mapping), call, pointer));
  *pitches.row = image->image().row_pitch;
  if (pitches.slice != nullptr) *pitches.slice = image->image().slice_pitch;
  return CL_SUCCESS;
}

cl_int unmap(const MapCall& call, const void* pointer) noexcept {
  Enqueue command(CL_COMMAND_UNMAP_MEM_OBJECT);
  LW_CL_TRY(command.open(call.queue, call.wait_count, call.wait_events, call.event));
  Memory* memory = nullptr;
  LW_CL_TRY(use_memory(command.at(), call.memory, &memory));
  std::optional<Mapping> mapping = memory->maps().take(*memory, pointer);
  if (!mapping) return CL_INVALID_VALUE;
  const cl_int status =
      mapping->writes() ? write_mapped(command, *mapping, {false, call.event != nullptr, memory})
                        : send_nothing(command, false);
  memory->drop_hold();  // the command keeps the node's object from here on
  return status;
}

void* give_pointer(cl_int* errcode_ret, cl_int status, void* pointer) noexcept {
  if (errcode_ret != nullptr) *errcode_ret = status;
  return status == CL_SUCCESS ? pointer : nullptr;
}

}  // namespace

namespace api {

void* EnqueueMapBuffer(cl_command_queue command_queue, cl_mem buffer, cl_bool blocking_map,
                       cl_map_flags map_flags, size_t offset, size_t size,
                       cl_uint num_events_in_wait_list, const cl_event* event_wait_list,
                       cl_event* event, cl_int* errcode_ret) noexcept {
  const MapCall call{command_queue,           buffer,          blocking_map, map_flags,
                     num_events_in_wait_list, event_wait_list, event};
  void* pointer = nullptr;
  const cl_int status = map_buffer(call, offset, size, &pointer);
  return give_pointer(errcode_ret, status, pointer);
}

void* EnqueueMapImage(cl_command_queue command_queue, cl_mem image, cl_bool blocking_map,
                      cl_map_flags map_flags, const size_t* origin, const size_t* region,
                      size_t* image_row_pitch, size_t* image_slice_pitch,
                      cl_uint num_events_in_wait_list, const cl_event* event_wait_list,
                      cl_event* event, cl_int* errcode_ret) noexcept {
  const MapCall call{command_queue,           image,           blocking_map, map_flags,
                     num_events_in_wait_list, event_wait_list, event};
  void* pointer = nullptr;
  const cl_int status =
      map_image(call, origin, region, {image_row_pitch, image_slice_pitch}, &pointer);
  return give_pointer(errcode_ret, status, pointer);
}

cl_int EnqueueUnmapMemObject(cl_command_queue command_queue, cl_mem memobj, void* mapped_ptr,
                             cl_uint num_events_in_wait_list, const cl_event* event_wait_list,
                             cl_event* event) noexcept {
  return unmap(
      {command_queue, memobj, CL_FALSE, 0, num_events_in_wait_list, event_wait_list, event},
      mapped_ptr);
}

}  // namespace api
}  // namespace longwire::client::opencl
