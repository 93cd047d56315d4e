// What the client must know of a program and its kernels to answer every query, to check every
// clSetKernelArg and to launch without asking: gathered once, when the program was built.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <CL/cl.h>

#include "opencl/messages.h"
#include "opencl/native_api.h"
#include "worker/opencl/infos.h"
#include "worker/opencl/objects.h"

namespace longwire::worker::opencl {

inline constexpr std::size_t kMaxKernelsBytes = std::size_t{512} << 10;
inline constexpr std::size_t kMaxLogBytes = std::size_t{256} << 10;  // of all devices together
inline constexpr std::size_t kMaxNamesBytes = std::size_t{128} << 10;

// kernel_arg.kind
enum class ArgKind : std::uint32_t {
  kUnknown = 0,
  kValue = 1,
  kMemory = 2,
  kSampler = 3,
  kLocal = 4,
  kOther = 5,
};

class ProgramInfo {
 public:
  // `devices` are those of the program's context.
  ProgramInfo(const NativeApi& api, const std::vector<Ref<Device>>& devices)
      : api_(api), devices_(devices) {}

  // The record points into this object.
  longwire::opencl::record::program describe(cl_program program);
  // CL_SUCCESS, or why there is no such kernel.
  cl_int describe_kernel(cl_program program, std::string_view name,
                         longwire::opencl::record::kernel* kernel);

 private:
  struct Used {  // a device of the program, and its handle
    cl_device_id native;
    const Device* device;
  };
  std::vector<Used> devices_of(cl_program program);
  std::vector<std::string> kernel_names(cl_program program);
  longwire::opencl::record::program_device build_record(cl_program program, const Used& used,
                                                        std::size_t log_bytes);
  void describe_kernels(cl_program program, longwire::opencl::record::program* record);
  longwire::opencl::record::kernel kernel_record(cl_kernel kernel, std::string_view name,
                                                 const std::vector<Used>& devices);
  longwire::opencl::record::kernel_arg argument(cl_kernel kernel, cl_uint index,
                                                const std::vector<Used>& devices);
  std::size_t value_bytes(cl_kernel kernel, cl_uint index, std::string_view type,
                          const std::vector<Used>& devices);

  const NativeApi& api_;
  const std::vector<Ref<Device>>& devices_;
  InfoBytes bytes_;
};

// Bytes of an OpenCL C scalar or vector type ("uint", "unsigned int", "float4"); 0: no such type.
std::size_t builtin_type_bytes(std::string_view type, std::size_t pointer_bytes);
ArgKind kind_of_argument(std::uint32_t address, std::uint32_t access, std::uint64_t qualifier,
                         std::string_view type);
// The options with -cl-kernel-arg-info, which costs nothing and is what descriptions need.
std::string with_argument_info(std::string_view options);

}  // namespace longwire::worker::opencl
