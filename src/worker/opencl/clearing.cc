#include "worker/opencl/clearing.h"

#include <algorithm>

namespace longwire::worker::opencl {
namespace {

// The widest pattern that fits: drivers are slow with narrow ones.
constexpr std::size_t kWidePattern = 16;

constexpr unsigned kFirstWithFills = 120;

template <class Fill>
cl_int clear(Context& context, Fill&& fill) {
  if (context.devices.front()->version < kFirstWithFills) return CL_OUT_OF_RESOURCES;
  cl_command_queue queue = context.clearing_queue();
  if (queue == nullptr) return CL_OUT_OF_RESOURCES;
  cl_event event = nullptr;
  const cl_int status = fill(queue, &event);
  return status == CL_SUCCESS ? context.hold_queues_until(event) : status;
}

}  // namespace

bool Clearing::wanted(const Context& context) const {
  if (scrub_ != Scrub::kAuto) return scrub_ == Scrub::kAlways;
  return std::any_of(context.devices.begin(), context.devices.end(),
                     [](const Ref<Device>& device) { return !device->is_cpu; });
}

cl_int Clearing::buffer(Context& context, cl_mem mem, std::size_t bytes) const {
  static constexpr std::array<std::byte, kWidePattern> kZeros{};
  const std::size_t pattern = bytes % kWidePattern == 0 ? kWidePattern : 1;
  return clear(context, [&](cl_command_queue queue, cl_event* event) {
    return api_.clEnqueueFillBuffer(queue, mem, kZeros.data(), pattern, 0, bytes, 0, nullptr,
                                    event);
  });
}

cl_int Clearing::image(Context& context, cl_mem mem,
                       const std::array<std::size_t, 3>& region) const {
  static constexpr std::array<cl_uint, 4> kZeros{};
  static constexpr std::array<std::size_t, 3> kOrigin{};
  return clear(context, [&](cl_command_queue queue, cl_event* event) {
    return api_.clEnqueueFillImage(queue, mem, kZeros.data(), kOrigin.data(), region.data(), 0,
                                   nullptr, event);
  });
}

}  // namespace longwire::worker::opencl
