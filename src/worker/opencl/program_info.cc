#include "worker/opencl/program_info.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace longwire::worker::opencl {
namespace {

using longwire::opencl::record::info;

constexpr std::size_t kMaxProbedBytes = 4096;
constexpr cl_uint kMaxArguments = 4096;
constexpr std::size_t kMaxKernels = 65536;

struct ScalarType {
  std::string_view name;
  std::size_t bytes;
};

constexpr ScalarType kScalars[] = {
    {"char", 1},   {"signed char", 1}, {"uchar", 1},          {"unsigned char", 1},
    {"short", 2},  {"ushort", 2},      {"unsigned short", 2}, {"half", 2},
    {"int", 4},    {"uint", 4},        {"unsigned int", 4},   {"unsigned", 4},
    {"float", 4},  {"long", 8},        {"ulong", 8},          {"unsigned long", 8},
    {"double", 8}, {"long int", 8},    {"short int", 2},      {"unsigned long int", 8},
};
constexpr std::string_view kPointerSized[] = {"size_t", "ptrdiff_t", "intptr_t", "uintptr_t"};
constexpr std::pair<std::string_view, std::size_t> kVectorLengths[] = {
    {"16", 16}, {"2", 2}, {"3", 4}, {"4", 4}, {"8", 8}};

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

std::string_view text_of(const info& value) {
  std::string_view text(reinterpret_cast<const char*>(value.value.data()), value.value.size());
  while (!text.empty() && text.back() == '\0')
    text.remove_suffix(1);
  return text;
}

}  // namespace

std::string with_argument_info(std::string_view options) {
  constexpr std::string_view kOption = "-cl-kernel-arg-info";
  std::string all(options);
  if (options.find(kOption) != std::string_view::npos) return all;
  if (!all.empty()) all += ' ';
  return all.append(kOption);
}

std::size_t builtin_type_bytes(std::string_view type, std::size_t pointer_bytes) {
  for (const std::string_view name : kPointerSized)
    if (type == name) return pointer_bytes;
  const auto scalar = [](std::string_view name) -> std::size_t {
    for (const ScalarType& one : kScalars)
      if (one.name == name) return one.bytes;
    return 0;
  };
  if (const std::size_t bytes = scalar(type); bytes != 0) return bytes;
  for (const auto& [suffix, elements] : kVectorLengths) {
    if (type.size() <= suffix.size() || type.substr(type.size() - suffix.size()) != suffix)
      continue;
    return elements * scalar(type.substr(0, type.size() - suffix.size()));
  }
  return 0;
}

ArgKind kind_of_argument(std::uint32_t address, std::uint32_t access, std::uint64_t qualifier,
                         std::string_view type) {
  if (starts_with(type, "sampler_t")) return ArgKind::kSampler;
  if ((qualifier & CL_KERNEL_ARG_TYPE_PIPE) != 0) return ArgKind::kOther;
  for (const std::string_view other : {"queue_t", "clk_event_t", "reserve_id_t", "event_t"})
    if (starts_with(type, other)) return ArgKind::kOther;
  switch (address) {
    case CL_KERNEL_ARG_ADDRESS_LOCAL:
      return ArgKind::kLocal;
    case CL_KERNEL_ARG_ADDRESS_GLOBAL:
    case CL_KERNEL_ARG_ADDRESS_CONSTANT:
      return ArgKind::kMemory;
    default:
      break;
  }
  const bool is_image = access != CL_KERNEL_ARG_ACCESS_NONE ||
                        (starts_with(type, "image") && type.find("_t") != std::string_view::npos);
  return is_image ? ArgKind::kMemory : ArgKind::kValue;
}

std::vector<ProgramInfo::Used> ProgramInfo::devices_of(cl_program program) {
  InfoBytes bytes;
  const info ids =
      take_info(CL_PROGRAM_DEVICES, bytes, [&](std::size_t size, void* value, std::size_t* out) {
        return api_.clGetProgramInfo(program, CL_PROGRAM_DEVICES, size, value, out);
      });
  std::vector<Used> devices;
  for (std::size_t i = 0; i + sizeof(cl_device_id) <= ids.value.size(); i += sizeof(cl_device_id)) {
    cl_device_id id = nullptr;
    std::memcpy(&id, ids.value.data() + i, sizeof id);
    for (const auto& device : devices_)
      if (device->native == id) devices.push_back({id, device.get()});
  }
  return devices;
}

std::vector<std::string> ProgramInfo::kernel_names(cl_program program) {
  InfoBytes bytes;
  const info all = take_info(
      CL_PROGRAM_KERNEL_NAMES, bytes, [&](std::size_t size, void* value, std::size_t* out) {
        return api_.clGetProgramInfo(program, CL_PROGRAM_KERNEL_NAMES, size, value, out);
      });
  std::vector<std::string> names;
  if (all.status != CL_SUCCESS) return names;
  std::string_view left = text_of(all);
  while (!left.empty() && names.size() < kMaxKernels) {
    const std::size_t end = std::min(left.find(';'), left.size());
    if (end > 0) names.emplace_back(left.substr(0, end));
    left.remove_prefix(std::min(end + 1, left.size()));
  }
  return names;
}

longwire::opencl::record::program ProgramInfo::describe(cl_program program) {
  longwire::opencl::record::program record;
  const auto devices = devices_of(program);
  for (const Used& used : devices)
    record.devices.push_back(build_record(program, used, kMaxLogBytes / devices.size()));
  constexpr cl_program_info kParams[] = {CL_PROGRAM_NUM_KERNELS,
                                         CL_PROGRAM_SCOPE_GLOBAL_CTORS_PRESENT,
                                         CL_PROGRAM_SCOPE_GLOBAL_DTORS_PRESENT};
  for (const cl_program_info param : kParams) {
    record.infos.push_back(
        take_info(param, bytes_, [&](std::size_t size, void* value, std::size_t* out) {
          return api_.clGetProgramInfo(program, param, size, value, out);
        }));
  }
  describe_kernels(program, &record);
  return record;
}

longwire::opencl::record::program_device ProgramInfo::build_record(cl_program program,
                                                                   const Used& used,
                                                                   std::size_t log_bytes) {
  longwire::opencl::record::program_device record;
  record.device = used.device->handle();
  const auto take = [&](cl_program_build_info param, std::size_t limit) {
    record.infos.push_back(take_info(
        param, bytes_,
        [&](std::size_t size, void* value, std::size_t* out) {
          return api_.clGetProgramBuildInfo(program, used.native, param, size, value, out);
        },
        limit));
  };
  take(CL_PROGRAM_BUILD_STATUS, kMaxInfoBytes);
  take(CL_PROGRAM_BUILD_LOG, log_bytes);
  if (used.device->version >= 120) take(CL_PROGRAM_BINARY_TYPE, kMaxInfoBytes);
  if (used.device->version >= 200) take(CL_PROGRAM_BUILD_GLOBAL_VARIABLE_TOTAL_SIZE, kMaxInfoBytes);
  return record;
}

// All names; descriptions in the same order, as long as they fit.
void ProgramInfo::describe_kernels(cl_program program, longwire::opencl::record::program* record) {
  std::size_t names_bytes = 0;
  std::size_t kernels_bytes = 0;
  for (const std::string& name : kernel_names(program)) {
    names_bytes += name.size() + 16;
    if (names_bytes > kMaxNamesBytes) break;
    record->kernel_names.push_back(bytes_.add(name));
    if (kernels_bytes > kMaxKernelsBytes) continue;
    longwire::opencl::record::kernel kernel;
    const cl_int status = describe_kernel(program, name, &kernel);
    kernels_bytes += status == CL_SUCCESS ? longwire::opencl::encoded_size(kernel) + 8
                                          : kMaxKernelsBytes + 1;  // the others one by one
    if (kernels_bytes <= kMaxKernelsBytes) record->kernels.push_back(std::move(kernel));
  }
}

cl_int ProgramInfo::describe_kernel(cl_program program, std::string_view name,
                                    longwire::opencl::record::kernel* record) {
  cl_int status = CL_SUCCESS;
  const cl_kernel kernel = api_.clCreateKernel(program, std::string(name).c_str(), &status);
  if (status != CL_SUCCESS) return status;
  *record = kernel_record(kernel, bytes_.add(name), devices_of(program));
  api_.clReleaseKernel(kernel);
  return CL_SUCCESS;
}

longwire::opencl::record::kernel ProgramInfo::kernel_record(cl_kernel kernel, std::string_view name,
                                                            const std::vector<Used>& devices) {
  longwire::opencl::record::kernel record;
  record.name = name;
  for (const cl_kernel_info param :
       {cl_kernel_info{CL_KERNEL_NUM_ARGS}, cl_kernel_info{CL_KERNEL_ATTRIBUTES}}) {
    record.infos.push_back(
        take_info(param, bytes_, [&](std::size_t size, void* value, std::size_t* out) {
          return api_.clGetKernelInfo(kernel, param, size, value, out);
        }));
  }
  cl_uint count = 0;
  api_.clGetKernelInfo(kernel, CL_KERNEL_NUM_ARGS, sizeof count, &count, nullptr);
  for (cl_uint i = 0; i < std::min(count, kMaxArguments); ++i)
    record.args.push_back(argument(kernel, i, devices));
  constexpr cl_kernel_work_group_info kParams[] = {
      CL_KERNEL_WORK_GROUP_SIZE, CL_KERNEL_COMPILE_WORK_GROUP_SIZE, CL_KERNEL_LOCAL_MEM_SIZE,
      CL_KERNEL_PREFERRED_WORK_GROUP_SIZE_MULTIPLE, CL_KERNEL_PRIVATE_MEM_SIZE};
  for (const Used& used : devices) {
    auto& its = record.devices.emplace_back();
    its.device = used.device->handle();
    for (const auto param : kParams) {
      its.infos.push_back(
          take_info(param, bytes_, [&](std::size_t size, void* value, std::size_t* out) {
            return api_.clGetKernelWorkGroupInfo(kernel, used.native, param, size, value, out);
          }));
    }
  }
  return record;
}

longwire::opencl::record::kernel_arg ProgramInfo::argument(cl_kernel kernel, cl_uint index,
                                                           const std::vector<Used>& devices) {
  longwire::opencl::record::kernel_arg arg;
  const bool can_ask = !devices.empty() && devices.front().device->version >= 120;
  const auto number = [&](cl_kernel_arg_info param, auto value) {
    if (can_ask)
      arg.has_info &= api_.clGetKernelArgInfo(kernel, index, param, sizeof value, &value,
                                              nullptr) == CL_SUCCESS;
    return value;
  };
  const auto text = [&](cl_kernel_arg_info param) -> std::string_view {
    if (!can_ask) return {};
    const info value = take_info(param, bytes_, [&](std::size_t size, void* to, std::size_t* out) {
      return api_.clGetKernelArgInfo(kernel, index, param, size, to, out);
    });
    arg.has_info &= value.status == CL_SUCCESS;
    return text_of(value);
  };
  arg.has_info = can_ask;
  arg.address = number(CL_KERNEL_ARG_ADDRESS_QUALIFIER, cl_kernel_arg_address_qualifier{});
  arg.access = number(CL_KERNEL_ARG_ACCESS_QUALIFIER, cl_kernel_arg_access_qualifier{});
  arg.type_qualifier = number(CL_KERNEL_ARG_TYPE_QUALIFIER, cl_kernel_arg_type_qualifier{});
  arg.type_name = text(CL_KERNEL_ARG_TYPE_NAME);
  arg.name = text(CL_KERNEL_ARG_NAME);
  if (arg.has_info == 0) {
    arg = {};
    return arg;
  }
  const ArgKind kind = kind_of_argument(arg.address, arg.access, arg.type_qualifier, arg.type_name);
  arg.kind = static_cast<std::uint32_t>(kind);
  if (kind == ArgKind::kValue) arg.value_bytes = value_bytes(kernel, index, arg.type_name, devices);
  return arg;
}

// A struct's size is nowhere to be asked: the driver refuses every size but the right one.
std::size_t ProgramInfo::value_bytes(cl_kernel kernel, cl_uint index, std::string_view type,
                                     const std::vector<Used>& devices) {
  cl_uint address_bits = 64;
  std::size_t largest = kMaxProbedBytes;
  if (!devices.empty()) {
    api_.clGetDeviceInfo(devices.front().native, CL_DEVICE_ADDRESS_BITS, sizeof address_bits,
                         &address_bits, nullptr);
    std::size_t most = 0;
    if (api_.clGetDeviceInfo(devices.front().native, CL_DEVICE_MAX_PARAMETER_SIZE, sizeof most,
                             &most, nullptr) == CL_SUCCESS)
      largest = std::min(largest, most);
  }
  if (const std::size_t bytes = builtin_type_bytes(type, address_bits / 8); bytes != 0)
    return bytes;
  alignas(128) static constexpr std::array<std::byte, kMaxProbedBytes + 1> kZeros{};
  for (std::size_t bytes = 1; bytes <= largest; ++bytes) {
    if (api_.clSetKernelArg(kernel, index, bytes, kZeros.data()) != CL_SUCCESS) continue;
    // A driver that takes the next size as well checks nothing.
    return api_.clSetKernelArg(kernel, index, bytes + 1, kZeros.data()) == CL_SUCCESS ? 0 : bytes;
  }
  return 0;
}

}  // namespace longwire::worker::opencl
