// clGetProgramInfo and clGetProgramBuildInfo. OpenCL 3.0, section 5.8.8.
#include <algorithm>
#include <cstring>

#include "client/opencl/enqueue.h"
#include "client/opencl/program.h"
#include "opencl/client_api.h"
#include "opencl/messages.h"
#include "session/bulk.h"

namespace longwire::client::opencl {
namespace {

namespace msg = ::longwire::opencl::msg;

constexpr std::size_t kMaxBinaryBytes = std::size_t{1} << 30;

std::string joined(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names) {
    if (!all.empty()) all += ';';
    all += name;
  }
  return all;
}

// Sizes of the binaries of one node's devices: one round trip.
cl_int ask_sizes(const Program& program, Node& node, const DeviceList& devices,
                 std::vector<std::size_t>* sizes) {
  const std::vector<wire::Handle> handles = handles_of(devices);
  msg::GetProgramBinaries message;
  message.program = program.node_handle();
  message.devices = wire::U64View(std::span<const wire::Handle>(handles));
  sizes->assign(devices.size(), 0);
  bool sane = true;
  const cl_int status = node.call(message, [&](const msg::GetProgramBinaries::Reply& reply) {
    for (std::size_t i = 0; i < sizes->size() && i < reply.sizes.size(); ++i) {
      (*sizes)[i] = static_cast<std::size_t>(reply.sizes[i]);
      sane &= reply.sizes[i] <= kMaxBinaryBytes;
    }
  });
  return status == CL_SUCCESS && !sane ? CL_OUT_OF_RESOURCES : status;
}

// The binaries of one node, one after the other: one round trip, and a download.
cl_int fetch(const Program& program, Node& node, std::span<std::byte> all) {
  const auto download = node.session().expect_download(all, nullptr);
  msg::FetchProgramBinaries message;
  message.program = program.node_handle();
  message.download = download.blob;
  const bool is_inline = download.blob.mode == wire::BlobMode::kInline;
  const cl_int status = node.call_raw(message, [&](cl_int answered, wire::Reader& body) {
    if (answered != CL_SUCCESS || !is_inline) return true;
    msg::FetchProgramBinaries::Reply reply;
    decode(body, reply);
    if (reply.data.size() != all.size()) return false;
    std::copy(reply.data.begin(), reply.data.end(), all.begin());
    return true;
  });
  if (status != CL_SUCCESS) {
    node.session().cancel_download(download);
    return status;
  }
  return node.wait_until([&] { return download.all_there->load(std::memory_order_acquire); });
}

}  // namespace

cl_int Program::binary_sizes(const InfoOut& out) noexcept {
  std::vector<std::size_t> sizes(devices_.size(), 0);
  if (sent_ && (origin_ == ProgramOrigin::kBinary || any_built())) {
    for (const auto& [node, group] : by_node(devices_)) {
      std::vector<std::size_t> some;
      LW_CL_TRY(ask_sizes(*this, *node, group, &some));
      for (std::size_t i = 0; i < group.size(); ++i)
        sizes[place_of(*group[i])] = some[i];
    }
  }
  const std::lock_guard lock(mutex_);
  told_sizes_ = sizes;
  return out.array<std::size_t>(sizes);
}

std::size_t Program::told_size(const Device& device) const {
  const std::lock_guard lock(mutex_);
  return told_sizes_.empty() ? kMaxBinaryBytes : told_sizes_[place_of(device)];
}

// The program gives an array of pointers, some of which may be null. The node sends the binaries of
// all of its devices.
cl_int Program::binaries(const InfoOut& out) noexcept {
  const std::size_t bytes = devices_.size() * sizeof(unsigned char*);
  if (out.value() != nullptr && out.value_bytes() < bytes) return CL_INVALID_VALUE;
  if (out.size_out() != nullptr) *out.size_out() = bytes;
  if (out.value() == nullptr) return CL_SUCCESS;
  std::vector<std::byte*> targets(devices_.size());
  std::memcpy(targets.data(), out.value(), bytes);
  if (!sent_ || !(origin_ == ProgramOrigin::kBinary || any_built())) return CL_SUCCESS;
  for (const auto& [node, group] : by_node(devices_)) {
    const auto wanted = [&, &group = group](std::size_t i) { return targets[place_of(*group[i])]; };
    std::vector<std::size_t> sizes;
    LW_CL_TRY(ask_sizes(*this, *node, group, &sizes));
    std::size_t total = 0;
    for (std::size_t i = 0; i < group.size(); ++i) {
      // The program has made room for what it was told.
      if (wanted(i) != nullptr && sizes[i] > told_size(*group[i])) return CL_OUT_OF_RESOURCES;
      total += sizes[i];
    }
    if (total == 0) continue;
    const auto all = std::make_unique_for_overwrite<std::byte[]>(total);
    LW_CL_TRY(fetch(*this, *node, {all.get(), total}));
    const std::byte* from = all.get();
    for (std::size_t i = 0; i < group.size(); from += sizes[i++]) {
      if (wanted(i) != nullptr) std::copy_n(from, sizes[i], wanted(i));
    }
  }
  return CL_SUCCESS;
}

cl_int Program::get_info(cl_program_info param, const InfoOut& out) noexcept {
  switch (param) {
    case CL_PROGRAM_REFERENCE_COUNT:
      return out.value<cl_uint>(api_references());
    case CL_PROGRAM_CONTEXT:
      return out.value<cl_context>(to_cl<cl_context>(context_.get()));
    case CL_PROGRAM_NUM_DEVICES:
      return out.value<cl_uint>(static_cast<cl_uint>(devices_.size()));
    case CL_PROGRAM_DEVICES: {
      std::vector<cl_device_id> devices;
      for (const Ref<Device>& device : devices_)
        devices.push_back(to_cl<cl_device_id>(device.get()));
      return out.array<cl_device_id>(devices);
    }
    case CL_PROGRAM_SOURCE:
      return out.string(source_);
    case CL_PROGRAM_IL:
      return out.bytes(il_);
    case CL_PROGRAM_BINARY_SIZES:
      return binary_sizes(out);
    case CL_PROGRAM_BINARIES:
      return binaries(out);
    case CL_PROGRAM_NUM_KERNELS:
      if (!has_executable()) return CL_INVALID_PROGRAM_EXECUTABLE;
      return out.value<std::size_t>(kernel_names().size());
    case CL_PROGRAM_KERNEL_NAMES:
      if (!has_executable()) return CL_INVALID_PROGRAM_EXECUTABLE;
      return out.string(joined(kernel_names()));
    case CL_PROGRAM_SCOPE_GLOBAL_CTORS_PRESENT:
    case CL_PROGRAM_SCOPE_GLOBAL_DTORS_PRESENT: {
      const std::lock_guard lock(mutex_);
      return infos_.has(param) ? infos_.give(param, out) : out.value<cl_bool>(CL_FALSE);
    }
    default:
      return CL_INVALID_VALUE;
  }
}

cl_int Program::get_build_info(const Device& device, cl_program_build_info param,
                               const InfoOut& out) const noexcept {
  const DeviceBuild build = build_of(device);
  switch (param) {
    case CL_PROGRAM_BUILD_STATUS:
      return out.value<cl_build_status>(build.status);
    case CL_PROGRAM_BUILD_OPTIONS:
      return out.string(build.options);
    case CL_PROGRAM_BUILD_LOG:
      return build.infos.has(param) ? build.infos.give(param, out) : out.string("");
    case CL_PROGRAM_BINARY_TYPE:
      return out.value<cl_program_binary_type>(build.binary_type);
    case CL_PROGRAM_BUILD_GLOBAL_VARIABLE_TOTAL_SIZE:
      return build.infos.has(param) ? build.infos.give(param, out) : out.value<std::size_t>(0);
    default:
      return CL_INVALID_VALUE;
  }
}

namespace api {

cl_int GetProgramInfo(cl_program handle, cl_program_info param_name, size_t param_value_size,
                      void* param_value, size_t* param_value_size_ret) noexcept {
  Program* const program = from_cl<Program>(handle);
  if (program == nullptr) return CL_INVALID_PROGRAM;
  return program->get_info(param_name,
                           InfoOut(param_value_size, param_value, param_value_size_ret));
}

cl_int GetProgramBuildInfo(cl_program handle, cl_device_id device_id,
                           cl_program_build_info param_name, size_t param_value_size,
                           void* param_value, size_t* param_value_size_ret) noexcept {
  Program* const program = from_cl<Program>(handle);
  if (program == nullptr) return CL_INVALID_PROGRAM;
  Device* const device = from_cl<Device>(device_id);
  if (device == nullptr || !program->has_device(*device)) return CL_INVALID_DEVICE;
  return program->get_build_info(*device, param_name,
                                 InfoOut(param_value_size, param_value, param_value_size_ret));
}

}  // namespace api
}  // namespace longwire::client::opencl
