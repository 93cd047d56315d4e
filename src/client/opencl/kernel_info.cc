// clGetKernelInfo, …ArgInfo, …WorkGroupInfo, …SubGroupInfo, clGetKernelSuggestedLocalWorkSizeKHR.
// OpenCL 3.0, section 5.9.4.
#include <array>
#include <vector>

#include "client/opencl/enqueue.h"
#include "client/opencl/kernel.h"
#include "opencl/client_api.h"
#include "opencl/messages.h"

namespace longwire::client::opencl {
namespace {

namespace msg = ::longwire::opencl::msg;

// The device of a query: may be left out where the kernel has but one. CL_INVALID_DEVICE.
cl_int read_device(const Kernel& kernel, cl_device_id handle, const Device** device) noexcept {
  const DeviceList& devices = kernel.program().devices();
  if (handle == nullptr) {
    if (devices.size() != 1) return CL_INVALID_DEVICE;
    *device = devices.front().get();
    return CL_SUCCESS;
  }
  *device = from_cl<Device>(handle);
  if (*device == nullptr || !kernel.program().has_device(**device)) return CL_INVALID_DEVICE;
  return CL_SUCCESS;
}

bool is_sub_group_query(cl_kernel_sub_group_info param) noexcept {
  switch (param) {
    case CL_KERNEL_MAX_SUB_GROUP_SIZE_FOR_NDRANGE:
    case CL_KERNEL_SUB_GROUP_COUNT_FOR_NDRANGE:
    case CL_KERNEL_LOCAL_SIZE_FOR_SUB_GROUP_COUNT:
    case CL_KERNEL_MAX_NUM_SUB_GROUPS:
    case CL_KERNEL_COMPILE_NUM_SUB_GROUPS:
      return true;
    default:
      return false;
  }
}

std::vector<std::uint64_t> copy_sizes(const std::size_t* sizes, cl_uint count) {
  if (sizes == nullptr) return {};
  return {sizes, sizes + count};
}

}  // namespace

cl_int Kernel::get_info(cl_kernel_info param, const InfoOut& out) noexcept {
  switch (param) {
    case CL_KERNEL_FUNCTION_NAME:
      return out.string(shape_->name);
    case CL_KERNEL_NUM_ARGS:
      return out.value<cl_uint>(static_cast<cl_uint>(shape_->args.size()));
    case CL_KERNEL_REFERENCE_COUNT:
      return out.value<cl_uint>(api_references());
    case CL_KERNEL_CONTEXT:
      return out.value<cl_context>(to_cl<cl_context>(&context()));
    case CL_KERNEL_PROGRAM:
      return out.value<cl_program>(to_cl<cl_program>(program_.get()));
    case CL_KERNEL_ATTRIBUTES:
      return shape_->infos.has(param) ? shape_->infos.give(param, out) : out.string("");
    default:
      return CL_INVALID_VALUE;
  }
}

cl_int Kernel::get_arg_info(cl_uint index, cl_kernel_arg_info param,
                            const InfoOut& out) const noexcept {
  if (index >= shape_->args.size()) return CL_INVALID_ARG_INDEX;
  const ArgShape& arg = shape_->args[index];
  if (!arg.has_info || !shows_arg_info_) return CL_KERNEL_ARG_INFO_NOT_AVAILABLE;
  switch (param) {
    case CL_KERNEL_ARG_ADDRESS_QUALIFIER:
      return out.value<cl_kernel_arg_address_qualifier>(arg.address);
    case CL_KERNEL_ARG_ACCESS_QUALIFIER:
      return out.value<cl_kernel_arg_access_qualifier>(arg.access);
    case CL_KERNEL_ARG_TYPE_NAME:
      return out.string(arg.type_name);
    case CL_KERNEL_ARG_TYPE_QUALIFIER:
      return out.value<cl_kernel_arg_type_qualifier>(arg.type_qualifier);
    case CL_KERNEL_ARG_NAME:
      return out.string(arg.name);
    default:
      return CL_INVALID_VALUE;
  }
}

cl_int Kernel::get_work_group_info(const Device& device, cl_kernel_work_group_info param,
                                   const InfoOut& out) noexcept {
  const auto found = shape_->by_device.find(&device);
  if (found != shape_->by_device.end() && found->second.has(param)) {
    if (param != CL_KERNEL_LOCAL_MEM_SIZE) return found->second.give(param, out);
    return out.value<cl_ulong>(work_group(device).local_bytes);
  }
  msg::GetKernelWorkGroupInfo message;
  message.kernel = handle();
  message.device = device.handle();
  message.param = param;
  cl_int given = CL_INVALID_VALUE;
  LW_CL_TRY(device.node().call(message, [&](const msg::GetKernelWorkGroupInfo::Reply& reply) {
    given = out.bytes(reply.value);
  }));
  return given;
}

cl_int Kernel::get_sub_group_info(const Device& device, cl_kernel_sub_group_info param,
                                  std::span<const std::byte> input, const InfoOut& out) noexcept {
  if (!is_sub_group_query(param) || input.size() % sizeof(std::size_t) != 0)
    return CL_INVALID_VALUE;
  msg::GetKernelSubGroupInfo message;
  message.kernel = handle();
  message.device = device.handle();
  message.param = param;
  message.input = wire::U64View(input);
  message.output_bytes = out.value_bytes();
  cl_int given = CL_INVALID_VALUE;
  LW_CL_TRY(device.node().call(message, [&](const msg::GetKernelSubGroupInfo::Reply& reply) {
    given = out.bytes(reply.value);
  }));
  return given;
}

namespace api {

cl_int GetKernelInfo(cl_kernel handle, cl_kernel_info param_name, size_t param_value_size,
                     void* param_value, size_t* param_value_size_ret) noexcept {
  Kernel* const kernel = from_cl<Kernel>(handle);
  if (kernel == nullptr) return CL_INVALID_KERNEL;
  return kernel->get_info(param_name, InfoOut(param_value_size, param_value, param_value_size_ret));
}

cl_int GetKernelArgInfo(cl_kernel handle, cl_uint arg_indx, cl_kernel_arg_info param_name,
                        size_t param_value_size, void* param_value,
                        size_t* param_value_size_ret) noexcept {
  const Kernel* const kernel = from_cl<Kernel>(handle);
  if (kernel == nullptr) return CL_INVALID_KERNEL;
  return kernel->get_arg_info(arg_indx, param_name,
                              InfoOut(param_value_size, param_value, param_value_size_ret));
}

cl_int GetKernelWorkGroupInfo(cl_kernel handle, cl_device_id device_id,
                              cl_kernel_work_group_info param_name, size_t param_value_size,
                              void* param_value, size_t* param_value_size_ret) noexcept {
  Kernel* const kernel = from_cl<Kernel>(handle);
  if (kernel == nullptr) return CL_INVALID_KERNEL;
  const Device* device = nullptr;
  LW_CL_TRY(read_device(*kernel, device_id, &device));
  return kernel->get_work_group_info(*device, param_name,
                                     InfoOut(param_value_size, param_value, param_value_size_ret));
}

cl_int GetKernelSubGroupInfo(cl_kernel handle, cl_device_id device_id,
                             cl_kernel_sub_group_info param_name, size_t input_value_size,
                             const void* input_value, size_t param_value_size, void* param_value,
                             size_t* param_value_size_ret) noexcept {
  Kernel* const kernel = from_cl<Kernel>(handle);
  if (kernel == nullptr) return CL_INVALID_KERNEL;
  const Device* device = nullptr;
  LW_CL_TRY(read_device(*kernel, device_id, &device));
  if (device->value<cl_uint>(CL_DEVICE_MAX_NUM_SUB_GROUPS) == 0) return CL_INVALID_OPERATION;
  if (input_value == nullptr && input_value_size != 0) return CL_INVALID_VALUE;
  const std::span input(static_cast<const std::byte*>(input_value), input_value_size);
  return kernel->get_sub_group_info(*device, param_name, input,
                                    InfoOut(param_value_size, param_value, param_value_size_ret));
}

cl_int GetKernelSuggestedLocalWorkSizeKHR(cl_command_queue command_queue, cl_kernel handle,
                                          cl_uint work_dim, const size_t* global_work_offset,
                                          const size_t* global_work_size,
                                          size_t* suggested_local_work_size) noexcept {
  Queue* queue = nullptr;
  LW_CL_TRY(open_queue(command_queue, &queue));
  const Kernel* const kernel = from_cl<Kernel>(handle);
  if (kernel == nullptr) return CL_INVALID_KERNEL;
  if (&kernel->context() != &queue->context()) return CL_INVALID_CONTEXT;
  if (work_dim < 1 || work_dim > queue->device().limits().work_dimensions)
    return CL_INVALID_WORK_DIMENSION;
  if (global_work_size == nullptr) return CL_INVALID_GLOBAL_WORK_SIZE;
  if (suggested_local_work_size == nullptr) return CL_INVALID_VALUE;
  LW_CL_TRY(kernel->check_args(queue->device()));
  const auto offset = copy_sizes(global_work_offset, work_dim);
  const auto global = copy_sizes(global_work_size, work_dim);
  msg::GetKernelSuggestedLocalWorkSize message;
  message.queue = queue->handle();
  message.kernel = kernel->handle();
  message.global_offset = wire::U64View(std::span<const std::uint64_t>(offset));
  message.global_size = wire::U64View(std::span<const std::uint64_t>(global));
  return queue->node().call(message, [&](const msg::GetKernelSuggestedLocalWorkSize::Reply& reply) {
    for (cl_uint i = 0; i < work_dim && i < reply.local_size.size(); ++i)
      suggested_local_work_size[i] = static_cast<std::size_t>(reply.local_size[i]);
  });
}

}  // namespace api
}  // namespace longwire::client::opencl
