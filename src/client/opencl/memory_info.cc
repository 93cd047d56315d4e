// clRetainMemObject, clReleaseMemObject, clGetMemObjectInfo, clSetMemObjectDestructorCallback.
// OpenCL 3.0, sections 5.5.1 to 5.5.5.
#include "client/opencl/context.h"
#include "client/opencl/info.h"
#include "client/opencl/memory.h"
#include "opencl/client_api.h"

namespace longwire::client::opencl {

cl_int Memory::get_info(cl_mem_info param, const InfoOut& out) noexcept {
  switch (param) {
    case CL_MEM_TYPE:
      return out.value<cl_mem_object_type>(type());
    case CL_MEM_FLAGS:
      return out.value<cl_mem_flags>(flags());
    case CL_MEM_SIZE:
      return out.value<std::size_t>(size());
    case CL_MEM_HOST_PTR:
      return out.value<void*>(host_ptr());
    case CL_MEM_MAP_COUNT:
      return out.value<cl_uint>(map_count());
    case CL_MEM_REFERENCE_COUNT:
      return out.value<cl_uint>(api_references());
    case CL_MEM_CONTEXT:
      return out.value<cl_context>(to_cl<cl_context>(context_.get()));
    case CL_MEM_ASSOCIATED_MEMOBJECT:
      return out.value<cl_mem>(to_cl<cl_mem>(parent_.get()));
    case CL_MEM_OFFSET:
      return out.value<std::size_t>(facts_.origin);
    case CL_MEM_USES_SVM_POINTER:
      return out.value<cl_bool>(CL_FALSE);
    case CL_MEM_PROPERTIES:
      return out.array<cl_mem_properties>(std::span(facts_.properties));
    default:
      return CL_INVALID_VALUE;
  }
}

namespace api {

cl_int RetainMemObject(cl_mem memobj) noexcept {
  Memory* const memory = from_cl<Memory>(memobj);
  if (memory == nullptr) return CL_INVALID_MEM_OBJECT;
  memory->retain_for_program();
  return CL_SUCCESS;
}

cl_int ReleaseMemObject(cl_mem memobj) noexcept {
  Memory* const memory = from_cl<Memory>(memobj);
  if (memory == nullptr) return CL_INVALID_MEM_OBJECT;
  return memory->release_api() ? CL_SUCCESS : CL_INVALID_MEM_OBJECT;
}

cl_int GetMemObjectInfo(cl_mem memobj, cl_mem_info param_name, size_t param_value_size,
                        void* param_value, size_t* param_value_size_ret) noexcept {
  Memory* const memory = from_cl<Memory>(memobj);
  if (memory == nullptr) return CL_INVALID_MEM_OBJECT;
  return memory->get_info(param_name, InfoOut(param_value_size, param_value, param_value_size_ret));
}

cl_int SetMemObjectDestructorCallback(cl_mem memobj, DestructorCallback pfn_notify,
                                      void* user_data) noexcept {
  Memory* const memory = from_cl<Memory>(memobj);
  if (memory == nullptr) return CL_INVALID_MEM_OBJECT;
  if (pfn_notify == nullptr) return CL_INVALID_VALUE;
  return memory->add_destructor_callback(pfn_notify, user_data) ? CL_SUCCESS
                                                                : CL_OUT_OF_HOST_MEMORY;
}

}  // namespace api
}  // namespace longwire::client::opencl
