// clCreateBuffer, clCreateBufferWithProperties, clCreateSubBuffer. OpenCL 3.0, section 5.2.1.
#include <new>

#include "client/opencl/context.h"
#include "client/opencl/memory.h"
#include "client/opencl/memory_checks.h"
#include "client/opencl/memory_create.h"
#include "opencl/client_api.h"
#include "opencl/messages.h"

namespace longwire::client::opencl {
namespace {

namespace msg = ::longwire::opencl::msg;

// "CL_INVALID_BUFFER_SIZE if size is 0 or greater than CL_DEVICE_MAX_MEM_ALLOC_SIZE for all devices
// in context".
cl_int check_size(const Context& context, std::size_t size) noexcept {
  if (size == 0) return CL_INVALID_BUFFER_SIZE;
  for (const Ref<Device>& device : context.devices()) {
    const cl_ulong limit = device->limits().max_alloc_bytes;
    if (limit == 0 || size <= limit) return CL_SUCCESS;
  }
  return CL_INVALID_BUFFER_SIZE;
}

cl_int create_buffer(cl_context handle, const cl_mem_properties* properties, cl_mem_flags flags,
                     std::size_t size, void* host_ptr, Memory** created) noexcept {
  Context* const context = from_cl<Context>(handle);
  if (context == nullptr) return CL_INVALID_CONTEXT;
  MemoryFacts facts;
  LW_CL_TRY(read_memory_properties(properties, &facts.properties));
  LW_CL_TRY(check_memory_flags(flags));
  LW_CL_TRY(check_size(*context, size));
  LW_CL_TRY(check_host_pointer(flags, host_ptr));
  facts.flags = with_default_access(flags);
  facts.size = size;
  if ((flags & CL_MEM_USE_HOST_PTR) != 0) facts.host_ptr = host_ptr;

  Memory* const memory = new (std::nothrow) Memory(*context, nullptr, std::move(facts));
  if (memory == nullptr) return CL_OUT_OF_HOST_MEMORY;
  msg::CreateBuffer message;
  message.mem = memory->handle();
  message.context = context->handle();
  message.flags = flags_for_node(memory->flags());
  message.size = size;
  const Rows contents = host_ptr == nullptr ? Rows{} : Rows::linear(host_ptr, size);
  return finish_creation(*memory, message, contents, created);
}

cl_int create_sub_buffer(cl_mem handle, cl_mem_flags flags, cl_buffer_create_type type,
                         const void* info, Memory** created) noexcept {
  Memory* const parent = from_cl<Memory>(handle);
  if (parent == nullptr || !parent->is_buffer() || parent->parent() != nullptr)
    return CL_INVALID_MEM_OBJECT;
  LW_CL_TRY(parent->failure());
  const auto [inherited, flags_status] = inherit_flags(parent->flags(), flags);
  LW_CL_TRY(flags_status);
  if (type != CL_BUFFER_CREATE_TYPE_REGION || info == nullptr) return CL_INVALID_VALUE;
  const auto region = *static_cast<const cl_buffer_region*>(info);
  if (region.size == 0) return CL_INVALID_BUFFER_SIZE;
  if (!in_bounds(region.origin, region.size, parent->size())) return CL_INVALID_VALUE;

  MemoryFacts facts;
  facts.flags = inherited;
  facts.size = region.size;
  facts.origin = region.origin;
  if (parent->host_ptr() != nullptr)
    facts.host_ptr = static_cast<std::byte*>(parent->host_ptr()) + region.origin;
  Context& context = parent->context();
  bool aligned = false;
  for (const Ref<Device>& device : context.devices()) {
    const std::size_t align = device->limits().base_align_bytes;
    aligned |= align == 0 || region.origin % align == 0;
  }
  if (!aligned) return CL_MISALIGNED_SUB_BUFFER_OFFSET;

  Memory* const memory = new (std::nothrow) Memory(context, parent, std::move(facts));
  if (memory == nullptr) return CL_OUT_OF_HOST_MEMORY;
  msg::CreateSubBuffer message;
  message.mem = memory->handle();
  message.parent = parent->handle();
  message.flags = flags_for_node(flags);
  message.origin = region.origin;
  message.size = region.size;
  return announce(*memory, context.send_to_all(message), created);
}

}  // namespace

namespace api {

cl_mem CreateBufferWithProperties(cl_context context, const cl_mem_properties* properties,
                                  cl_mem_flags flags, size_t size, void* host_ptr,
                                  cl_int* errcode_ret) noexcept {
  return give_memory(errcode_ret, [&](Memory** created) {
    return create_buffer(context, properties, flags, size, host_ptr, created);
  });
}

cl_mem CreateBuffer(cl_context context, cl_mem_flags flags, size_t size, void* host_ptr,
                    cl_int* errcode_ret) noexcept {
  return CreateBufferWithProperties(context, nullptr, flags, size, host_ptr, errcode_ret);
}

cl_mem CreateSubBuffer(cl_mem buffer, cl_mem_flags flags, cl_buffer_create_type type,
                       const void* info, cl_int* errcode_ret) noexcept {
  return give_memory(errcode_ret, [&](Memory** created) {
    return create_sub_buffer(buffer, flags, type, info, created);
  });
}

}  // namespace api
}  // namespace longwire::client::opencl
