// What the client knows of built programs: the build reply as values of our own, so that queries,
// clCreateKernel and clSetKernelArg never ask the node. api/opencl/messages.toml, [record.program].
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <CL/cl.h>

#include "client/opencl/info.h"
#include "opencl/messages.h"
#include "wire/frame.h"

namespace longwire::client::opencl {

class Device;

// The client's device of that handle on the node that answered; null for handles that are none.
using DeviceOf = std::function<const Device*(wire::Handle)>;

// Answers of clGet*Info queries as the vendor's driver gave them.
class InfoShadow {
 public:
  void assign(const std::vector<::longwire::opencl::record::info>& infos);
  void set(cl_uint param, std::vector<std::byte> value);

  bool has(cl_uint param) const noexcept { return answers_.count(param) != 0; }
  // The answer with its own status; CL_INVALID_VALUE for what is not known.
  cl_int give(cl_uint param, const InfoOut& out) const noexcept;
  // The answer as one T, or `otherwise` where there is none of that size.
  template <class T>
  T value_or(cl_uint param, T otherwise) const noexcept {
    const auto found = answers_.find(param);
    if (found == answers_.end() || found->second.value.size() != sizeof(T)) return otherwise;
    T value;
    std::memcpy(&value, found->second.value.data(), sizeof value);
    return value;
  }

 private:
  struct Answer {
    cl_int status = CL_SUCCESS;
    std::vector<std::byte> value;
  };
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
  bool has_info =
      false;  // clGetKernelArgInfo answers; `kind` and `value_bytes` may be known without
  ArgKind kind = ArgKind::kUnknown;
  cl_kernel_arg_address_qualifier address = CL_KERNEL_ARG_ADDRESS_PRIVATE;
  cl_kernel_arg_access_qualifier access = CL_KERNEL_ARG_ACCESS_NONE;
  cl_kernel_arg_type_qualifier type_qualifier = CL_KERNEL_ARG_TYPE_NONE;
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
  std::map<const Device*, InfoShadow> by_device;  // clGetKernelWorkGroupInfo

  // `before`: the same kernel as other devices have it, or null.
  static std::shared_ptr<const KernelShape> from(const ::longwire::opencl::record::kernel& record,
                                                 const DeviceOf& device_of,
                                                 const KernelShape* before);
};

}  // namespace longwire::client::opencl
