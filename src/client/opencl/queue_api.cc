// Creating, asking, flushing and finishing queues. OpenCL 3.0, sections 5.1 and 5.15.
#include <algorithm>
#include <span>
#include <vector>

#include "client/opencl/enqueue.h"
#include "client/opencl/queue.h"
#include "opencl/client_api.h"

namespace longwire::client::opencl::api {
namespace {

constexpr std::size_t kMaxQueueProperties = 256;
constexpr cl_command_queue_properties kHostQueue =
    CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE | CL_QUEUE_PROFILING_ENABLE;
constexpr cl_command_queue_properties kKnown =
    kHostQueue | CL_QUEUE_ON_DEVICE | CL_QUEUE_ON_DEVICE_DEFAULT;

cl_command_queue fail(cl_int* errcode_ret, cl_int status) noexcept {
  if (errcode_ret != nullptr) *errcode_ret = status;
  return nullptr;
}

// `list`: as given, with the final 0; `bits`: its CL_QUEUE_PROPERTIES.
cl_int read_properties(const Device& device, const cl_queue_properties* properties,
                       std::vector<cl_queue_properties>& list, cl_command_queue_properties& bits) {
  for (std::size_t i = 0; properties != nullptr && properties[i] != 0; i += 2) {
    if (i > kMaxQueueProperties) return CL_INVALID_VALUE;
    switch (properties[i]) {
      case CL_QUEUE_PROPERTIES:
        bits = properties[i + 1];
        break;
      case CL_QUEUE_SIZE:
        break;  // judged with the bits below
      case CL_QUEUE_PRIORITY_KHR:
        if (!device.has_extension("cl_khr_priority_hints")) return CL_INVALID_VALUE;
        break;
      case CL_QUEUE_THROTTLE_KHR:
        if (!device.has_extension("cl_khr_throttle_hints")) return CL_INVALID_VALUE;
        break;
      default:
        return CL_INVALID_VALUE;
    }
    list.insert(list.end(), {properties[i], properties[i + 1]});
  }
  if (properties != nullptr) list.push_back(0);
  return CL_SUCCESS;
}

cl_int check_bits(const Device& device, std::span<const cl_queue_properties> list,
                  cl_command_queue_properties bits) {
  if ((bits & ~kKnown) != 0) return CL_INVALID_VALUE;
  const bool on_device = (bits & CL_QUEUE_ON_DEVICE) != 0;
  const bool is_default = (bits & CL_QUEUE_ON_DEVICE_DEFAULT) != 0;
  const bool out_of_order = (bits & CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE) != 0;
  if ((is_default && !on_device) || (on_device && !out_of_order)) return CL_INVALID_VALUE;
  for (std::size_t i = 0; i + 1 < list.size(); i += 2) {
    if (list[i] == CL_QUEUE_SIZE && !on_device) return CL_INVALID_VALUE;
  }
  const auto supported =
      device.value<cl_command_queue_properties>(CL_DEVICE_QUEUE_ON_HOST_PROPERTIES, kHostQueue);
  return (bits & ~supported) != 0 ? CL_INVALID_QUEUE_PROPERTIES : CL_SUCCESS;
}

cl_command_queue create(cl_context context, cl_device_id device,
                        const cl_queue_properties* properties, bool keep_list,
                        cl_int* errcode_ret) {
  Context* const in = from_cl<Context>(context);
  if (in == nullptr) return fail(errcode_ret, CL_INVALID_CONTEXT);
  Device* const on = from_cl<Device>(device);
  if (on == nullptr || !in->has_device(*on)) return fail(errcode_ret, CL_INVALID_DEVICE);
  std::vector<cl_queue_properties> list;
  cl_command_queue_properties bits = 0;
  cl_int status = read_properties(*on, properties, list, bits);
  if (status == CL_SUCCESS) status = check_bits(*on, list, bits);
  if (status != CL_SUCCESS) return fail(errcode_ret, status);
  auto queue = Ref<Queue>::adopt(
      new Queue(*in, *on, bits, keep_list ? list : std::vector<cl_queue_properties>{}));
  status = queue->create_on_node(list);
  if (status != CL_SUCCESS) return fail(errcode_ret, status);
  if (errcode_ret != nullptr) *errcode_ret = CL_SUCCESS;
  return to_cl<cl_command_queue>(queue.release());
}

}  // namespace

cl_command_queue CreateCommandQueueWithProperties(cl_context context, cl_device_id device,
                                                  const cl_queue_properties* properties,
                                                  cl_int* errcode_ret) noexcept {
  return create(context, device, properties, true, errcode_ret);
}

cl_command_queue CreateCommandQueue(cl_context context, cl_device_id device,
                                    cl_command_queue_properties properties,
                                    cl_int* errcode_ret) noexcept {
  if ((properties & ~kHostQueue) != 0) return fail(errcode_ret, CL_INVALID_VALUE);
  const cl_queue_properties list[] = {CL_QUEUE_PROPERTIES, properties, 0};
  return create(context, device, list, false, errcode_ret);
}

cl_int RetainCommandQueue(cl_command_queue command_queue) noexcept {
  Queue* queue = nullptr;
  LW_CL_TRY(open_queue(command_queue, &queue));
  queue->retain_api();
  return CL_SUCCESS;
}

cl_int ReleaseCommandQueue(cl_command_queue command_queue) noexcept {
  Queue* queue = nullptr;
  LW_CL_TRY(open_queue(command_queue, &queue));
  return queue->release_api() ? CL_SUCCESS : CL_INVALID_COMMAND_QUEUE;
}

cl_int GetCommandQueueInfo(cl_command_queue command_queue, cl_command_queue_info param_name,
                           size_t param_value_size, void* param_value,
                           size_t* param_value_size_ret) noexcept {
  Queue* queue = nullptr;
  LW_CL_TRY(open_queue(command_queue, &queue));
  return queue->get_info(param_name, {param_value_size, param_value, param_value_size_ret});
}

cl_int Flush(cl_command_queue command_queue) noexcept {
  Queue* queue = nullptr;
  LW_CL_TRY(open_queue(command_queue, &queue));
  return queue->flush();
}

cl_int Finish(cl_command_queue command_queue) noexcept {
  Queue* queue = nullptr;
  LW_CL_TRY(open_queue(command_queue, &queue));
  return queue->finish();
}

}  // namespace longwire::client::opencl::api
