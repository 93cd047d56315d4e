// What the client knows of built programs: the build reply as values of our own, so that queries,
// clCreateKernel and clSetKernelArg never ask the node. api/opencl/messages.toml, [record.program].
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <CL/cl.h>

#include "wire/frame.h"

namespace longwire::opencl::record {
struct info;
struct kernel;
struct program;
}  // namespace longwire::opencl::record

namespace longwire::client::opencl {

// Answers of clGet*Info queries as the vendor's driver gave them.
class InfoShadow {
 public:
  struct Answer {
    cl_int status = CL_SUCCESS;
    std::vector<std::byte> value;
  };
  void assign(const std::vector<::longwire::opencl::record::info>& infos);
  const Answer* find(cl_uint param) const noexcept;
  // The answer as one T, or `otherwise` where there is none of that size.
  template <class T>
  T value_or(cl_uint param, T otherwise) const noexcept;

 private:
  std::map<cl_uint, Answer> answers_;
};

enum class ArgKind : std::uint32_t {
  kUnknown = 0,
  kValue = 1,
  kMemory = 2,
  kSampler = 3,
  kLocal = 4,
  kOther = 5,
};

struct ArgShape {
  bool has_info = false;
  ArgKind kind = ArgKind::kUnknown;
  cl_kernel_arg_address_qualifier address = 0;
  cl_kernel_arg_access_qualifier access = 0;
  cl_kernel_arg_type_qualifier type_qualifier = 0;
  std::string type_name;
  std::string name;
  std::size_t value_bytes = 0;  // of a by-value argument; 0: unknown
};

// One kernel of a built program. Shared (immutable) by its Program and by every Kernel made of it,
// which may outlive a rebuild.
struct KernelShape {
  std::string name;
  InfoShadow infos;  // clGetKernelInfo
  std::vector<ArgShape> args;
  std::map<wire::Handle, InfoShadow> by_device;  // clGetKernelWorkGroupInfo

  static std::shared_ptr<const KernelShape> from(const ::longwire::opencl::record::kernel& record);
};

}  // namespace longwire::client::opencl
