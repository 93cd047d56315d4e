// clEnqueueReadImage and clEnqueueWriteImage. OpenCL 3.0, section 5.3.3.
#include "client/opencl/memory_checks.h"
#include "client/opencl/transfer.h"
#include "opencl/client_api.h"
#include "opencl/messages.h"

namespace longwire::client::opencl {
namespace {

namespace msg = ::longwire::opencl::msg;

struct ImageTransfer {
  Image* image = nullptr;
  Extent3 origin{};
  Extent3 region{};
  Rows rows;
};

struct HostImage {
  const std::size_t* origin;
  const std::size_t* region;
  std::size_t row_pitch;
  std::size_t slice_pitch;
  const void* data;
};

cl_int check_transfer(const EnqueueContext& at, cl_mem handle, const HostImage& host,
                      ImageTransfer* transfer) noexcept {
  LW_CL_TRY(use_image(at, handle, &transfer->image));
  if (host.origin == nullptr || host.region == nullptr || host.data == nullptr)
    return CL_INVALID_VALUE;
  const ImageShape& shape = transfer->image->shape();
  transfer->origin = extent3(host.origin);
  transfer->region = extent3(host.region);
  LW_CL_TRY(shape.check_region(transfer->origin, transfer->region));
  const auto pitches = shape.host_pitches(transfer->region, host.row_pitch, host.slice_pitch);
  if (!pitches) return CL_INVALID_VALUE;
  auto* const first = static_cast<std::byte*>(const_cast<void*>(host.data));
  transfer->rows = shape.rows_of(transfer->region, first, pitches->row, pitches->slice);
  return CL_SUCCESS;
}

template <class M>
struct ImageMessage {
  explicit ImageMessage(const ImageTransfer& transfer)
      : origin(transfer.origin), region(transfer.region) {
    message.image = transfer.image->handle();
    message.origin = origin.view();
    message.region = region.view();
  }
  const WireExtent origin;
  const WireExtent region;
  M message;
};

}  // namespace

namespace api {

cl_int EnqueueReadImage(cl_command_queue command_queue, cl_mem image, cl_bool blocking_read,
                        const size_t* origin, const size_t* region, size_t row_pitch,
                        size_t slice_pitch, void* ptr, cl_uint num_events_in_wait_list,
                        const cl_event* event_wait_list, cl_event* event) noexcept {
  Enqueue command(CL_COMMAND_READ_IMAGE);
  LW_CL_TRY(command.open(command_queue, num_events_in_wait_list, event_wait_list, event));
  ImageTransfer transfer;
  LW_CL_TRY(check_transfer(command.at(), image, {origin, region, row_pitch, slice_pitch, ptr},
                           &transfer));
  if (!transfer.image->host_may_read()) return CL_INVALID_OPERATION;
  command.at().note_read(*transfer.image);
  ImageMessage<msg::EnqueueReadImage> sent(transfer);
  return read_into(command, sent.message, transfer.rows,
                   {blocking_read != CL_FALSE, event != nullptr, nullptr});
}

cl_int EnqueueWriteImage(cl_command_queue command_queue, cl_mem image, cl_bool blocking_write,
                         const size_t* origin, const size_t* region, size_t input_row_pitch,
                         size_t input_slice_pitch, const void* ptr, cl_uint num_events_in_wait_list,
                         const cl_event* event_wait_list, cl_event* event) noexcept {
  Enqueue command(CL_COMMAND_WRITE_IMAGE);
  LW_CL_TRY(command.open(command_queue, num_events_in_wait_list, event_wait_list, event));
  ImageTransfer transfer;
  LW_CL_TRY(check_transfer(command.at(), image,
                           {origin, region, input_row_pitch, input_slice_pitch, ptr}, &transfer));
  if (!transfer.image->host_may_write()) return CL_INVALID_OPERATION;
  command.at().note_write(*transfer.image);
  ImageMessage<msg::EnqueueWriteImage> sent(transfer);
  const bool blocking = blocking_write != CL_FALSE;
  LW_CL_TRY(
      write_from(command, sent.message, transfer.rows, {blocking, event != nullptr, nullptr}));
  return blocking ? wait_for_list(num_events_in_wait_list, event_wait_list) : CL_SUCCESS;
}

}  // namespace api
}  // namespace longwire::client::opencl
