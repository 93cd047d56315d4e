// Commands that move no data: launches, markers, barriers. OpenCL 3.0, sections 5.10 and 5.13.
#include <array>
#include <limits>
#include <span>
#include <string_view>

#include "client/opencl/enqueue.h"
#include "client/opencl/kernel.h"
#include "opencl/client_api.h"
#include "opencl/client_checks.h"

namespace longwire::client::opencl {
namespace msg = longwire::opencl::msg;
namespace {

// The index space of a launch, as the program gave it.
struct Range {
  std::span<const std::size_t> offset;  // empty: NULL
  std::span<const std::size_t> global;
  std::span<const std::size_t> local;  // empty: NULL
  // A range without work-items: allowed since OpenCL 2.1, and nothing runs.
  bool is_empty() const noexcept {
    for (const std::size_t size : global) {
      if (size == 0) return true;
    }
    return global.empty();
  }
};

wire::U64View view(std::span<const std::size_t> sizes) noexcept {
  static_assert(sizeof(std::size_t) == sizeof(std::uint64_t));
  return wire::U64View(std::as_bytes(sizes));
}

cl_int check_kernel(const EnqueueContext& at, Kernel* kernel) noexcept {
  if (kernel == nullptr) return CL_INVALID_KERNEL;
  if (&kernel->context() != &at.context) return CL_INVALID_CONTEXT;
  LW_CL_TRY(kernel->failure());
  if (!kernel->has_executable_for(at.device)) return CL_INVALID_PROGRAM_EXECUTABLE;
  return kernel->check_args(at.device);
}

cl_int check_global(const Device& device, const Range& range) noexcept {
  if (range.is_empty() && device.version() < CL_MAKE_VERSION(2, 1, 0)) {
    return CL_INVALID_GLOBAL_WORK_SIZE;
  }
  const std::size_t largest = device.limits().address_bits >= 64
                                  ? std::numeric_limits<std::size_t>::max()
                                  : (std::size_t{1} << device.limits().address_bits) - 1;
  for (std::size_t i = 0; i < range.global.size(); ++i) {
    if (range.global[i] > largest) return CL_INVALID_GLOBAL_WORK_SIZE;
    if (!range.offset.empty() && range.offset[i] > largest - range.global[i]) {
      return CL_INVALID_GLOBAL_OFFSET;
    }
  }
  return CL_SUCCESS;
}

// Non-uniform work-groups need the device, and a program of OpenCL C 2.0 or later that does not
// forbid them. What other than source a program was made from is the node's to judge.
bool may_be_non_uniform(const Device& device, const Kernel& kernel) {
  if (!device.limits().non_uniform_work_groups) return false;
  const Program& program = kernel.program();
  if (program.origin() != ProgramOrigin::kSource) return true;
  const std::string options = program.build_of(device).options;
  const auto has = [&](std::string_view option) {
    return options.find(option) != std::string::npos;
  };
  return !has("-cl-uniform-work-group-size") &&
         (has("-cl-std=CL2") || has("-cl-std=CL3") || has("-cl-std=CLC++"));
}

cl_int check_local(const Device& device, const Kernel& kernel, const Range& range) noexcept {
  const Kernel::WorkGroupFacts facts = kernel.work_group(device);
  std::size_t group = 1;
  for (std::size_t i = 0; i < range.local.size(); ++i) {
    const std::size_t size = range.local[i];
    if (size == 0) return CL_INVALID_WORK_GROUP_SIZE;
    if (size > device.limits().work_item_sizes[i]) return CL_INVALID_WORK_ITEM_SIZE;
    if (facts.required[0] != 0 && i < 3 && size != facts.required[i]) {
      return CL_INVALID_WORK_GROUP_SIZE;
    }
    if (__builtin_mul_overflow(group, size, &group)) return CL_INVALID_WORK_GROUP_SIZE;
    if (range.global[i] % size != 0 && !may_be_non_uniform(device, kernel)) {
      return CL_INVALID_WORK_GROUP_SIZE;
    }
  }
  const bool too_large =
      group > device.limits().work_group_size || (facts.max_size != 0 && group > facts.max_size);
  return too_large ? CL_INVALID_WORK_GROUP_SIZE : CL_SUCCESS;
}

cl_int check_range(const EnqueueContext& at, const Kernel& kernel, const Range& range) noexcept {
  LW_CL_TRY(check_global(at.device, range));
  return range.local.empty() || range.is_empty() ? CL_SUCCESS
                                                 : check_local(at.device, kernel, range);
}

cl_int launch(Enqueue& command, cl_kernel handle, const Range& range) noexcept {
  Kernel* const kernel = from_cl<Kernel>(handle);
  LW_CL_TRY(check_kernel(command.at(), kernel));
  LW_CL_TRY(check_range(command.at(), *kernel, range));
  if (range.is_empty()) {
    msg::EnqueueNothing nothing;
    return command.send(nothing);
  }
  if (command.context().spans_nodes()) {
    kernel->for_each_memory([&](Memory& memory, bool may_write) {
      command.at().note_read(memory);
      if (may_write) command.at().note_write(memory);
    });
  }
  msg::EnqueueNDRangeKernel message;
  message.kernel = kernel->handle();
  message.global_offset = view(range.offset);
  message.global_size = view(range.global);
  message.local_size = view(range.local);
  return command.send(message);
}

}  // namespace

namespace check {

cl_int EnqueueMarkerWithWaitList(const EnqueueContext&) { return CL_SUCCESS; }
cl_int EnqueueBarrierWithWaitList(const EnqueueContext&) { return CL_SUCCESS; }

}  // namespace check

namespace api {

cl_int EnqueueNDRangeKernel(cl_command_queue command_queue, cl_kernel kernel, cl_uint work_dim,
                            const size_t* global_work_offset, const size_t* global_work_size,
                            const size_t* local_work_size, cl_uint num_events_in_wait_list,
                            const cl_event* event_wait_list, cl_event* event) noexcept {
  Enqueue command(CL_COMMAND_NDRANGE_KERNEL);
  LW_CL_TRY(command.open(command_queue, num_events_in_wait_list, event_wait_list, event));
  if (work_dim == 0 || work_dim > command.device().limits().work_dimensions) {
    return from_cl<Kernel>(kernel) == nullptr ? CL_INVALID_KERNEL : CL_INVALID_WORK_DIMENSION;
  }
  const auto sizes = [work_dim](const std::size_t* array) {
    return std::span<const std::size_t>(array, array == nullptr ? 0 : work_dim);
  };
  return launch(command, kernel,
                {sizes(global_work_offset), sizes(global_work_size), sizes(local_work_size)});
}

cl_int EnqueueTask(cl_command_queue command_queue, cl_kernel kernel,
                   cl_uint num_events_in_wait_list, const cl_event* event_wait_list,
                   cl_event* event) noexcept {
  static constexpr std::array<std::size_t, 1> kOne = {1};
  Enqueue command(CL_COMMAND_TASK);
  LW_CL_TRY(command.open(command_queue, num_events_in_wait_list, event_wait_list, event));
  return launch(command, kernel, {{}, kOne, kOne});
}

// --- removed in OpenCL 1.2, still called ---

cl_int EnqueueMarker(cl_command_queue command_queue, cl_event* event) noexcept {
  if (event == nullptr) return CL_INVALID_VALUE;
  return EnqueueMarkerWithWaitList(command_queue, 0, nullptr, event);
}

cl_int EnqueueBarrier(cl_command_queue command_queue) noexcept {
  return EnqueueBarrierWithWaitList(command_queue, 0, nullptr, nullptr);
}

cl_int EnqueueWaitForEvents(cl_command_queue command_queue, cl_uint num_events,
                            const cl_event* event_list) noexcept {
  if (num_events == 0 || event_list == nullptr) return CL_INVALID_VALUE;
  const cl_int status = EnqueueBarrierWithWaitList(command_queue, num_events, event_list, nullptr);
  return status == CL_INVALID_EVENT_WAIT_LIST ? CL_INVALID_EVENT : status;
}

}  // namespace api
}  // namespace longwire::client::opencl
