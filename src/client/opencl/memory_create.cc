#include "client/opencl/memory_create.h"

namespace longwire::client::opencl {

cl_int read_memory_properties(const cl_mem_properties* properties,
                              std::vector<cl_mem_properties>* copy) {
  if (properties == nullptr) return CL_SUCCESS;
  if (properties[0] != 0) return CL_INVALID_PROPERTY;
  copy->assign(1, 0);
  return CL_SUCCESS;
}

}  // namespace longwire::client::opencl
